import DaemonSettings
import Glibc
import Logging
import RadiusCore

/// RADIUS over TCP, TLS and DTLS.
extension Parts {
    /// - Returns: nil where neither is set.
    /// - Throws: `ServerError` for a port that cannot be had; `StartFailure` for a version of RADIUS that is not known.
    static func streams(_ settings: Settings, beside server: RadiusServer, cores: Int) throws -> StreamServer? {
        let transports = settings.transports
        var ports: [StreamServer.Port] = []
        if transports.hasTCP {
            ports.append(.tcp(settings.radiusAuthPort, isAccounting: false, key: "radius.auth.port"))
            ports.append(.tcp(settings.radiusAcctPort, isAccounting: true, key: "radius.acct.port"))
        }
        let certificates = try certificates(transports)
        if certificates != nil { ports.append(.tls(transports.radSecPort, key: "radsec.port")) }
        if transports.hasDTLS { ports.append(.dtls(transports.radSecPort, key: "radsec.port")) }
        guard !ports.isEmpty, let address = IPAddress(text: settings.radiusAddress) else { return nil }
        return try StreamServer(
            ports, address: listening(address), certificates: certificates, settings: bounds(transports, cores: cores),
            environment: server.environment)
    }

    private static func certificates(_ transports: TransportSettings) throws(StartFailure) -> RadSecCertificates? {
        guard let certificate = transports.certificatePath else { return nil }
        var tls = TLSSettings(role: .server)
        tls.certificatePath = certificate
        tls.keyPath = transports.keyPath
        tls.authorityPath = transports.authorityPath
        tls.revocationListPath = transports.revocationListPath
        tls.presharedKeyPath = transports.presharedKeyPath
        guard let versions = RadiusVersions(text: transports.versions.joined(separator: ",")) else {
            throw StartFailure(
                "radsec.versions: \(transports.versions.joined(separator: ", ")) are no versions of RADIUS that are known here")
        }
        // RADIUS/1.1 needs it (RFC 9765 §3.4).
        tls.minimumVersion = transports.demandsTLS13 || versions == .v11 ? .tls13 : .tls12
        tls.applicationProtocols = versions.applicationProtocols
        return RadSecCertificates(tls, hasDatagrams: transports.hasDTLS)
    }

    /// One line for `lastmiled check`.
    ///
    /// - Throws: `StartFailure` when the files that settings name cannot be used.
    static func radSecDescription(_ transports: TransportSettings) throws -> String {
        guard let certificates = try certificates(transports) else { return "no radsec.certificate, so that TLS is not offered" }
        if case .failed(let failure, _) = certificates.refresh() { throw StartFailure("the files of radsec cannot be used: \(failure)") }
        guard let own = certificates.current?.certificates.first else { return "no certificate" }
        return "certificate \(own.subject), \((own.notAfter - Int64(time(nil))) / 86_400) days left"
    }

    /// What is wrong with files that can be used all the same; nil for nothing.
    static func radSecWarning(_ transports: TransportSettings) -> String? {
        var found = stat()
        // The daemon may have the file by its group.
        guard transports.certificatePath != nil, let path = transports.presharedKeyPath, stat(path, &found) == 0, found.st_mode & 0o007 != 0
        else { return nil }
        return "radsec.preshared_keys: \(path) can be read or changed by everybody on this machine; run: chmod o= \(path)"
    }

    private static func bounds(_ transports: TransportSettings, cores: Int) -> StreamSettings {
        var bounds = StreamSettings()
        bounds.threads = transports.threads == 0 ? max(1, cores / 2) : transports.threads
        bounds.connections = transports.connections
        bounds.connectionsPerClient = transports.connectionsPerClient
        bounds.handshakes = transports.handshakes
        bounds.handshakeSeconds = transports.handshakeSeconds
        bounds.packetSeconds = transports.packetSeconds
        bounds.idleSeconds = transports.idleSeconds
        bounds.stallSeconds = transports.stallSeconds
        return bounds
    }

    /// For the line `ready`: the ports in use, and those that will be once there are certificates.
    var streamWords: [String] {
        guard let streams else { return [] }
        let secured = streams.certificates?.current == nil ? ["radsec-off", "radsec-dtls-off"] : ["radsec", "radsec-dtls"]
        let names = (settings.transports.hasTCP ? ["radius-tcp-auth", "radius-tcp-acct"] : []) + secured
        return zip(names, streams.ports).map { "\($0)=\(settings.radiusAddress):\($1)" }
    }

    /// Reads the certificates before anybody can connect, and says what came of it.
    func prepareStreams() {
        guard settings.roles.contains(.aaa) else { return }
        guard settings.transports.certificatePath != nil else {
            return logger.info(
                """
                RADIUS over TLS is off: there is no radsec.certificate. To have it: `lastmile pki init`, `lastmile pki issue radsec \
                --common-name NAME`, then radsec.certificate: .../pki/issued/NAME.pem
                """)
        }
        StreamReport.tell(streams?.refreshCertificates() ?? .unchanged, to: logger)
        if let warning = Self.radSecWarning(settings.transports) { logger.warning("\(warning)") }
        guard let streams, streams.fileLimit < settings.transports.connections + 1024 else { return }
        logger.warning(
            "the system allows this process \(streams.fileLimit) open files, fewer than radsec.connections may need; raise LimitNOFILE")
    }
}
