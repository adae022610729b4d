/// What request and response authenticators share: MD5(code, identifier, length, an authenticator, attributes, secret).
enum PacketDigest {
    static func compute(_ packet: Span<UInt8>, authenticator: Digest16, secret: SharedSecret) -> Digest16 {
        var digest = MD5()
        digest.update(packet.extracting(0..<4))
        digest.update(authenticator.span)
        digest.update(packet.extracting(20..<packet.count))
        digest.update(secret)
        return digest.finish()
    }

    static func write(_ digest: Digest16, into packet: inout MutableSpan<UInt8>, at offset: Int) {
        for i in 0..<16 { packet[offset &+ i] = digest[i] }
    }
}
