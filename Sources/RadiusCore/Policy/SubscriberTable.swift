/// Subscribers of a snapshot: one large index, and a small one in front of it with what changed since the large one was built.
public struct SubscriberTable: Sendable {
    private let base: SubscriberIndex
    private let recent: SubscriberIndex

    /// Changes that may gather in front before `updated` folds them into a new large index.
    public static let recentLimit = 4096

    public init(_ base: SubscriberIndex) {
        self.base = base
        recent = SubscriberIndexBuilder().build()
    }

    private init(base: SubscriberIndex, recent: SubscriberIndex) {
        self.base = base
        self.recent = recent
    }

    /// The subscriber called `name` in `tenant`; names are compared octet by octet.
    public func find(tenant: Int64, name: UnsafeRawBufferPointer) -> SubscriberRecord? {
        if recent.count > 0, let record = recent.find(tenant: tenant, name) { return record.isRemoved ? nil : record }
        return base.find(tenant: tenant, name)
    }

    /// What `prefetchSlot`, `prefetchRecord` and `find` take, for a look-up in steps over a whole batch.
    func hash(tenant: Int64, name: UnsafeRawBufferPointer) -> UInt64 { SubscriberIndex.hash(tenant: tenant, name) }

    /// Has the place in the table brought nearer.
    func prefetchSlot(_ hash: UInt64) { base.prefetchSlot(hash) }

    /// Has the record brought nearer that most likely is the one.
    func prefetchRecord(_ hash: UInt64) { base.prefetchRecord(hash) }

    func find(hash: UInt64, tenant: Int64, name: UnsafeRawBufferPointer) -> SubscriberRecord? {
        if recent.count > 0, let record = recent.find(hash: hash, tenant: tenant, name) { return record.isRemoved ? nil : record }
        return base.find(hash: hash, tenant: tenant, name)
    }

    /// Subscribers that a look-up can find, at most.
    public var count: Int { base.count + recent.count }

    public var memoryOctets: Int { base.memoryOctets + recent.memoryOctets }

    /// This table with `changes` laid over it; a later change of the same name wins. An entry that no record can hold hides the
    /// former one: an outdated password or level must not stay in force.
    public func updated(with changes: [SubscriberEntry]) -> SubscriberTable {
        var latest: [Key: Int] = [:]
        for (position, change) in changes.enumerated() { latest[Key(change.tenant, change.name)] = position }
        var builder = SubscriberIndexBuilder(expecting: recent.count + changes.count)
        for position in latest.values.sorted() {
            let change = changes[position]
            if !builder.add(change) { builder.add(.removal(of: change.name, in: change.tenant)) }
        }
        recent.forEach { record in
            if latest[Key(record.tenant, Array(record.name))] == nil { builder.add(record) }
        }
        let front = builder.build()
        guard front.count > Self.recentLimit else { return SubscriberTable(base: base, recent: front) }
        return SubscriberTable(merging: front, into: base)
    }

    private init(merging front: SubscriberIndex, into base: SubscriberIndex) {
        var builder = SubscriberIndexBuilder(expecting: base.count + front.count)
        base.forEach { record in
            if front.find(tenant: record.tenant, record.name) == nil { builder.add(record) }
        }
        front.forEach { record in
            if !record.isRemoved { builder.add(record) }
        }
        self.init(builder.build())
    }

    private struct Key: Hashable {
        let tenant: Int64
        let name: [UInt8]

        init(_ tenant: Int64, _ name: [UInt8]) {
            self.tenant = tenant
            self.name = name
        }
    }
}
