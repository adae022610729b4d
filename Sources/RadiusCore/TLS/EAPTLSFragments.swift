/// Why a packet of an EAP method over TLS cannot be read (RFC 5216 §3.1).
public enum EAPTLSFragmentError: Error, Equatable, Sendable {
    /// It ends within its own TLS Message Length.
    case truncated
    /// Message, or announced length, beyond the limit.
    case tooLong
    /// Fragments do not add up to the announced length, or announce different ones.
    case lengthMismatch
    /// Data, while our own fragments wait for their acknowledgement.
    case unexpectedData
    /// A fragment that says more follows and holds nothing.
    case emptyFragment
    /// A start with data, or in the middle of a message.
    case unexpectedStart
}

/// Messages of TLS in packets of EAP: fragments of both directions, one at a time (RFC 5216 §2.1.5, §3.1; RFC 5281 §9.1; PEAP).
///
/// What goes in and comes out is what stands behind the type of an EAP packet: flags, perhaps a length, octets of TLS.
/// No length that a peer announces makes room for anything; room grows with what has come.
public struct EAPTLSFragments: Sendable {
    /// What a packet of the peer means.
    public enum Incoming: Equatable, Sendable {
        /// A whole message, its fragments joined; never empty.
        case message([UInt8])
        /// A fragment with more behind it: answer with `acknowledgement`.
        case fragment
        /// An empty packet: the peer wants our next fragment, or has nothing to say.
        case acknowledgement
        /// The server begins; peers never send this.
        case start
    }

    private enum Flag {
        static let length: UInt8 = 0x80
        static let more: UInt8 = 0x40
        static let start: UInt8 = 0x20
        static let version: UInt8 = 0x07
    }

    /// The length field.
    private static let lengthCount = 4

    /// Octets of a packet behind its type, flags included, that we send at most.
    public let fragmentLimit: Int
    /// Octets of a message that the peer may send.
    public let messageLimit: Int
    /// In the lowest bits of our flags: 0 for EAP-TLS, the version of TTLS, PEAP and TEAP. Change it once it is agreed on.
    public var version: UInt8
    /// The version in the last packet of the peer; without a meaning for EAP-TLS.
    public private(set) var peerVersion: UInt8 = 0

    private var incoming: [UInt8] = []
    private var announced: Int?
    private var isReceiving = false
    private var outgoing: [UInt8] = []
    private var sentCount = 0

    /// - Parameters:
    ///   - fragmentLimit: what the path takes; brought within 64...65000.
    ///   - messageLimit: octets; a chain of certificates in small fragments still fits 64 KB.
    ///   - version: 0...7.
    public init(fragmentLimit: Int = 1024, messageLimit: Int = 65_536, version: UInt8 = 0) {
        self.fragmentLimit = min(max(fragmentLimit, 64), 65_000)
        self.messageLimit = messageLimit
        self.version = version & Flag.version
    }

    /// Octets of either side's message that are held.
    var heldOctets: Int { incoming.count + outgoing.count }

    // MARK: Sending

    /// The packet that begins a conversation.
    public var start: [UInt8] { [Flag.start | version] }

    /// An empty packet: go on.
    public var acknowledgement: [UInt8] { [version] }

    /// Whether fragments of our message wait for an acknowledgement.
    public var isSending: Bool { sentCount < outgoing.count }

    /// Begins a message, and gives its first packet; the only one unless `isSending` then.
    ///
    /// `message` is what TLS wants to send now. An empty one makes an empty packet.
    public mutating func send(_ message: [UInt8]) -> [UInt8] {
        outgoing = message
        sentCount = 0
        return nextFragment() ?? acknowledgement
    }

    /// The next packet of our message, after an acknowledgement; nil when all are sent.
    public mutating func nextFragment() -> [UInt8]? {
        guard isSending else { return nil }
        let left = outgoing.count - sentCount
        let isFirst = sentCount == 0
        let isWhole = isFirst && left < fragmentLimit
        // The length stands in the first fragment, if there are several.
        let header = isFirst && !isWhole ? 1 + Self.lengthCount : 1
        let count = min(left, fragmentLimit - header)
        var flags = version
        if header > 1 { flags |= Flag.length }
        if count < left { flags |= Flag.more }
        var packet = [flags]
        packet.reserveCapacity(header + count)
        if header > 1 { packet += (0..<Self.lengthCount).map { UInt8(truncatingIfNeeded: outgoing.count >> (24 - 8 * $0)) } }
        packet += outgoing[sentCount..<sentCount + count]
        sentCount += count
        if !isSending {
            outgoing = []
            sentCount = 0
        }
        return packet
    }

    // MARK: Receiving

    /// Takes what stands behind the type of the peer's packet.
    ///
    /// - Returns: what it means.
    /// - Throws: `EAPTLSFragmentError`; the conversation cannot go on then.
    public mutating func receive(_ packet: Span<UInt8>) throws(EAPTLSFragmentError) -> Incoming {
        // Some peers leave the flags out of an acknowledgement.
        let flags = packet.isEmpty ? 0 : packet[0]
        peerVersion = flags & Flag.version
        let range = try dataRange(of: packet, flags: flags)
        if flags & Flag.start != 0 {
            guard range.isEmpty, !isReceiving, !isSending else { throw .unexpectedStart }
            return .start
        }
        if range.isEmpty { return try receiveEmpty(flags) }
        guard !isSending else { throw .unexpectedData }
        return try append(packet.extracting(range), hasMore: flags & Flag.more != 0)
    }

    /// Where the octets of TLS are; takes note of the announced length.
    private mutating func dataRange(of packet: Span<UInt8>, flags: UInt8) throws(EAPTLSFragmentError) -> Range<Int> {
        guard flags & Flag.length != 0 else { return min(1, packet.count)..<packet.count }
        guard packet.count >= 1 + Self.lengthCount else { throw .truncated }
        var length = 0
        for position in 1...Self.lengthCount { length = length << 8 | Int(packet[position]) }
        guard length <= messageLimit else { throw .tooLong }
        let range = 1 + Self.lengthCount..<packet.count
        // An acknowledgement may carry a length that means nothing.
        guard !range.isEmpty else { return range }
        if isReceiving {
            guard announced == nil || announced == length else { throw .lengthMismatch }
        }
        announced = length
        return range
    }

    private func receiveEmpty(_ flags: UInt8) throws(EAPTLSFragmentError) -> Incoming {
        guard flags & Flag.more == 0 else { throw .emptyFragment }
        // In the middle of the peer's own message it acknowledges nothing.
        guard !isReceiving else { throw .lengthMismatch }
        return .acknowledgement
    }

    private mutating func append(_ data: Span<UInt8>, hasMore: Bool) throws(EAPTLSFragmentError) -> Incoming {
        guard incoming.count + data.count <= messageLimit else { throw .tooLong }
        data.withUnsafeBufferPointer { incoming.append(contentsOf: $0) }
        if let announced, incoming.count > announced { throw .lengthMismatch }
        isReceiving = hasMore
        if hasMore { return .fragment }
        if let announced, incoming.count != announced { throw .lengthMismatch }
        defer {
            incoming = []
            announced = nil
        }
        return .message(incoming)
    }
}
