internal import CLinux

/// Subscribers by (tenant, user name): 256 segments of shards of packed records.
///
/// Immutable and shared by all threads once built. A changed index shares what did not change with the one before, so a change costs
/// what it touches: a shard of some hundred subscribers each. A look-up reads one line of slots and one record.
public final class SubscriberIndex: @unchecked Sendable {
    // Guard: written only while it is made.
    private let roots: UnsafeMutablePointer<Root>
    private let segments: [SubscriberSegment]
    /// Where the shards lie, those of changes, too.
    let memory: ShardMemory
    /// Drawn for each load, so that nobody can choose names that all meet in one shard.
    private let seed: UInt64
    public let count: Int
    /// Octets that records and tables take.
    public let memoryOctets: Int
    /// Subscribers that found no room, because hundreds of names have the same hash.
    public let refused: Int

    /// What a look-up needs of a segment.
    private struct Root {
        var table: UnsafePointer<UnsafeRawPointer>
        var depth: UInt64
    }

    static let segmentCount = 1 << SubscriberSegment.segmentBits

    init(_ segments: [SubscriberSegment], in memory: ShardMemory, seed: UInt64) {
        self.segments = segments
        self.memory = memory
        self.seed = seed
        count = segments.reduce(0) { $0 + $1.count }
        refused = segments.reduce(0) { $0 + $1.refused }
        memoryOctets = segments.reduce(segments.count * MemoryLayout<Root>.stride) { $0 + $1.octets }
        roots = .allocate(capacity: segments.count)
        for (place, segment) in segments.enumerated() {
            (roots + place).initialize(to: Root(table: segment.table, depth: UInt64(segment.depth)))
        }
    }

    deinit { roots.deallocate() }

    /// The record of `name` in `tenant`.
    func find(tenant: Int64, _ name: UnsafeRawBufferPointer) -> SubscriberRecord? {
        find(hash: hash(tenant: tenant, name), tenant: tenant, name)
    }

    /// The same, when the hash is known already.
    func find(hash: UInt64, tenant: Int64, _ name: UnsafeRawBufferPointer) -> SubscriberRecord? {
        let block = block(hash)
        guard let slot = SubscriberShard.find(in: block, hash: hash, tenant: tenant, name) else { return nil }
        return SubscriberShard.record(in: block, block.load(fromByteOffset: slot * 4, as: UInt32.self))
    }

    /// The line of slots that a look-up of this hash reads first, for prefetching.
    func line(hash: UInt64) -> UnsafeRawPointer { SubscriberShard.line(in: block(hash), hash: hash) }

    /// Brings the record nearer that a look-up of that hash will most likely find; its slots should be near already.
    func prefetchRecord(_ hash: UInt64) {
        if let record = SubscriberShard.likelyRecord(in: block(hash), hash: hash) { lm_prefetch(record.base) }
    }

    /// Brings the slots of that hash nearer.
    func prefetchSlot(_ hash: UInt64) { lm_prefetch(line(hash: hash)) }

    static func segment(of hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> (64 - UInt64(SubscriberSegment.segmentBits))) }

    private func block(_ hash: UInt64) -> UnsafeRawPointer {
        let root = roots[Self.segment(of: hash)]
        // In two steps, since a depth of zero would shift by all 64 bits.
        let below = hash << UInt64(SubscriberSegment.segmentBits)
        let place = (below >> 1) &>> (63 - root.depth)
        return root.table[Int(truncatingIfNeeded: place)]
    }

    /// This index with `changes` made; a later change of the same name wins.
    ///
    /// An entry that no record can hold removes the former one: an outdated password or level must not stay in force.
    func updated(with changes: [SubscriberEntry]) -> SubscriberIndex {
        let stage = SubscriberStage()
        for change in changes { stageChange(change, in: stage) }
        // The items point into the stage.
        return withExtendedLifetime(stage) {
            updated(with: Self.latest(stage.items().sorted { ($0.hash, $0.order) < ($1.hash, $1.order) }))
        }
    }

    /// The same for `items`, sorted by hash and no name twice.
    private func updated(with items: [StagedSubscriber]) -> SubscriberIndex {
        var segments = segments
        var start = 0
        while start < items.count {
            let number = Self.segment(of: items[start].hash)
            let end = items[start...].firstIndex { Self.segment(of: $0.hash) != number } ?? items.count
            segments[number] = segments[number].updated(with: items[start..<end], in: memory) { hash(tenant: $0.tenant, $0.name) }
            start = end
        }
        return SubscriberIndex(segments, in: memory, seed: seed)
    }

    private func stageChange(_ change: SubscriberEntry, in stage: SubscriberStage) {
        change.withParts { parts in
            guard (1...253).contains(parts.name.count) else { return }
            let hash = hash(tenant: change.tenant, parts.name)
            if parts.areStorable { return stage.append(PackedSubscriber(change, parts), hash: hash) }
            let removal = SubscriberEntry.removal(of: [], in: change.tenant)
            stage.append(PackedSubscriber(removal, SubscriberParts(name: parts.name)), hash: hash)
        }
    }

    /// Of each name the last one.
    private static func latest(_ sorted: [StagedSubscriber]) -> [StagedSubscriber] {
        sorted.indices.compactMap { place in
            var next = place + 1
            while next < sorted.count, sorted[next].hash == sorted[place].hash {
                let (one, other) = (sorted[place].record, sorted[next].record)
                if one.tenant == other.tenant, SubscriberShard.equal(one.name, other.name) { return nil }
                next += 1
            }
            return sorted[place]
        }
    }

    func hash(tenant: Int64, _ name: UnsafeRawBufferPointer) -> UInt64 { Self.hash(tenant: tenant, name, seed: seed) }

    /// Mixes eight octets at a time.
    static func hash(tenant: Int64, _ name: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
        var state = seed ^ UInt64(bitPattern: tenant) &* 0x9e37_79b9_7f4a_7c15 ^ UInt64(name.count)
        var offset = 0
        while offset + 8 <= name.count {
            state = mix(state ^ name.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        var tail: UInt64 = 0
        if name.count >= 8 {
            // The last eight, some of them for the second time.
            if offset < name.count { tail = name.loadUnaligned(fromByteOffset: name.count - 8, as: UInt64.self) }
        } else {
            while offset < name.count {
                tail = tail << 8 | UInt64(name[offset])
                offset += 1
            }
        }
        return mix(state ^ tail)
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed ^= mixed >> 32
        mixed = mixed &* 0xd6e8_feb8_6659_fd93
        mixed ^= mixed >> 32
        mixed = mixed &* 0xd6e8_feb8_6659_fd93
        return mixed ^ mixed >> 32
    }
}
