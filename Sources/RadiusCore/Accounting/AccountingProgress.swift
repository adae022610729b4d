/// How a session goes on, as one Accounting-Request says it (RFC 2866, RFC 2869): status, time, counters, cause. A plain value.
///
/// Off the packet path. Values with a length that their type does not allow are left out and counted. Directions are the subscriber's:
/// Acct-Input-Octets is what the NAS received from the port, which is **upload** (RFC 2866 §5.3).
public struct AccountingProgress: Equatable, Sendable {
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
    public var sessionSeconds: UInt32?
    public var upload: Counter?
    public var download: Counter?
    public var uploadPackets: UInt32?
    public var downloadPackets: UInt32?
    public var delaySeconds: UInt32 = 0
    public var terminateCause: TerminateCause?
    /// When it happened, and how far that may be trusted.
    public var time: EventTime
    /// Attributes that were left out because of their length.
    public internal(set) var ignoredAttributes = 0
    /// What the packet says of the session's addresses.
    var addresses = SessionAddresses()

    /// Made by hand: without counters.
    public init(status: AcctStatus, time: EventTime) {
        self.status = status
        self.time = time
    }

    /// Decodes `packet`; nothing is allocated.
    ///
    /// - Parameters:
    ///   - packet: exactly the packet, verified before.
    ///   - index: filled from `packet`.
    ///   - receivedMicroseconds: wall clock at arrival.
    /// - Throws: `.accountingIncomplete` without Acct-Status-Type, or without Acct-Session-Id where the record is about a session.
    public init(packet: Span<UInt8>, index: borrowing AttributeIndex, receivedMicroseconds: Int64) throws(DecodeError) {
        var reader = AccountingReader(packet: packet)
        guard let status = reader.integer(index.first(AttributeNumber.acctStatusType)) else { throw .accountingIncomplete }
        self.status = AcctStatus(rawValue: status)
        if index.first(AttributeNumber.acctSessionID)?.count ?? 0 == 0, self.status != .accountingOn, self.status != .accountingOff {
            throw .accountingIncomplete
        }
        delaySeconds = reader.integer(index.first(AttributeNumber.acctDelayTime)) ?? 0
        time = EventTime(
            receivedMicroseconds: receivedMicroseconds, delaySeconds: delaySeconds,
            eventTimestamp: reader.integer(index.first(AttributeNumber.eventTimestamp)))
        sessionSeconds = reader.integer(index.first(AttributeNumber.acctSessionTime))
        upload = reader.counter(index.first(AttributeNumber.acctInputOctets), index.first(AttributeNumber.acctInputGigawords))
        download = reader.counter(index.first(AttributeNumber.acctOutputOctets), index.first(AttributeNumber.acctOutputGigawords))
        uploadPackets = reader.integer(index.first(AttributeNumber.acctInputPackets))
        downloadPackets = reader.integer(index.first(AttributeNumber.acctOutputPackets))
        terminateCause = reader.integer(index.first(AttributeNumber.acctTerminateCause)).map(TerminateCause.init(rawValue:))
        ignoredAttributes = reader.ignored
        addresses = SessionAddresses(packet, index)
    }
}

/// Reads values out of one packet and counts those whose length is wrong.
struct AccountingReader: ~Escapable {
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
    mutating func counter(_ low: AttributeLocation?, _ gigawords: AttributeLocation?) -> AccountingProgress.Counter? {
        integer(low).map { AccountingProgress.Counter(low: $0, gigawords: integer(gigawords)) }
    }

    @_lifetime(self: copy self)
    mutating func prefix(_ location: AttributeLocation?) -> IPv6Prefix? {
        guard let location else { return nil }
        let prefix = IPv6Prefix(attribute: packet.extracting(location.range))
        if prefix == nil { ignored += 1 }
        return prefix
    }
}
