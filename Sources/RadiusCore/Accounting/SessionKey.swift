/// What tells one NAS's sessions apart: NAS, session id, user and port. Unique until the NAS reboots.
public struct SessionKey: Hashable, Sendable, Comparable {
    /// `aaa.nas.id`.
    public let nas: Int64
    /// The identifying attributes, each behind its length.
    public let octets: [UInt8]

    public init(nas: Int64, octets: [UInt8]) {
        self.nas = nas
        self.octets = octets
    }

    /// - Parameters:
    ///   - record: about a session.
    ///   - nas: `aaa.nas.id`.
    ///   - peer: the source address, which stands in where the record names no NAS (several can share one `aaa.nas` row).
    public init(_ record: AccountingRecord, nas: Int64, peer: InlineArray<16, UInt8>) {
        self.nas = nas
        var octets: [UInt8] = []
        func add(_ part: [UInt8]) {
            octets.append(UInt8(truncatingIfNeeded: part.count))
            octets += part
        }
        add(record.nasIdentifier)
        let isNamed = !record.nasIdentifier.isEmpty || !record.nasAddress.isEmpty
        add(isNamed ? record.nasAddress : (0..<16).map { peer[$0] })
        add(record.sessionID)
        add(record.userName)
        add(record.nasPort.map { port in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: port >> $0) } } ?? [])
        if record.nasPort == nil { add(record.nasPortID) }
        self.octets = octets
    }

    public static func < (left: SessionKey, right: SessionKey) -> Bool {
        left.nas != right.nas ? left.nas < right.nas : left.octets.lexicographicallyPrecedes(right.octets)
    }
}
