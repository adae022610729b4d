import Support

/// Debian's `radsecproxy`, with certificates that `lastmile pki` made: between a UDP client and the daemon's port of RadSec or DTLS, or as
/// a home server that hands on over UDP.
struct RadSecProxy {
    /// Where it takes UDP, for all kinds of packets; as a home server TLS or DTLS.
    let port: UInt16
    private let tool: RunningTool

    /// Starts it.
    ///
    /// - Parameters:
    ///   - daemon: whom it asks.
    ///   - pki: the authority's folder, with a certificate for gw1.example.net.
    ///   - transport: `tls` or `dtls`.
    ///   - source: the address that its connection comes from.
    ///   - directory: for its configuration.
    /// - Returns: the proxy, on its way to the daemon.
    /// - Throws: `ProcessFailure` when the program is missing.
    static func start(
        to daemon: DaemonProcess, pki: String, over transport: String = "tls", from source: String = "127.0.0.1", in directory: String
    ) async throws -> RadSecProxy {
        let port = try LastingPorts.next()
        let file = directory + "/radsecproxy-\(port).conf"
        let text = """
            ListenUDP 127.0.0.1:\(port)
            Source\(transport) \(source)
            LogLevel 2
            tls default {
                CACertificateFile \(pki)/ca.pem
                CertificateFile \(pki)/issued/gw1.example.net.pem
                CertificateKeyFile \(pki)/issued/gw1.example.net.key
            }
            client 127.0.0.1 {
                type udp
                secret testing123
            }
            server lastmile {
                host 127.0.0.1:\(transport == "tls" ? daemon.radSecPort : daemon.dtlsPort)
                type \(transport)
                secret \(transport == "tls" ? "radsec" : "radius/dtls")
                certificateNameCheck off
                statusServer on
            }
            realm * {
                server lastmile
                accountingServer lastmile
            }

            """
        try TextFile.write(text, to: file)
        let tool = try await Tool.start("radsecproxy", ["-f", "-c", file])
        return RadSecProxy(port: port, tool: tool)
    }

    /// Starts one as a home server, which shows the certificate of radius.example.net and hands on to `home`.
    ///
    /// - Parameters:
    ///   - home: whom it asks.
    ///   - pki: the authority's folder, with that certificate.
    ///   - transport: `tls` or `dtls`.
    ///   - port: where it listens; nil for any.
    ///   - directory: for its configuration.
    /// - Returns: the proxy, which may not listen yet.
    /// - Throws: `ProcessFailure` when the program is missing.
    static func home(
        before home: FreeRADIUS, pki: String, over transport: String, port: UInt16? = nil, in directory: String
    ) async throws -> RadSecProxy {
        let port = try port ?? LastingPorts.next()
        let file = directory + "/radsecproxy-home-\(port).conf"
        let text = """
            Listen\(transport) 127.0.0.1:\(port)
            LogLevel 2
            tls default {
                CACertificateFile \(pki)/ca.pem
                CertificateFile \(pki)/issued/radius.example.net.pem
                CertificateKeyFile \(pki)/issued/radius.example.net.key
            }
            client 127.0.0.1 {
                type \(transport)
                secret \(transport == "tls" ? "radsec" : "radius/dtls")
                certificateNameCheck off
            }
            server access {
                host 127.0.0.1:\(home.authenticationPort)
                type udp
                secret \(FreeRADIUS.secret)
            }
            server accounting {
                host 127.0.0.1:\(home.accountingPort)
                type udp
                secret \(FreeRADIUS.secret)
            }
            realm * {
                server access
                accountingServer accounting
            }

            """
        try TextFile.write(text, to: file)
        return RadSecProxy(port: port, tool: try await Tool.start("radsecproxy", ["-f", "-c", file]))
    }

    /// What it said.
    var transcript: String { tool.output + tool.errors }

    func stop() { tool.remove() }
}
