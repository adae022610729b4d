/// What of a ClientHello is looked at before anything is kept for its sender (RFC 6347 §4.2.1).
struct DTLSClientHello {
    /// Of its record; that of the HelloVerifyRequest is the same.
    private let sequence: UInt64
    /// Tells one attempt of a peer from its next, and stays the same when the attempt is repeated with a cookie.
    let random: SIMD32<UInt8>
    /// Empty in the first one.
    let cookie: [UInt8]

    private static let recordHeader = 13
    private static let messageHeader = 12
    private static let handshakeType: UInt8 = 22
    private static let clientHelloType: UInt8 = 1
    private static let helloVerifyRequestType: UInt8 = 3
    /// DTLS 1.0: the HelloVerifyRequest names it whatever version comes of it.
    private static let version: [UInt8] = [0xfe, 0xff]

    /// Whether a datagram begins with a ClientHello in clear, good or not.
    static func begins(_ datagram: Span<UInt8>) -> Bool {
        datagram.count > recordHeader && datagram[0] == handshakeType && !isProtected(datagram) && datagram[recordHeader] == clientHelloType
    }

    /// Whether a datagram's first record is under keys: of an epoch above 0.
    static func isProtected(_ datagram: Span<UInt8>) -> Bool {
        datagram.count >= recordHeader && (datagram[3] != 0 || datagram[4] != 0)
    }

    /// Reads a datagram that `begins` with one; nil when it is malformed, or divided before the end of the cookie.
    init?(_ datagram: Span<UInt8>) {
        let body = Self.recordHeader + Self.messageHeader
        guard datagram.count >= body, datagram[1] == Self.version[0] else { return nil }
        let record = Self.recordHeader + (Int(datagram[11]) << 8 | Int(datagram[12]))
        let fragmentStart = datagram[19] | datagram[20] | datagram[21]
        let end = body + (Int(datagram[22]) << 16 | Int(datagram[23]) << 8 | Int(datagram[24]))
        guard record <= datagram.count, end <= record, fragmentStart == 0 else { return nil }
        // Version, random, session identifier and cookie, the latter two behind their lengths.
        let randomStart = body + 2
        let sessionStart = randomStart + 32
        guard sessionStart < end else { return nil }
        let cookieStart = sessionStart + 1 + Int(datagram[sessionStart])
        guard cookieStart < end, cookieStart + 1 + Int(datagram[cookieStart]) <= end else { return nil }
        var sequence: UInt64 = 0
        for position in 5..<11 { sequence = sequence << 8 | UInt64(datagram[position]) }
        self.sequence = sequence
        var random = SIMD32<UInt8>()
        for position in 0..<32 { random[position] = datagram[randomStart + position] }
        self.random = random
        var cookie: [UInt8] = []
        for position in 0..<Int(datagram[cookieStart]) { cookie.append(datagram[cookieStart + 1 + position]) }
        self.cookie = cookie
    }

    /// The HelloVerifyRequest that asks for `cookie`, shorter than any ClientHello: as an answer to somebody else's address it does little.
    func verifyRequest(cookie: [UInt8]) -> [UInt8] {
        let body = Self.version + [UInt8(cookie.count)] + cookie
        let length: [UInt8] = [0, 0, UInt8(body.count)]
        // Message 0, its only fragment.
        let message = [Self.helloVerifyRequestType] + length + [0, 0, 0, 0, 0] + length + body
        let sequence = (0..<6).map { UInt8(truncatingIfNeeded: self.sequence >> UInt64(40 - 8 * $0)) }
        return [Self.handshakeType] + Self.version + [0, 0] + sequence + [0, UInt8(message.count)] + message
    }
}
