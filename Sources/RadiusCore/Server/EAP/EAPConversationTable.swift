/// The conversations that are going on, bounded in number, time and memory.
///
/// A new one is never refused for want of room: an older one gives way. Those in which the peer has answered no method yet may take half
/// of the places, those of one NAS a quarter; and where places or memory are short, the NAS that holds the most gives: a flood through one
/// NAS, at whatever stage it stops, displaces its own and no other's.
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
        /// Grows with each change of the table; the least was silent longest.
        var turn: UInt64 = 0
        var stage = Stage.begun
        /// Nil while a thread has it.
        var session: EAPSession?
        var isUsed = false
    }

    /// What the conversations of one NAS hold.
    private struct Share {
        var begun = SlotList()
        var answered = SlotList()
        /// Ended ones and those that a thread has included.
        var octets = 0
        var isEmpty: Bool { octets == 0 && begun.count == 0 && answered.count == 0 }
    }

    let limits: Limits
    private(set) var statistics = Statistics()
    private(set) var octets = 0
    private var turn: UInt64 = 0
    private var slots: [Slot] = []
    private var free: [Int] = []
    private var ages = SlotLinks()
    private var lanes = SlotLinks()
    private var begun = SlotList()
    private var answered = SlotList()
    private var ended = SlotList()
    private var shares: [Int64: Share] = [:]
    /// The NAS that holds the most octets: whoever came to hold more than it, when its conversation was last kept.
    private var heaviest: Int64 = 0

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
        count(size - slots[slot].octets, of: slots[slot].client)
        slots[slot].octets = size
        while octets > limits.octets, displaceAny() {}
        turn += 1
        slots[slot].session = session
        slots[slot].stage = stage
        slots[slot].turn = turn
        link(slot)
    }

    private mutating func count(_ more: Int, of client: Int64) {
        octets += more
        shares[client, default: Share()].octets += more
        if more > 0, client != heaviest, shares[client]?.octets ?? 0 > shares[heaviest]?.octets ?? 0 { heaviest = client }
        if shares[client]?.isEmpty == true { shares[client] = nil }
    }

    private mutating func addSlot() -> Int {
        slots.append(Slot())
        ages.addSlot()
        lanes.addSlot()
        return slots.count - 1
    }

    private mutating func makeRoom(for client: Int64) -> Bool {
        if let lane = shares[client]?.begun, lane.count >= max(1, limits.conversations / 4) { displace(Int(lane.first)) }
        if begun.count >= max(1, limits.conversations / 2) { displace(Int(begun.first)) }
        return count < limits.conversations || displaceAny()
    }

    /// Lets the conversation go that is worth least: one that ended, else of the NAS that holds the most the one that was silent longest. A
    /// beginning goes no sooner than others: devices that stop in the middle of a handshake would fill the table, and nobody could begin.
    private mutating func displaceAny() -> Bool {
        if ended.first >= 0 {
            displace(Int(ended.first))
            return true
        }
        let share = shares[heaviest] ?? Share()
        // Threads may have all of the heaviest.
        guard let slot = silentLongest(share.begun, share.answered) ?? silentLongest(begun, answered) else { return false }
        displace(slot)
        return true
    }

    private func silentLongest(_ begun: SlotList, _ answered: SlotList) -> Int? {
        [begun.first, answered.first].filter { $0 >= 0 }.map(Int.init).min { slots[$0].turn < slots[$1].turn }
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
        count(-slots[slot].octets, of: slots[slot].client)
        slots[slot] = Slot()
        free.append(slot)
    }

    private mutating func link(_ slot: Int) {
        switch slots[slot].stage {
        case .begun:
            begun.append(slot, &ages)
            shares[slots[slot].client, default: Share()].begun.append(slot, &lanes)
        case .answered:
            answered.append(slot, &ages)
            shares[slots[slot].client, default: Share()].answered.append(slot, &lanes)
        case .ended: ended.append(slot, &ages)
        }
    }

    private mutating func unlink(_ slot: Int) {
        let client = slots[slot].client
        switch slots[slot].stage {
        case .begun:
            begun.remove(slot, &ages)
            shares[client]?.begun.remove(slot, &lanes)
        case .answered:
            answered.remove(slot, &ages)
            shares[client]?.answered.remove(slot, &lanes)
        case .ended: ended.remove(slot, &ages)
        }
    }
}
