import ArgumentParser
import Glibc
import RadiusCore

/// How a test reaches its server besides UDP.
struct TransportOptions: ParsableArguments {
    enum Transport: String, ExpressibleByArgument, CaseIterable {
        case udp, tcp, tls, dtls

        var isProtected: Bool { self == .tls || self == .dtls }
    }

    @Option(help: "udp, tcp, tls or dtls; the port of tls and dtls is 2083, their secrets are radsec and radius/dtls.") var transport =
        Transport.udp
    @Option(help: ArgumentHelp("Over TLS and DTLS: who signs the server's certificate, PEM.", valueName: "file")) var ca: String?
    @Option(help: ArgumentHelp("Over TLS and DTLS: our certificate, PEM; its key is beside it, with .key at its end.", valueName: "file"))
    var cert: String?
    @Option(help: ArgumentHelp("Over TLS and DTLS: our key, where it is elsewhere.", valueName: "file")) var key: String?
    @Option(help: ArgumentHelp("Over TLS and DTLS: the name in the server's certificate, when it is not HOST.", valueName: "name"))
    var serverName: String?

    @Option(help: "Over TLS: the versions of RADIUS that are offered; 1.0, 1.1 or both.") var versions = "1.0,1.1"

    func defaultPort(isAccounting: Bool) -> UInt16 { transport.isProtected ? 2083 : isAccounting ? 1813 : 1812 }

    /// The secret that all servers have; nil where each has its own.
    var secret: String? {
        switch transport {
        case .udp, .tcp: nil
        case .tls: String(decoding: SharedSecret.ofTLS.bytes, as: UTF8.self)
        case .dtls: String(decoding: SharedSecret.ofDTLS.bytes, as: UTF8.self)
        }
    }

    /// What is offered over TLS and DTLS.
    func negotiation(_ secret: SharedSecret, _ dictionary: RadiusDictionary) throws(CommandFailure) -> RadiusNegotiation {
        guard let offered = RadiusVersions(text: versions) else {
            throw .usage("--versions \(versions)", next: "1.0, 1.1 or 1.0,1.1 is possible.")
        }
        guard transport == .tls || offered.contains(.v10) else {
            throw .usage("--versions \(versions) --transport \(transport.rawValue)", next: "RADIUS/1.1 is spoken over tls only.")
        }
        return RadiusNegotiation(offered, secret: secret, dictionary: dictionary)
    }

