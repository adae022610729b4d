/// The subscribers of a snapshot.
public struct SubscriberTable: Sendable {
    private let index: SubscriberIndex

    public init(_ index: SubscriberIndex) {
        self.index = index
    }

    /// The subscriber called `name` in `tenant`; names are compared octet by octet.
    public func find(tenant: Int64, name: UnsafeRawBufferPointer) -> SubscriberRecord? { index.find(tenant: tenant, name) }

    /// The hash that the look-ups below take; good for this table only.
    func hash(tenant: Int64, name: UnsafeRawBufferPointer) -> UInt64 { index.hash(tenant: tenant, name) }

    /// Brings nearer what `find` reads first; then `prefetchRecord` what it reads next.
    func prefetchSlot(_ hash: UInt64) { index.prefetchSlot(hash) }

    func prefetchRecord(_ hash: UInt64) { index.prefetchRecord(hash) }

    func find(hash: UInt64, tenant: Int64, name: UnsafeRawBufferPointer) -> SubscriberRecord? {
        index.find(hash: hash, tenant: tenant, name)
    }

    /// Subscribers that a look-up can find.
    public var count: Int { index.count }

    public var memoryOctets: Int { index.memoryOctets }

    /// Subscribers that cannot be found because hundreds of others have names with the same hash; 0 unless somebody means it.
    public var refused: Int { index.refused }

    /// This table with `changes` made; a later change of the same name wins, and an entry that no record can hold removes the former
    /// one. What did not change is shared with this table, so the cost is that of the changes.
    public func updated(with changes: [SubscriberEntry]) -> SubscriberTable {
        changes.isEmpty ? self : SubscriberTable(index.updated(with: changes))
    }
}
