/// What stands around TLS in packets of TEAP (RFC 9930 §4.1): the version, and TLVs that the first message of either side may carry outside
/// the tunnel. They are in clear; crypto-binding tells later whether somebody changed them.
struct EAPTEAPOuter: Sendable {
    private enum Flag {
        static let length: UInt8 = 0x80
        static let start: UInt8 = 0x20
        static let outer: UInt8 = 0x10
        static let version: UInt8 = 0x07
    }

    static let version: UInt8 = 1
    /// Octets of TLVs that a peer may send outside the tunnel.
    private static let limit = 512
    /// Octets of the server's name: the beginning is one packet, however short these are.
    private static let authorityLimit = 64
    private static let lengthCount = 4

    /// The TLVs of the server, then those of the peer, as they were on the wire.
    private(set) var octets: [UInt8]
    /// The packet that begins the method.
    let start: [UInt8]
    private var hasHeard = false

    /// - Parameter authority: what the server calls itself, by which a peer may choose what to log in with.
    init(authority: [UInt8]) {
        octets = EAPTEAPMessage.tlv(EAPTEAPMessage.Number.authority, Array(authority.prefix(Self.authorityLimit)), isMandatory: false)
        start = [Flag.start | Flag.outer | Self.version, 0, 0, UInt8(octets.count >> 8), UInt8(octets.count & 0xff)] + octets
    }

    /// What a packet has for TLS, as other methods would carry it.
    ///
    /// - Parameter data: what stands behind the type, of any length and content.
    /// - Returns: nil for another version, or lengths that do not add up.
    mutating func strip(_ data: [UInt8]) -> [UInt8]? {
        guard let flags = data.first else { return data }
        let isFirst = !hasHeard
        hasHeard = true
        // Later on some leave it out.
        if isFirst, flags & Flag.version != Self.version { return nil }
        guard flags & Flag.outer != 0 else { return data }
        let head = flags & Flag.length == 0 ? 1 : 1 + Self.lengthCount
        let begin = head + Self.lengthCount
        guard data.count >= begin else { return nil }
        let count = data[head..<begin].reduce(0) { $0 << 8 | Int($1) }
        guard count <= Self.limit, count <= data.count - begin else { return nil }
        // In later messages they mean nothing.
        if isFirst { octets += data.suffix(count) }
        // Whether the message's length counts them too, nobody has written down: the fragments are joined without it.
        return [flags & ~(Flag.outer | Flag.length)] + data[begin..<data.count - count]
    }
}