    /// A client's context; nil over TCP.
    func context() throws(CommandFailure) -> TLSContext? {
        guard transport.isProtected else { return nil }
        guard let ca, let cert else {
            let missing = [("--ca", self.ca), ("--cert", self.cert)].filter { $0.1 == nil }.map { $0.0 }
            throw .usage(
                missing.joined(separator: " and ") + (missing.count == 1 ? " is missing" : " are missing"),
                next: "`lastmile pki issue radsec` makes a certificate; ca.pem is beside it.")
        }
        var settings = TLSSettings(role: .client)
        settings.isDatagram = transport == .dtls
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

/// A request and its verified reply over TCP or TLS, where nothing is sent twice, or over DTLS, where it is as over UDP.
enum StreamExchange {
    /// - Parameters:
    ///   - packet: the request.
    ///   - peer: the server.
    ///   - context: for TLS or DTLS.
    ///   - serverName: that the certificate must have.
    ///   - negotiation: the versions that are offered over TLS and DTLS, and the secret of the connection.
    ///   - timeoutMilliseconds: for connection and reply together; over DTLS for the reply to each transmission, and for the connection
    ///     as long as for all of them.
    ///   - retries: how often it is sent again over DTLS.
    /// - Returns: the exchange.
    /// - Throws: why there is no reply that counts.
    static func run(
        _ packet: ClientPacket, to peer: Peer, _ context: TLSContext?, serverName: String?, _ negotiation: RadiusNegotiation,
        timeoutMilliseconds: Int, retries: Int
    ) throws(CommandFailure) -> RadiusExchange {
        let isDatagram = context?.settings.isDatagram == true
        let transmissions = isDatagram ? retries + 1 : 1
        let began = Clock.milliseconds()
        var bounds = StreamClient.Bounds()
        bounds.openSeconds = max(1, transmissions * timeoutMilliseconds / 1000)
        let client = StreamClient(
            to: peer.ip, port: peer.port, context, serverName: serverName, negotiation: negotiation, bounds: bounds, nowSeconds: 0)
        var (sent, sentAt, end) = (0, began, began + transmissions * timeoutMilliseconds)
        while true {
            let now = Clock.milliseconds()
            if sent == 0 || now >= end && sent < transmissions, client.send(packet.octets) {
                (sent, sentAt) = (sent + 1, now)
                if isDatagram { end = now + timeoutMilliseconds }
            }
            let left = end - now
            for octets in client.wait(milliseconds: Int32(clamping: max(0, left)), nowSeconds: UInt32(clamping: (now - began) / 1000)) {
                do {
                    let verdict = try packet.verify(octets.span, secret: negotiation.secret)
                    client.close(nowSeconds: 0)
                    return RadiusExchange(
                        reply: octets, verdict: verdict, milliseconds: Clock.milliseconds() - sentAt, sent: sent,
                        version: context == nil ? nil : client.version)
                } catch {
                    throw RadiusExchange.unverified(error, peer)
                }
            }
            if case .ended(let ending) = client.status { throw failure(ending, peer, sent: sent, isDatagram) }
            guard left > 0 else { throw failure(.timeout, peer, sent: sent, isDatagram) }
        }
    }

    private static func failure(_ ending: StreamClient.Ending, _ peer: Peer, sent: Int, _ isDatagram: Bool) -> CommandFailure {
        switch ending {
        case .system(ECONNREFUSED):
            CommandFailure(
                .unreachable, "nothing listens at \(peer.text) over \(isDatagram ? "UDP" : "TCP")",
                next: isDatagram
                    ? "RADIUS over DTLS needs radsec.certificate and radsec.dtls: yes; the line `ready` names the port."
                    : "RADIUS over TLS needs radsec.certificate, plain TCP radius.tcp: yes; the line `ready` names the ports.")
        case .byPeer, .system:
            CommandFailure(
                .unreachable, "\(peer.text): \(ending)",
                next: "The daemon's log has a line `refused a connection` with the reason: an unknown NAS, a certificate, another secret.")
        case .tls(.certificate(.wrongName, depth: _)):
            CommandFailure(
                .unreachable, "\(peer.text): \(ending)",
                next: "Say by --server-name which name its certificate has, where that is not HOST.")
        case .ownCertificate:
            CommandFailure(
                .unreachable, "\(peer.text): \(ending)", next: "Give --cert a certificate of a client: `lastmile pki issue radsec`.")
        case .version, .tls(.alert(120)):
            CommandFailure(
                .unreachable, "\(peer.text): \(ending)",
                next: "Try --versions 1.0; the server's radsec.versions, or what it calls that, says which it allows.")
        case .timeout where sent > 0:
            CommandFailure(
                .unreachable, "no answer from \(peer.text)" + (sent > 1 ? " after \(sent) transmissions" : ""),
                next: "The daemon counts what it drops in /metrics. Or \(RadiusExchange.silentRealm).")
        case .timeout where isDatagram:
            CommandFailure(
                .unreachable, "no DTLS handshake with \(peer.text) in time",
                next: "It answers nobody whose address is not a NAS's (`lastmile nas list`), and nobody without radsec.dtls: yes. "
                    + "What it drops it counts in /metrics, as lastmile_dtls_dropped_total. Or a firewall on the way drops UDP.")
        default:
            CommandFailure(.unreachable, "\(peer.text): \(ending)", next: "Compare ca.pem, names and versions of TLS on both sides.")
        }
    }
}
