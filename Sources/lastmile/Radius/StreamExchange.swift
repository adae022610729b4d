import ArgumentParser
import Glibc
import RadiusCore

/// How a test reaches its server besides UDP.
struct TransportOptions: ParsableArguments {
    enum Transport: String, ExpressibleByArgument, CaseIterable {
        case udp, tcp, tls
    }

    @Option(help: "udp, tcp or tls; the port of tls is 2083, and its secret is radsec.") var transport = Transport.udp
    @Option(help: ArgumentHelp("Over TLS: who signs the server's certificate, PEM.", valueName: "file")) var ca: String?
    @Option(help: ArgumentHelp("Over TLS: our certificate, PEM; its key is beside it, with .key at its end.", valueName: "file")) var cert:
        String?
    @Option(help: ArgumentHelp("Over TLS: our key, where it is elsewhere.", valueName: "file")) var key: String?
    @Option(help: ArgumentHelp("Over TLS: the name in the server's certificate, when it is not HOST.", valueName: "name")) var serverName:
        String?

    @Option(help: "Over TLS: the versions of RADIUS that are offered; 1.0, 1.1 or both.") var versions = "1.0,1.1"

    func defaultPort(isAccounting: Bool) -> UInt16 { transport == .tls ? 2083 : isAccounting ? 1813 : 1812 }

    /// What is offered over TLS.
    func negotiation(_ secret: SharedSecret, _ dictionary: RadiusDictionary) throws(CommandFailure) -> RadiusNegotiation {
        guard let offered = RadiusVersions(text: versions) else {
            throw .usage("--versions \(versions)", next: "1.0, 1.1 or 1.0,1.1 is possible.")
        }
        return RadiusNegotiation(offered, secret: secret, dictionary: dictionary)
    }

    /// A client's context; nil over TCP.
    func context() throws(CommandFailure) -> TLSContext? {
        guard transport == .tls else { return nil }
        guard let ca, let cert else {
            throw .usage("--ca and --cert are missing", next: "`lastmile pki issue radsec` makes a certificate; ca.pem is beside it.")
        }
        var settings = TLSSettings(role: .client)
        settings.authorityPath = ca
        settings.certificatePath = cert
        settings.keyPath = key ?? (cert.hasSuffix(".pem") ? cert.dropLast(4) + ".key" : cert + ".key")
        do {
            return try TLSContext(settings)
        } catch {
            throw .usage("\(error)", next: "Give PEM files of one authority.")
        }
    }
}

/// A request and its verified reply over TCP or TLS, where nothing is sent twice.
enum StreamExchange {
    /// - Parameters:
    ///   - packet: the request.
    ///   - peer: the server.
    ///   - context: for TLS.
    ///   - serverName: that the certificate must have.
    ///   - negotiation: the versions that are offered over TLS, and the secret of the connection.
    ///   - timeoutMilliseconds: for connection and reply together.
    /// - Returns: the exchange.
    /// - Throws: why there is no reply that counts.
    static func run(
        _ packet: ClientPacket, to peer: Peer, _ context: TLSContext?, serverName: String?, _ negotiation: RadiusNegotiation,
        timeoutMilliseconds: Int
    ) throws(CommandFailure) -> RadiusExchange {
        let began = Clock.milliseconds()
        var bounds = StreamClient.Bounds()
        bounds.openSeconds = max(1, timeoutMilliseconds / 1000)
        let client = StreamClient(
            to: peer.ip, port: peer.port, context, serverName: serverName, negotiation: negotiation, bounds: bounds, nowSeconds: 0)
        var sentAt: Int?
        while true {
            let now = Clock.milliseconds()
            let left = began + timeoutMilliseconds - now
            if sentAt == nil, client.send(packet.octets) { sentAt = now }
            for octets in client.wait(milliseconds: Int32(clamping: max(0, left)), nowSeconds: UInt32(clamping: (now - began) / 1000)) {
                do {
                    let verdict = try packet.verify(octets.span, secret: negotiation.secret)
                    client.close(nowSeconds: 0)
                    return RadiusExchange(
                        reply: octets, verdict: verdict, milliseconds: Clock.milliseconds() - (sentAt ?? began), sent: 1,
                        version: context == nil ? nil : client.version)
                } catch {
                    throw RadiusExchange.unverified(error, peer)
                }
            }
            if case .ended(let ending) = client.status { throw failure(ending, peer, wasSent: sentAt != nil) }
            guard left > 0 else { throw failure(.timeout, peer, wasSent: sentAt != nil) }
        }
    }

    private static func failure(_ ending: StreamClient.Ending, _ peer: Peer, wasSent: Bool) -> CommandFailure {
        switch ending {
        case .system(ECONNREFUSED):
            CommandFailure(
                .unreachable, "nothing listens at \(peer.text) over TCP",
                next: "RADIUS over TLS needs radsec.certificate, plain TCP radius.tcp: yes; the line `ready` names the ports.")
        case .byPeer, .system:
            CommandFailure(
                .unreachable, "\(peer.text): \(ending)",
                next: "The daemon's log has a line `refused a connection` with the reason: an unknown NAS, a certificate, another secret.")
        case .version, .tls(.alert(120)):
            CommandFailure(
                .unreachable, "\(peer.text): \(ending)",
                next: "Try --versions 1.0; the server's radsec.versions, or what it calls that, says which it allows.")
        case .timeout where wasSent:
            CommandFailure(.unreachable, "no answer from \(peer.text)", next: "The daemon counts what it drops in /metrics.")
        default:
            CommandFailure(.unreachable, "\(peer.text): \(ending)", next: "Compare ca.pem, names and versions of TLS on both sides.")
        }
    }
}
