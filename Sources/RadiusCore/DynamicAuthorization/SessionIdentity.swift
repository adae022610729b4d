/// What is known of one session, by which its NAS can find it again. Values are what the NAS itself sent in accounting.
public struct SessionIdentity: Hashable, Sendable {
    public var userName: String?
    public var acctSessionID: String?
    public var callingStationID: String?
    public var nasPortID: String?
    public var nasIdentifier: String?
    /// The value of NAS-IP-Address or NAS-IPv6-Address, not the source of a packet that an address translator may have changed.
    public var nasAddress: IPAddress?
    /// In host order.
    public var framedIPv4: UInt32?
    /// What a proxy between us and the NAS calls it, Operator-NAS-Identifier (RFC 8559 §3.4): by this the proxy finds the NAS again.
    public var operatorNAS: [UInt8]?
    /// The NAS shares its address with others, so that NAS-Identifier has to say which one is meant.
    public var sharesAddress = false

    public init(
        userName: String? = nil, acctSessionID: String? = nil, callingStationID: String? = nil, nasPortID: String? = nil,
        nasIdentifier: String? = nil, nasAddress: IPAddress? = nil, framedIPv4: UInt32? = nil
    ) {
        self.userName = userName
        self.acctSessionID = acctSessionID
        self.callingStationID = callingStationID
        self.nasPortID = nasPortID
        self.nasIdentifier = nasIdentifier
        self.nasAddress = nasAddress
        self.framedIPv4 = framedIPv4
    }

    /// Number and value of the attribute that says `key`; nil when it is not known.
    public func attribute(_ key: IdentityKey) -> (number: UInt8, value: [UInt8])? {
        switch key {
        case .userName: Self.text(AttributeNumber.userName, userName)
        case .acctSessionID: Self.text(AttributeNumber.acctSessionID, acctSessionID)
        case .callingStationID: Self.text(AttributeNumber.callingStationID, callingStationID)
        case .nasPortID: Self.text(AttributeNumber.nasPortID, nasPortID)
        case .nasIdentifier: Self.text(AttributeNumber.nasIdentifier, nasIdentifier)
        case .nasAddress: nasAddress.map(Self.address)
        case .framedIPAddress: framedIPv4.map { (AttributeNumber.framedIPAddress, Self.octets($0)) }
        }
    }

    private static func text(_ number: UInt8, _ value: String?) -> (number: UInt8, value: [UInt8])? {
        guard let value, !value.isEmpty else { return nil }
        return (number, Array(value.utf8))
    }

    private static func address(_ address: IPAddress) -> (number: UInt8, value: [UInt8]) {
        if let ipv4 = address.ipv4 { return (AttributeNumber.nasIPAddress, octets(ipv4)) }
        return (AttributeNumber.nasIPv6Address, octets(address.high) + octets(address.low))
    }

    private static func octets(_ value: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}

/// One thing that identifies a session or its NAS in a CoA-Request or Disconnect-Request (RFC 5176 §3).
public enum IdentityKey: UInt8, CaseIterable, Hashable, Sendable {
    case userName, nasAddress, framedIPAddress, callingStationID, nasIdentifier, acctSessionID, nasPortID
}
