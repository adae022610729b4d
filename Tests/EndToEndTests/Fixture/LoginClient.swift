import Glibc
import RadiusCore
import Support

/// A NAS that asks one login after the other over one socket, and reads the speed out of the answer.
struct LoginClient: Sendable {
    /// A verified reply.
    struct Reply: Equatable, Sendable {
        let isAccepted: Bool
        /// Mikrotik-Rate-Limit.
        let limit: String?
    }

    let port: UInt16
    private static let secret = SharedSecret(Array("testing123".utf8))

    init(_ daemon: DaemonProcess) { port = daemon.authenticationPort }

    /// One login, on a thread of its own; the same packet is sent again each second until a reply verifies.
    ///
    /// - Throws: `ProcessFailure` after ten sendings, or when a reply does not verify.
    func login(_ user: String, _ password: String = TestSubscriber.password) async throws -> Reply {
        let port = port
        return try await onOwnThread { try Self.exchange(try DatagramPeer(port: port), user, password) }
    }

    static func exchange(_ peer: DatagramPeer, _ user: String, _ password: String) throws -> Reply {
        guard let credential = ClientCredential(.pap, password: Array(password.utf8)) else { throw ProcessFailure("password too long") }
        let packet = try ClientPacket.access(
            identifier: .random(in: 0...255), userName: Array(user.utf8), credential: credential, secret: secret)
        for _ in 0..<10 {
            peer.send(packet.octets)
            while let datagram = peer.receive(milliseconds: 1000) {
                // A late copy of the reply before.
                guard datagram.count > 1, datagram[1] == packet.identifier else { continue }
                let verdict = try packet.verify(datagram.span, secret: secret)
                return Reply(isAccepted: verdict.code == .accessAccept, limit: limit(in: datagram))
            }
        }
        throw ProcessFailure("no answer for \(user) after ten sendings")
    }

    /// Vendor 14988, attribute 8 (RFC 2865 §5.26).
    private static func limit(in datagram: [UInt8]) -> String? {
        var offset = 20
        while offset + 2 <= datagram.count {
            let end = offset + max(2, Int(datagram[offset + 1]))
            guard end <= datagram.count else { return nil }
            let value = datagram[offset + 2..<end]
            if datagram[offset] == 26, value.count > 6, value.starts(with: [0, 0, 0x3a, 0x8c, 8]) {
                return String(decoding: value.dropFirst(6), as: UTF8.self)
            }
            offset = end
        }
        return nil
    }
}
