/// A part of the index: shards found by the bits of the hash that follow the segment's own eight. Immutable.
///
/// Shards are the leaves of a tree by those bits; a shard that grows too large becomes two one level down, and nothing else moves. The
/// tree is looked up as one flat table, in which a shard above the lowest level stands several times.
final class SubscriberSegment: @unchecked Sendable {
    // Guard: written only while it is made.
    let table: UnsafeMutablePointer<UnsafeRawPointer>
    /// Levels of the tree; the table has 2 to the power of it entries.
    let depth: Int
    let count: Int
    let octets: Int
    /// Subscribers that found no room, because hundreds of names have the same hash.
    let refused: Int
    private let leaves: [Leaf]

    /// A shard and the bits of the hash that all its names share, as a count.
    private struct Leaf {
        let depth: Int
        let shard: SubscriberShard
        var refused = 0
    }

    /// Bits of the hash that choose the segment.
    static let segmentBits = 8
    private static let maximumDepth = 16

    static let empty = SubscriberSegment([Leaf(depth: 0, shard: .empty)])

    /// A segment of `items`, whose hashes begin alike and of whom no name is there twice; their shards lie in `memory`.
    convenience init(_ items: inout [StagedSubscriber], in memory: ShardMemory) {
        var leaves: [Leaf] = []
        Self.split(&items, 0..<items.count, depth: 0, in: memory, into: &leaves)
        self.init(leaves)
    }

    private init(_ leaves: [Leaf]) {
        self.leaves = leaves
        let deepest = leaves.reduce(0) { max($0, $1.depth) }
        depth = deepest
        count = leaves.reduce(0) { $0 + $1.shard.count }
        refused = leaves.reduce(0) { $0 + $1.refused }
        octets = leaves.reduce(8 << deepest) { $0 + $1.shard.octets }
        table = .allocate(capacity: 1 << deepest)
        var next = table
        for leaf in leaves {
            let repeats = 1 << (deepest - leaf.depth)
            next.initialize(repeating: leaf.shard.block, count: repeats)
            next += repeats
        }
    }

    deinit { table.deallocate() }

    /// This segment with `changes` made, which are sorted by hash and name nobody twice; `hash` is that of a record.
    func updated(
        with changes: ArraySlice<StagedSubscriber>, in memory: ShardMemory, hash: (SubscriberRecord) -> UInt64
    ) -> SubscriberSegment {
        var rest = changes
        var made: [Leaf] = []
        made.reserveCapacity(leaves.count)
        var place: UInt64 = 0
        for leaf in leaves {
            place += 1 << (Self.maximumDepth - leaf.depth)
            let end = rest.firstIndex { Self.place(of: $0.hash) >= place } ?? rest.endIndex
            if end == rest.startIndex {
                made.append(leaf)
            } else {
                var items = Self.merge(leaf.shard, rest[..<end], hash)
                Self.split(&items, 0..<items.count, depth: leaf.depth, in: memory, into: &made)
                rest = rest[end...]
            }
        }
        return SubscriberSegment(made)
    }

    /// The bits of the hash below the segment's own, as far as a tree may go.
    private static func place(of hash: UInt64) -> UInt64 { (hash << segmentBits) >> (64 - maximumDepth) }

    private static func merge(
        _ shard: SubscriberShard, _ changes: ArraySlice<StagedSubscriber>, _ hash: (SubscriberRecord) -> UInt64
    ) -> [StagedSubscriber] {
        let replaced = changes.compactMap {
            SubscriberShard.find(in: shard.block, hash: $0.hash, tenant: $0.record.tenant, $0.record.name)
        }
        return shard.items(without: replaced, hash: hash) + changes.filter { !$0.record.isRemoval }
    }

    /// Makes one shard of `range`, or as many as it takes.
    private static func split(
        _ items: inout [StagedSubscriber], _ range: Range<Int>, depth: Int, in memory: ShardMemory, into leaves: inout [Leaf]
    ) {
        guard range.count > SubscriberShard.largestCount, depth < maximumDepth else {
            let refused = max(0, range.count - SubscriberShard.largestCount)
            let shard = range.isEmpty ? .empty : SubscriberShard(items[range], in: memory)
            leaves.append(Leaf(depth: depth, shard: shard, refused: refused))
            return
        }
        let bit = UInt64(1) << (63 - segmentBits - depth)
        let middle = items[range].partition { $0.hash & bit != 0 }
        split(&items, range.lowerBound..<middle, depth: depth + 1, in: memory, into: &leaves)
        split(&items, middle..<range.upperBound, depth: depth + 1, in: memory, into: &leaves)
    }
}
