/// What tells one NAS's sessions apart: NAS, session id, user and port. Unique until the NAS reboots.
public struct SessionKey: Hashable, Sendable, Comparable {
    /// `aaa.nas.id`.
    public let nas: Int64
    /// The identifying attributes, each behind its length.
    public let octets: [UInt8]
    /// Of both, worked out once: a key is looked up several times.
    private let hash: Int

    public init(nas: Int64, octets: [UInt8]) {
        self.nas = nas
        self.octets = octets
        var hasher = Hasher()
        hasher.combine(nas)
        octets.withUnsafeBytes { hasher.combine(bytes: $0) }
        hash = hasher.finalize()
    }

    /// - Parameters:
    ///   - packet: exactly the packet of a record that is about a session.
    ///   - index: filled from `packet`.
    ///   - nas: `aaa.nas.id`.
    ///   - peer: the source address, which stands in where the record names no NAS (several can share one `aaa.nas` row).
    public init(packet: Span<UInt8>, index: borrowing AttributeIndex, nas: Int64, peer: InlineArray<16, UInt8>) {
        let identifier = index.first(AttributeNumber.nasIdentifier)
        var address = index.first(AttributeNumber.nasIPAddress).flatMap { $0.count == 4 ? $0 : nil }
        address = address ?? index.first(AttributeNumber.nasIPv6Address).flatMap { $0.count == 16 ? $0 : nil }
        let port = index.first(AttributeNumber.nasPort).flatMap { $0.count == 4 ? $0 : nil }
        let isNamed = (identifier?.count ?? 0) > 0 || address != nil
        let session = index.first(AttributeNumber.acctSessionID)
        let user = index.first(AttributeNumber.userName)
        let portName = port == nil ? index.first(AttributeNumber.nasPortID) : nil
        var octets: [UInt8] = []
        // Six lengths, and what stands behind them.
        let named = (identifier?.count ?? 0) + (isNamed ? address?.count ?? 0 : 16) + (session?.count ?? 0) + (user?.count ?? 0)
        octets.reserveCapacity(6 + named + (port?.count ?? 0) + (portName?.count ?? 0))
        Self.add(identifier, of: packet, to: &octets)
        if isNamed { Self.add(address, of: packet, to: &octets) } else { Self.add(peer, to: &octets) }
        Self.add(session, of: packet, to: &octets)
        Self.add(user, of: packet, to: &octets)
        Self.add(port, of: packet, to: &octets)
        if port == nil { Self.add(portName, of: packet, to: &octets) }
        self.init(nas: nas, octets: octets)
    }

    private static func add(_ part: AttributeLocation?, of packet: Span<UInt8>, to octets: inout [UInt8]) {
        octets.append(UInt8(truncatingIfNeeded: part?.count ?? 0))
        guard let part else { return }
        packet.extracting(part.range).withUnsafeBufferPointer { octets.append(contentsOf: $0) }
    }

    private static func add(_ peer: InlineArray<16, UInt8>, to octets: inout [UInt8]) {
        octets.append(16)
        for position in 0..<16 { octets.append(peer[position]) }
    }

    public static func == (left: SessionKey, right: SessionKey) -> Bool {
        left.hash == right.hash && left.nas == right.nas && left.octets == right.octets
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(hash)
    }

    public static func < (left: SessionKey, right: SessionKey) -> Bool {
        left.nas != right.nas ? left.nas < right.nas : left.octets.lexicographicallyPrecedes(right.octets)
    }
}
