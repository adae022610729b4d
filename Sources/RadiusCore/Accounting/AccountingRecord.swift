/// One Accounting-Request, decoded whole (RFC 2866, RFC 2869, RFC 3162, RFC 4818, RFC 6911): how a session goes on, and whose it is.
///
/// Off the packet path. Values with a length that their type does not allow are left out and counted.
public struct AccountingRecord: Equatable, Sendable {
    public var progress: AccountingProgress
    /// Acct-Session-Id; empty only for Accounting-On and -Off.
    public var sessionID: [UInt8] = []
    public var userName: [UInt8] = []
    public var nasIdentifier: [UInt8] = []
    /// NAS-IP-Address, else NAS-IPv6-Address: 4 or 16 octets, or none.
    public var nasAddress: [UInt8] = []
    public var nasPort: UInt32?
    public var nasPortID: [UInt8] = []
    public var nasPortType: UInt32?
    public var callingStationID: [UInt8] = []
    public var calledStationID: [UInt8] = []
    /// 4 octets, or none.
    public var framedIPv4: [UInt8] = []
    /// 16 octets, or none.
    public var framedIPv6: [UInt8] = []
    public var framedIPv6Prefix: IPv6Prefix?
    public var delegatedIPv6Prefix: IPv6Prefix?
    /// 8 octets, or none.
    public var framedInterfaceID: [UInt8] = []
    public var multiSessionID: [UInt8] = []
    /// All Class attributes in the packet's order.
    public var classes: [[UInt8]] = []
    /// What a proxy before us calls the NAS: Operator-NAS-Identifier (RFC 8559 §3.4), at most 252 octets; empty for none.
    public var operatorNAS: [UInt8] = []
    /// Attributes that were left out because of their length.
    public private(set) var ignoredAttributes = 0

    /// Decodes `packet`.
    ///
    /// - Parameters:
    ///   - packet: exactly the packet, verified before.
    ///   - index: filled from `packet`.
    ///   - receivedMicroseconds: wall clock at arrival.
    /// - Throws: `.accountingIncomplete` without Acct-Status-Type, or without Acct-Session-Id where the record is about a session.
    public init(packet: Span<UInt8>, index: borrowing AttributeIndex, receivedMicroseconds: Int64) throws(DecodeError) {
        progress = try AccountingProgress(packet: packet, index: index, receivedMicroseconds: receivedMicroseconds)
        var reader = AccountingReader(packet: packet, ignored: progress.ignoredAttributes)
        sessionID = reader.octets(index.first(AttributeNumber.acctSessionID))
        readIdentity(&reader, index)
        readAddresses(&reader, index)
        var position = index.position(of: AttributeNumber.classAttribute)
        while let found = position {
            classes.append(reader.octets(index[found]))
            position = index.position(of: AttributeNumber.classAttribute, from: found + 1)
        }
        position = index.position(of: AttributeNumber.extendedAttribute1)
        while let found = position, operatorNAS.isEmpty {
            let value = reader.octets(index[found])
            if value.first == OperatorNASIdentifiers.extendedType { operatorNAS = Array(value.dropFirst()) }
            position = index.position(of: AttributeNumber.extendedAttribute1, from: found + 1)
        }
        ignoredAttributes = reader.ignored
    }

    private mutating func readIdentity(_ reader: inout AccountingReader, _ index: borrowing AttributeIndex) {
        userName = reader.octets(index.first(AttributeNumber.userName))
        nasIdentifier = reader.octets(index.first(AttributeNumber.nasIdentifier))
        nasAddress = reader.octets(index.first(AttributeNumber.nasIPAddress), exactly: 4)
        if nasAddress.isEmpty { nasAddress = reader.octets(index.first(AttributeNumber.nasIPv6Address), exactly: 16) }
        nasPort = reader.integer(index.first(AttributeNumber.nasPort))
        nasPortID = reader.octets(index.first(AttributeNumber.nasPortID))
        nasPortType = reader.integer(index.first(AttributeNumber.nasPortType))
        callingStationID = reader.octets(index.first(AttributeNumber.callingStationID))
        calledStationID = reader.octets(index.first(AttributeNumber.calledStationID))
        multiSessionID = reader.octets(index.first(AttributeNumber.acctMultiSessionID))
    }

    private mutating func readAddresses(_ reader: inout AccountingReader, _ index: borrowing AttributeIndex) {
        framedIPv4 = reader.octets(index.first(AttributeNumber.framedIPAddress), exactly: 4)
        framedIPv6 = reader.octets(index.first(AttributeNumber.framedIPv6Address), exactly: 16)
        framedIPv6Prefix = reader.prefix(index.first(AttributeNumber.framedIPv6Prefix))
        delegatedIPv6Prefix = reader.prefix(index.first(AttributeNumber.delegatedIPv6Prefix))
        framedInterfaceID = reader.octets(index.first(AttributeNumber.framedInterfaceID), exactly: 8)
    }
}

/// An IPv6 prefix without host bits (RFC 3162 §2.3).
public struct IPv6Prefix: Equatable, Sendable {
    /// 16 octets; those behind `length` bits are zero.
    public let octets: [UInt8]
    /// 0...128.
    public let length: Int

    /// - Parameter value: an attribute's: reserved, prefix length, then 0...16 octets. Nil when its lengths contradict each other.
    public init?(attribute value: Span<UInt8>) {
        guard (2...18).contains(value.count), value[1] <= 128 else { return nil }
        length = Int(value[1])
        guard value.count - 2 >= (length + 7) / 8 else { return nil }
        var whole = [UInt8](repeating: 0, count: 16)
        for position in 0..<(length + 7) / 8 { whole[position] = value[2 + position] }
        if length % 8 != 0 { whole[length / 8] &= ~(0xff >> UInt8(length % 8)) }
        octets = whole
    }
}
