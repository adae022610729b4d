/// RADIUS over TCP, TLS and DTLS, as the daemon was told.
public struct TransportSettings: Sendable {
    /// Plain RADIUS over TCP is answered.
    public let hasTCP: Bool
    /// 0: any free port.
    public let radSecPort: UInt16
    /// RADIUS over DTLS is answered, on the UDP port of the same number.
    public let hasDTLS: Bool
    /// Absolute; nil: no RadSec.
    public let certificatePath: String?
    /// Absolute; nil without a certificate.
    public let keyPath: String?
    /// Absolute.
    public let authorityPath: String
    /// Absolute; nil: revocation is not looked at.
    public let revocationListPath: String?
    /// Absolute; nil: every peer needs a certificate.
    public let presharedKeyPath: String?
    public let demandsTLS13: Bool
    /// Versions of RADIUS over TLS: `1.0`, `1.1` or both.
    public let versions: [String]
    /// 0: half of the cores.
    public let threads: Int
    public let connections: Int
    public let connectionsPerClient: Int
    public let handshakes: Int
    public let handshakeSeconds: Int
    public let packetSeconds: Int
    public let idleSeconds: Int
    public let stallSeconds: Int

    init(_ values: SettingValues) {
        hasTCP = values.text("radius.tcp") == "yes"
        radSecPort = values.port("radsec.port")
        hasDTLS = values.text("radsec.dtls") == "yes"
        let path = { (name: String) in values.text(name).isEmpty ? nil : values.absolutePath(name) }
        certificatePath = path("radsec.certificate")
        keyPath = path("radsec.key") ?? certificatePath.map { Self.key(beside: $0) }
        authorityPath = path("radsec.authority") ?? values.absolutePath("state.dir") + "/pki/ca.pem"
        revocationListPath = path("radsec.revocation_list")
        presharedKeyPath = path("radsec.preshared_keys")
        demandsTLS13 = values.text("radsec.minimum_version") == "1.3"
        versions = values.list("radsec.versions")
        threads = values.number("radsec.threads")
        connections = values.number("radsec.connections")
        connectionsPerClient = values.number("radsec.connections_per_client")
        handshakes = values.number("radsec.handshakes")
        handshakeSeconds = values.number("radsec.handshake_seconds")
        packetSeconds = values.number("radsec.packet_seconds")
        idleSeconds = values.number("radsec.idle_seconds")
        stallSeconds = values.number("radsec.stall_seconds")
    }

    /// As `lastmile pki` names them: `NAME.pem` and `NAME.key`.
    static func key(beside certificate: String) -> String {
        let parts = certificate.split(separator: "/", omittingEmptySubsequences: false)
        guard let name = parts.last, let dot = name.lastIndex(of: "."), dot > name.startIndex else { return certificate + ".key" }
        return certificate.dropLast(name[dot...].count) + ".key"
    }
}
