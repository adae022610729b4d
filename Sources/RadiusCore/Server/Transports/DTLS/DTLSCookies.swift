import COpenSSL

/// Cookies that prove a peer's address while nothing is kept for it (RFC 6347 §4.2.1): a digest of address, port and the ClientHello's
/// random under a key that only this process knows. Good for one to two minutes.
struct DTLSCookies: Sendable {
    private static let periodSeconds: UInt32 = 60
    private let key = (0..<32).map { _ in UInt8.random(in: 0...255) }

    /// What `peer` must bring back with its ClientHello.
    func cookie(for peer: DTLSPeer, _ hello: DTLSClientHello, nowSeconds: UInt32) -> [UInt8] {
        cookie(peer, hello, period: nowSeconds / Self.periodSeconds)
    }

    /// Whether the ClientHello has the cookie that its sender was given.
    func accepts(_ hello: DTLSClientHello, from peer: DTLSPeer, nowSeconds: UInt32) -> Bool {
        guard !hello.cookie.isEmpty else { return false }
        let period = nowSeconds / Self.periodSeconds
        return [period, period &- 1].contains { equals(hello.cookie, cookie(peer, hello, period: $0)) }
    }

    private func cookie(_ peer: DTLSPeer, _ hello: DTLSClientHello, period: UInt32) -> [UInt8] {
        var message: [UInt8] = []
        message.reserveCapacity(96)
        for word in [peer.address.high, peer.address.low, peer.local.high, peer.local.low] { Self.append(word, to: &message) }
        Self.append(UInt64(peer.port) << 32 | UInt64(peer.scope), to: &message)
        Self.append(UInt64(period), to: &message)
        for position in 0..<32 { message.append(hello.random[position]) }
        return KeyedDigests.hmacSHA256(key, message)
    }

    private static func append(_ word: UInt64, to message: inout [UInt8]) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) { message.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }

    /// In a time that does not tell where they differ.
    private func equals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
    }
}
