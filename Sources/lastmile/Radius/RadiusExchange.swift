import Glibc
import RadiusCore

/// A request and its verified reply.
struct RadiusExchange {
    let reply: [UInt8]
    let verdict: ReplyVerdict
    /// From the last transmission to the reply.
    let milliseconds: Int
    /// Transmissions.
    let sent: Int
    /// Of RADIUS over TLS and DTLS; nil elsewhere.
    var version: RadiusVersions?

    /// Sends `packet` until a reply verifies; the same octets each time, so that the server sees a repetition (RFC 5080 §2.2.1).
    ///
    /// - Throws: why there is no reply that counts.
    static func run(
        _ packet: ClientPacket, to peer: Peer, secret: SharedSecret, timeoutMilliseconds: Int, retries: Int
    ) throws(CommandFailure) -> RadiusExchange {
        var bad: ReplyFault?
        do {
            let socket = try DatagramSocket(to: peer)
            for attempt in 0...retries {
                try socket.send(packet.octets)
                let sentAt = Clock.milliseconds()
                while true {
                    let left = sentAt + timeoutMilliseconds - Clock.milliseconds()
                    guard left > 0, DatagramSocket.wait(for: [socket.fd], milliseconds: left) else { break }
                    guard let (octets, _) = try socket.receive() else { continue }
                    do {
                        let verdict = try packet.verify(octets.span, secret: secret)
                        return RadiusExchange(
                            reply: octets, verdict: verdict, milliseconds: Clock.milliseconds() - sentAt, sent: attempt + 1)
                    } catch {
                        bad = error
                    }
                }
            }
        } catch {
            throw refused(error, peer, packet)
        }
        if let bad { throw unverified(bad, peer) }
        throw silence(peer, packet, retries)
    }

    private static func refused(_ failure: DatagramSocket.Failure, _ peer: Peer, _ packet: ClientPacket) -> CommandFailure {
        guard failure.errno == ECONNREFUSED else {
            return CommandFailure(.unreachable, "cannot send to \(peer.text): \(failure.text)", next: "Is there a route to it?")
        }
        return CommandFailure(
            .unreachable, "nothing listens at \(peer.text)",
            next: "Is lastmiled running there? Its line `ready` names its ports; accounting has its own, 1813 unless configured.")
    }

    /// What came was no reply that counts.
    static func unverified(_ fault: ReplyFault, _ peer: Peer) -> CommandFailure {
        switch fault {
        case .packet(.responseAuthenticatorInvalid), .packet(.messageAuthenticatorInvalid):
            CommandFailure(
                .failed, "\(peer.text) answers, but its reply does not verify",
                next: "The shared secret differs from the server's, letter by letter; or somebody on the way alters packets.")
        case .packet(let error):
            CommandFailure(
                .failed, "\(peer.text) answers, but \(error.explanation)", next: "That server, or something on the way, is broken.")
        case .otherIdentifier, .unexpectedCode:
            CommandFailure(
                .failed, "\(peer.text) answers something else than asked", next: "Is it the right port: 1812 logins, 1813 accounting?")
        case .serverProofInvalid, .serverProofMissing:
            CommandFailure(
                .failed, "the server accepts, but does not prove that it knows the password (RFC 2759 §8.7)",
                next: "Do not trust it: it may accept any password.")
        }
    }

    /// Why a server that does know this machine may be silent.
    static let silentRealm =
        "the user belongs to a realm whose home servers do not answer (`lastmile realm match NAME`, `lastmile home-server status`)"

    static func silence(_ peer: Peer, _ packet: ClientPacket, _ retries: Int) -> CommandFailure {
        var causes = [
            "the server does not know this machine as a NAS: unknown clients are dropped silently (`lastmile nas list`; the address must match)",
            "the shared secret differs: a request whose Message-Authenticator does not verify is dropped silently",
            "a firewall on the way drops UDP to port \(peer.port), or its replies",
            "the server is not running, or listens on another address",
        ]
        if packet.code == .accessRequest { causes.append(silentRealm) }
        if packet.code == .statusServer { causes.insert("the server does not know Status-Server (RFC 5997)", at: 2) }
        return CommandFailure(
            .unreachable, "no answer from \(peer.text) after \((retries + 1).counted("transmission")); the likely causes, in order:",
            details: causes.enumerated().map { "\($0 + 1). \($1)" },
            next: "The daemon counts each of the first two: look for dropped requests in /metrics.")
    }
}
