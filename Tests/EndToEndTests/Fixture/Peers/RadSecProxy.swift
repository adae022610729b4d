import Support

/// Debian's `radsecproxy` between a UDP client and the daemon's port of RadSec or DTLS, with certificates that `lastmile pki` made.
struct RadSecProxy {
    /// Where it takes UDP, for all kinds of packets.
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

    /// Starts one that takes RADIUS over TLS and hands it on by UDP.
    ///
    /// - Parameters:
    ///   - home: the home server's port for log-ins.
    ///   - secret: shared with it.
    ///   - pki: the authority's folder, with a certificate for gw1.example.net.
    ///   - directory: for its configuration.
    /// - Returns: the proxy; `port` is of TCP.
    /// - Throws: `ProcessFailure` when the program is missing.
    static func serve(home: UInt16, secret: String, pki: String, in directory: String) async throws -> RadSecProxy {
        let port = try LastingPorts.next()
        let file = directory + "/radsecproxy-\(port).conf"
        let text = """
            ListenTLS 127.0.0.1:\(port)
            LogLevel 2
            tls default {
                CACertificateFile \(pki)/ca.pem
                CertificateFile \(pki)/issued/gw1.example.net.pem
                CertificateKeyFile \(pki)/issued/gw1.example.net.key
            }
            client 127.0.0.1 {
                type tls
                secret radsec
                certificateNameCheck off
            }
            server home {
                host 127.0.0.1:\(home)
                type udp
                secret \(secret)
            }
            realm * {
                server home
            }

            """
        try TextFile.write(text, to: file)
        let tool = try await Tool.start("radsecproxy", ["-f", "-c", file])
        return RadSecProxy(port: port, tool: tool)
    }

    /// What it said.
    var transcript: String { tool.output + tool.errors }

    func stop() { tool.remove() }
}
