import Glibc

/// A few hundred subscribers in one block of memory: a table of slots, then the records. Immutable.
///
/// A slot holds twelve bits of the hash and the place of a record, so a look-up reads one line of slots and, as a rule, the lines of
/// one record; a record that fits into a cache line does not straddle two.
final class SubscriberShard: @unchecked Sendable {
    // Guard: written only while it is made.
    let block: UnsafeRawPointer
    let count: Int
    /// Size of the block.
    let octets: Int
    /// Where the block was taken from; nil for the heap.
    private let memory: ShardMemory?

    static let slotCount = 512
    static let slotOctets = slotCount * 4
    /// More subscribers than this make two shards: the table stays at most three quarters full.
    static let largestCount = 384
    private static let lineOctets = 64
    private static let placeBits: UInt32 = 20

    static let empty = SubscriberShard([StagedSubscriber]()[...], in: nil)

    /// A shard of `items`, at most `largestCount`; on the heap without `memory` and where that has no room for it.
    init(_ items: ArraySlice<StagedSubscriber>, in memory: ShardMemory?) {
        let items = items.prefix(Self.largestCount)
        var end = 0
        for item in items { end = Self.start(end, item) + Int(item.octets) }
        octets = Self.slotOctets + (end + Self.lineOctets - 1) & ~(Self.lineOctets - 1)
        let taken = memory?.take(octets)
        guard let room = taken ?? aligned_alloc(Self.lineOctets, octets) else { fatalError("no memory for the subscribers' index") }
        self.memory = taken == nil ? nil : memory
        memset(room, 0, Self.slotOctets)
        count = items.count
        block = UnsafeRawPointer(room)
        end = 0
        for item in items {
            let start = Self.start(end, item)
            memcpy(room + Self.slotOctets + start, item.record.base, Int(item.octets))
            place(item.hash, start, room.assumingMemoryBound(to: UInt32.self))
            end = start + Int(item.octets)
        }
    }

    deinit {
        if let memory { memory.giveBack(block, octets) } else { free(UnsafeMutableRawPointer(mutating: block)) }
    }

    /// Where a record begins that follows one that ended at `end`.
    private static func start(_ end: Int, _ item: StagedSubscriber) -> Int {
        let start = (end + 3) & ~3
        let straddles = start & (lineOctets - 1) + Int(item.octets) > lineOctets
        return straddles && item.octets <= lineOctets ? (start + lineOctets - 1) & ~(lineOctets - 1) : start
    }

    private func place(_ hash: UInt64, _ start: Int, _ slots: UnsafeMutablePointer<UInt32>) {
        var slot = Self.slot(hash)
        while slots[slot] != 0 { slot = (slot + 1) & (Self.slotCount - 1) }
        slots[slot] = Self.tag(hash) << Self.placeBits | UInt32(start / 4 + 1)
    }

    private static func slot(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (slotCount - 1) }

    private static func tag(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash >> 9) & 0xfff }

    /// The slot of `name` in the block of a shard, or nil.
    static func find(in block: UnsafeRawPointer, hash: UInt64, tenant: Int64, _ name: UnsafeRawBufferPointer) -> Int? {
        let slots = block.assumingMemoryBound(to: UInt32.self)
        var candidate = candidate(slots, hash, from: slot(hash))
        while let slot = candidate {
            let record = record(in: block, slots[slot])
            if record.tenant == tenant, equal(record.name, name) { return slot }
            candidate = Self.candidate(slots, hash, from: (slot + 1) & (slotCount - 1))
        }
        return nil
    }

    /// The first slot that may hold a record of `hash`, in the order in which slots are filled; nil for none.
    private static func candidate(_ slots: UnsafePointer<UInt32>, _ hash: UInt64, from start: Int) -> Int? {
        let tag = tag(hash)
        var slot = start
        while slots[slot] != 0 {
            if slots[slot] >> placeBits == tag { return slot }
            slot = (slot + 1) & (slotCount - 1)
        }
        return nil
    }

    /// The record that a slot which is not empty names.
    static func record(in block: UnsafeRawPointer, _ slot: UInt32) -> SubscriberRecord {
        SubscriberRecord(base: block + slotOctets + Int(slot & (1 << placeBits - 1) - 1) * 4)
    }

    /// The line of slots at which a look-up begins, for prefetching.
    static func line(in block: UnsafeRawPointer, hash: UInt64) -> UnsafeRawPointer { block + slot(hash) * 4 }

    /// The record that a look-up of `hash` compares first, for prefetching; nil for none.
    static func likelyRecord(in block: UnsafeRawPointer, hash: UInt64) -> SubscriberRecord? {
        let slots = block.assumingMemoryBound(to: UInt32.self)
        return candidate(slots, hash, from: slot(hash)).map { record(in: block, slots[$0]) }
    }

    static func equal(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        guard let first = left.baseAddress, let second = right.baseAddress else { return true }
        return memcmp(first, second, left.count) == 0
    }

    /// What stands here and is not among `replaced`, with hashes made by `hash`.
    func items(without replaced: [Int], hash: (SubscriberRecord) -> UInt64) -> [StagedSubscriber] {
        var slots = Array(UnsafeBufferPointer(start: block.assumingMemoryBound(to: UInt32.self), count: Self.slotCount))
        for slot in replaced { slots[slot] = 0 }
        var items: [StagedSubscriber] = []
        items.reserveCapacity(count)
        for slot in slots where slot != 0 {
            let record = Self.record(in: block, slot)
            items.append(StagedSubscriber(hash: hash(record), record: record, octets: Int32(record.octets), order: 0))
        }
        return items
    }
}
