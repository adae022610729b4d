internal import CLinux

/// What became of a request.
public enum FlightOutcome: UInt8, BitwiseCopyable, Sendable {
    /// The reply says what.
    case answered
    /// A retransmission, answered with the same octets as before.
    case repeated
    /// Dropped in silence; a `DecodeError` says why.
    case dropped
    /// The journal refused the accounting record, so there was no response.
    case unstored
    /// It waited too long for a slow check or an EAP step; dropped.
    case expired
}

/// What the flight recorder knows of one transaction besides its octets.
public struct FlightHeader: BitwiseCopyable, Sendable {
    /// Position in its ring, from 0; nothing is left out.
    public internal(set) var number: UInt64 = 0
    /// Wall clock at the request's arrival, microseconds since 1970.
    public var atMicroseconds: Int64 = 0
    public var tenant: Int64 = 0
    public var nas: Int64 = 0
    /// 0: not known, or not looked for.
    public var subscriber: Int64 = 0
    /// The sender.
    public var peer = IPAddress(high: 0, low: 0)
    /// From the arrival until the answer was decided; a reject delay and the journal's disk come on top.
    public var durationMicroseconds: UInt32 = 0
    public var peerPort: UInt16 = 0
    /// Of `AccessReason`; `noReason` where nothing was decided.
    public var reason = FlightHeader.noReason
    public internal(set) var requestCount: UInt16 = 0
    public internal(set) var replyCount: UInt16 = 0
    /// Of `AuthenticationMethod`.
    public var method: UInt8 = 0
    public var outcome = FlightOutcome.answered
    /// Of `DecodeError`, with `dropped`.
    public var drop: UInt8 = 0
    /// The request waited for a slow check or an EAP step.
    public var wasParked = false
    /// It came on a TCP or TLS connection.
    public var isStream = false
    /// The reply is held back for the reject delay.
    public var isDelayed = false

    public static let noReason = UInt16.max

    public init() {}
}

/// A transaction as it is read: the header and the octets as they were on the wire.
public struct FlightRecord: Sendable {
    public let header: FlightHeader
    public let request: [UInt8]
    /// Empty without a reply.
    public let reply: [UInt8]

    /// The value of the first attribute with number `type` in the request; nil without one. Lengths are checked: what was dropped
    /// may be anything.
    public func value(_ type: UInt8) -> ArraySlice<UInt8>? { Self.value(type, in: request[...]) }

    static func value(_ type: UInt8, in packet: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var offset = packet.startIndex + PacketHeader.count
        while offset + 2 <= packet.endIndex {
            let length = Int(packet[offset + 1])
            guard length >= 2, offset + length <= packet.endIndex else { return nil }
            if packet[offset] == type { return packet[offset + 2..<offset + length] }
            offset += length
        }
        return nil
    }
}
