extension SettingTable {
    static let transports: [SettingKey] = [
        SettingKey("radius.tcp", .choice(["no", "yes"]), "no", "answer plain RADIUS over TCP, too, on the ports of UDP"),
        SettingKey("radsec.port", .port, "2083", "TCP port for RADIUS over TLS; 0 takes any free one"),
        SettingKey("radsec.dtls", .choice(["no", "yes"]), "no", "answer RADIUS over DTLS, too, on the UDP port of that number"),
        SettingKey("radsec.certificate", .optionalPath, "", "the server's certificate and those above it, PEM; empty: no RadSec"),
        SettingKey("radsec.key", .optionalPath, "", "its key; empty: the certificate's path with .key at its end"),
        SettingKey("radsec.authority", .optionalPath, "", "who signs the clients' certificates, PEM; empty: pki/ca.pem in state.dir"),
        SettingKey("radsec.revocation_list", .optionalPath, "", "whose certificates are revoked, PEM; empty: none is looked at"),
        SettingKey("radsec.preshared_keys", .optionalPath, "", "keys of peers without a certificate, name:hexadecimal; empty: none"),
        SettingKey("radsec.minimum_version", .choice(["1.2", "1.3"]), "1.2", "the oldest version of TLS that is taken"),
        SettingKey(
            "radsec.versions", .choices(["1.0", "1.1"]), "1.0, 1.1",
            "the versions of RADIUS that may be spoken over TLS; 1.1 is without MD5 (RFC 9765)"),
        SettingKey("radsec.threads", .integer(0...64), "0", "threads that serve connections of TCP, TLS and DTLS; 0: half of the cores"),
        SettingKey("radsec.connections", .integer(1...262_144), "4096", "connections of TCP, TLS and DTLS at one moment"),
        SettingKey("radsec.connections_per_client", .integer(1...262_144), "256", "of them, one NAS's"),
        SettingKey(
            "radsec.handshakes", .integer(4...65_536), "512",
            "TLS handshakes at one moment, a quarter of them one NAS's; beyond it the oldest gives way"),
        SettingKey("radsec.handshake_seconds", .integer(1...300), "10", "how long a TLS handshake may take"),
        SettingKey("radsec.packet_seconds", .integer(1...300), "10", "how long a packet may take from its first octet to its last"),
        SettingKey("radsec.idle_seconds", .integer(10...86_400), "600", "a connection that brings no packet for so long is closed"),
        SettingKey("radsec.stall_seconds", .integer(1...600), "30", "how long a peer may take none of its replies"),
    ]
}
