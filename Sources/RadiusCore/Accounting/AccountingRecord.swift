/// One Accounting-Request, decoded (RFC 2866, RFC 2869, RFC 3162, RFC 4818, RFC 6911).
///
/// Off the packet path. Values with a length that their type does not allow are left out and counted. Directions are the subscriber's:
/// Acct-Input-Octets is what the NAS received from the port, which is **upload** (RFC 2866 §5.3).
public struct AccountingRecord: Equatable, Sendable {
    /// An octet counter as the NAS sent it: the low 32 bits, and the Gigawords when it sends them (RFC 2869 §5.1).
    public struct Counter: Equatable, Sendable {
        public var low: UInt32
        public var gigawords: UInt32?

        public init(low: UInt32, gigawords: UInt32? = nil) {
            self.low = low
            self.gigawords = gigawords
        }
    }

    public var status: AcctStatus
    /// Acct-Session-Id; empty only for Accounting-On and -Off.
    public var sessionID: [UInt8]
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
    public var sessionSeconds: UInt32?
    public var upload: Counter?
    public var download: Counter?
    public var uploadPackets: UInt32?
    public var downloadPackets: UInt32?
    public var delaySeconds: UInt32 = 0
    public var terminateCause: TerminateCause?
    public var multiSessionID: [UInt8] = []
    /// All Class attributes in the packet's order.
    public var classes: [[UInt8]] = []
    /// When it happened, and how far that may be trusted.
    public var time: EventTime
    /// Attributes that were left out because of their length.
    public var ignoredAttributes = 0

    /// A record made by hand: of a session, without counters.
    public init(status: AcctStatus, sessionID: [UInt8], time: EventTime) {
        self.status = status
        self.sessionID = sessionID
        self.time = time
    }

    /// Decodes `packet`.
    ///
    /// - Parameters:
    ///   - packet: exactly the packet, verified before.
    ///   - index: filled from `packet`.
    ///   - receivedMicroseconds: wall clock at arrival.
    /// - Throws: `.accountingIncomplete` without Acct-Status-Type, or without Acct-Session-Id where the record is about a session.
    public init(packet: Span<UInt8>, index: borrowing AttributeIndex, receivedMicroseconds: Int64) throws(DecodeError) {
        try self.init(progressOf: packet, index: index, receivedMicroseconds: receivedMicroseconds)
        var reader = AccountingReader(packet: packet, ignored: ignoredAttributes)
        sessionID = reader.octets(index.first(AttributeNumber.acctSessionID))
        readIdentity(&reader, index)
        readAddresses(&reader, index)
        var position = index.position(of: AttributeNumber.classAttribute)
        while let found = position {
            classes.append(reader.octets(index[found]))
            position = index.position(of: AttributeNumber.classAttribute, from: found + 1)
        }
        ignoredAttributes = reader.ignored
    }

    /// Decodes what says how a session goes on: status, time, counters, cause. What says whose session it is stays empty.
    ///
    /// Parameters and errors are those of the whole record's initializer; nothing is allocated.
    public init(
        progressOf packet: Span<UInt8>, index: borrowing AttributeIndex, receivedMicroseconds: Int64
    ) throws(DecodeError) {
        var reader = AccountingReader(packet: packet)
        guard let status = reader.integer(index.first(AttributeNumber.acctStatusType)) else { throw .accountingIncomplete }
        self.status = AcctStatus(rawValue: status)
        sessionID = []
        if index.first(AttributeNumber.acctSessionID)?.count ?? 0 == 0, self.status != .accountingOn, self.status != .accountingOff {
            throw .accountingIncomplete
        }
        delaySeconds = reader.integer(index.first(AttributeNumber.acctDelayTime)) ?? 0
        time = EventTime(
            receivedMicroseconds: receivedMicroseconds, delaySeconds: delaySeconds,
            eventTimestamp: reader.integer(index.first(AttributeNumber.eventTimestamp)))
        readCounters(&reader, index)
        terminateCause = reader.integer(index.first(AttributeNumber.acctTerminateCause)).map(TerminateCause.init(rawValue:))
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

    private mutating func readCounters(_ reader: inout AccountingReader, _ index: borrowing AttributeIndex) {
        sessionSeconds = reader.integer(index.first(AttributeNumber.acctSessionTime))
        upload = reader.counter(
            index.first(AttributeNumber.acctInputOctets), index.first(AttributeNumber.acctInputGigawords))
        download = reader.counter(
            index.first(AttributeNumber.acctOutputOctets), index.first(AttributeNumber.acctOutputGigawords))
        uploadPackets = reader.integer(index.first(AttributeNumber.acctInputPackets))
        downloadPackets = reader.integer(index.first(AttributeNumber.acctOutputPackets))
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

/// Reads values out of one packet and counts those whose length is wrong.
private struct AccountingReader: ~Escapable {
    private let packet: Span<UInt8>
    private(set) var ignored = 0

    @_lifetime(copy packet)
    init(packet: Span<UInt8>, ignored: Int = 0) {
        self.packet = packet
        self.ignored = ignored
    }

    @_lifetime(self: copy self)
    mutating func octets(_ location: AttributeLocation?, exactly count: Int? = nil) -> [UInt8] {
        guard let location else { return [] }
        if let count, location.count != count {
            ignored += 1
            return []
        }
        return packet.extracting(location.range).withUnsafeBufferPointer { [UInt8]($0) }
    }

    @_lifetime(self: copy self)
    mutating func integer(_ location: AttributeLocation?) -> UInt32? {
        guard let location else { return nil }
        guard location.count == 4 else {
            ignored += 1
            return nil
        }
        let offset = location.offset
        let high = UInt32(packet[offset]) << 24 | UInt32(packet[offset + 1]) << 16
        return high | UInt32(packet[offset + 2]) << 8 | UInt32(packet[offset + 3])
    }

    @_lifetime(self: copy self)
    mutating func counter(_ low: AttributeLocation?, _ gigawords: AttributeLocation?) -> AccountingRecord.Counter? {
        integer(low).map { AccountingRecord.Counter(low: $0, gigawords: integer(gigawords)) }
    }

    @_lifetime(self: copy self)
    mutating func prefix(_ location: AttributeLocation?) -> IPv6Prefix? {
        guard let location else { return nil }
        let prefix = IPv6Prefix(attribute: packet.extracting(location.range))
        if prefix == nil { ignored += 1 }
        return prefix
    }
}
