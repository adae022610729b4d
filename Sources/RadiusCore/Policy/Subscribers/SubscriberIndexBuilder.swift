/// Packs subscribers into an index. One thread.
///
/// What is added is staged by segment; building goes segment by segment and gives the staged octets of each back, so that a load never
/// holds everything twice.
public struct SubscriberIndexBuilder: ~Copyable {
    private let stages: [SubscriberStage]
    private let seed: UInt64

    public init() {
        stages = (0..<SubscriberIndex.segmentCount).map { _ in SubscriberStage() }
        seed = UInt64.random(in: .min ... .max)
    }

    /// Adds one subscriber; the same (tenant, name) must not be added twice.
    ///
    /// - Returns: false when the name or a part has a length that no record can hold.
    @discardableResult
    public mutating func add(_ entry: SubscriberEntry) -> Bool {
        entry.withParts { add(entry, $0) }
    }

    /// Adds one subscriber whose parts lie elsewhere; those in `entry` are not looked at.
    @discardableResult
    public mutating func add(_ entry: SubscriberEntry, _ parts: SubscriberParts) -> Bool {
        guard parts.areStorable else { return false }
        let hash = SubscriberIndex.hash(tenant: entry.tenant, parts.name, seed: seed)
        stages[SubscriberIndex.segment(of: hash)].append(PackedSubscriber(entry, parts), hash: hash)
        return true
    }

    public consuming func build() -> SubscriberIndex {
        let memory = ShardMemory()
        let segments = stages.map { stage in
            guard stage.count > 0 else { return SubscriberSegment.empty }
            var items = stage.items()
            let segment = SubscriberSegment(&items, in: memory)
            stage.removeAll()
            return segment
        }
        return SubscriberIndex(segments, in: memory, seed: seed)
    }
}
