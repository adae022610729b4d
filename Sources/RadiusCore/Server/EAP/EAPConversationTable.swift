/// The conversations that are going on, bounded in number, time and memory.
///
/// A new one is never refused for want of room: an older one gives way. Those in which the peer has answered no method yet may take half
/// of the places, those of one NAS a quarter, so that a flood of beginnings displaces beginnings, most of all its own.
struct EAPConversationTable {
    struct Limits: Sendable {
        /// At least 1.
        var conversations: Int
        /// Of all conversations together.
        var octets: Int
        /// From the first packet on.
        var lifetimeNanoseconds: UInt64
        /// How long the answer that ended one is kept for a packet that comes again.
        var endedNanoseconds: UInt64 = 10_000_000_000
    }

    /// Where a conversation stands, as far as giving way goes.
    enum Stage {
        /// The peer has answered no method.
        case begun
        case answered
        case ended
    }

    struct Statistics: Sendable, Equatable {
        var begun: UInt64 = 0
        /// Took longer than they may.
        var expired: UInt64 = 0
        /// Gave way before a method was answered, and after.
        var displacedBegun: UInt64 = 0
        var displacedAnswered: UInt64 = 0
    }

    enum Taken {
        case session(EAPSession)
        /// Another thread has it.
        case busy
        case gone
    }

    private struct Slot {
        var number: UInt64 = 0
        var client: Int64 = 0
        var expires: UInt64 = 0
        var octets = 0
        var stage = Stage.begun
        /// Nil while a thread has it.
        var session: EAPSession?
        var isUsed = false
    }

    let limits: Limits
    private(set) var statistics = Statistics()
    private(set) var octets = 0
    private var slots: [Slot] = []
    private var free: [Int] = []
    private var ages = SlotLinks()
    private var lanes = SlotLinks()
    private var begun = SlotList()
    private var answered = SlotList()
    private var ended = SlotList()
    private var begunOf: [Int64: SlotList] = [:]

    init(_ limits: Limits) { self.limits = limits }

    /// Conversations, those that ended a moment ago included.
    var count: Int { slots.count - free.count }

    /// Gives a new conversation a place.
    ///
    /// - Parameters:
    ///   - session: what happened so far.
    ///   - number: nobody can foretell it.
    ///   - client: whose conversation it is.
    ///   - now: monotonic.
    /// - Returns: the slot; nil when every place is at this moment being worked on.
    mutating func add(_ session: EAPSession, number: UInt64, client: Int64, now: UInt64) -> Int? {
        expire(now)
        guard makeRoom(for: client) else { return nil }
        let slot = free.popLast() ?? addSlot()
        slots[slot] = Slot(number: number, client: client, expires: now &+ limits.lifetimeNanoseconds, isUsed: true)
        statistics.begun += 1
        keep(session, in: slot, .begun)
        return slot
    }

    /// Takes a conversation out to work on it; `put` gives it back.
    mutating func take(_ slot: Int, number: UInt64, now: UInt64) -> Taken {
        expire(now)
        guard slot < slots.count, slots[slot].isUsed, slots[slot].number == number else { return .gone }
        guard let session = slots[slot].session else { return .busy }
        unlink(slot)
        guard slots[slot].expires > now else {
            statistics.expired += 1
            release(slot)
            return .gone
        }
        slots[slot].session = nil
        return .session(session)
    }

    /// Gives back what `take` gave.
    mutating func put(_ session: EAPSession, in slot: Int, _ stage: Stage, now: UInt64) {
        if stage == .ended { slots[slot].expires = min(slots[slot].expires, now &+ limits.endedNanoseconds) }
        keep(session, in: slot, stage)
    }

    private mutating func keep(_ session: EAPSession, in slot: Int, _ stage: Stage) {
        let size = session.memoryOctets
        octets += size - slots[slot].octets
        slots[slot].octets = size
        while octets > limits.octets, displaceAny() {}
        slots[slot].session = session
        slots[slot].stage = stage
        link(slot)
    }

    private mutating func addSlot() -> Int {
        slots.append(Slot())
        ages.addSlot()
        lanes.addSlot()
        return slots.count - 1
    }

    private mutating func makeRoom(for client: Int64) -> Bool {
        if let lane = begunOf[client], lane.count >= max(1, limits.conversations / 4) { displace(Int(lane.first)) }
        if begun.count >= max(1, limits.conversations / 2) { displace(Int(begun.first)) }
        return count < limits.conversations || displaceAny()
    }

    /// Lets the conversation go that is worth least: one that ended, else the oldest beginning, else the oldest of all.
    private mutating func displaceAny() -> Bool {
        for list in [ended, begun, answered] where list.first >= 0 {
            displace(Int(list.first))
            return true
        }
        return false
    }

    private mutating func displace(_ slot: Int) {
        switch slots[slot].stage {
        case .begun: statistics.displacedBegun += 1
        case .answered: statistics.displacedAnswered += 1
        case .ended: break
        }
        unlink(slot)
        release(slot)
    }

    /// Lets go what is too old, as far as it stands first in its list.
    private mutating func expire(_ now: UInt64) {
        for list in [\EAPConversationTable.ended, \.begun, \.answered] {
            while case let first = Int(self[keyPath: list].first), first >= 0, slots[first].expires <= now {
                if slots[first].stage != .ended { statistics.expired += 1 }
                unlink(first)
                release(first)
            }
        }
    }

    private mutating func release(_ slot: Int) {
        octets -= slots[slot].octets
        slots[slot] = Slot()
        free.append(slot)
    }

    private mutating func link(_ slot: Int) {
        switch slots[slot].stage {
        case .begun:
            begun.append(slot, &ages)
            begunOf[slots[slot].client, default: SlotList()].append(slot, &lanes)
        case .answered: answered.append(slot, &ages)
        case .ended: ended.append(slot, &ages)
        }
    }

    private mutating func unlink(_ slot: Int) {
        switch slots[slot].stage {
        case .begun:
            begun.remove(slot, &ages)
            let client = slots[slot].client
            begunOf[client]?.remove(slot, &lanes)
            if begunOf[client]?.count == 0 { begunOf[client] = nil }
        case .answered: answered.remove(slot, &ages)
        case .ended: ended.remove(slot, &ages)
        }
    }
}
