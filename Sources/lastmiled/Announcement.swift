import Admin
import DaemonSettings
import Glibc
import Provisioning
import RadiusCore
import ServiceLifecycle

/// Says `ready` once everything answers, and with `--demo` what to try first.
struct Announcement: Service {
    let parts: Parts
    let http: AdminServer?
    let settings: Settings
    let demo: Bool
    let state: StateDirectory

    func run() async throws {
        var port: Int?
        for _ in 0..<600 where http != nil && port == nil {
            port = http?.boundPort
            if port == nil { try? await Task.sleep(for: .milliseconds(50)) }
        }
        StandardOutput.write(line(port))
        if demo { StandardOutput.write(suggestions(port)) }
        try? await gracefulShutdown()
    }

    private func line(_ port: Int?) -> String {
        var words = ["ready"]
        if let server = parts.server {
            words.append("radius-auth=\(settings.radiusAddress):\(server.authenticationPort)")
            words.append("radius-acct=\(settings.radiusAddress):\(server.accountingPort)")
        }
        if let port { words.append("http=http://\(host(settings.httpAddress)):\(port)") }
        words.append("state=\(settings.stateDirectory)")
        return words.joined(separator: " ")
    }

    private func suggestions(_ port: Int?) -> String {
        guard let server = parts.server else { return "" }
        var prefix = "LASTMILE_STATE_DIR=\(settings.stateDirectory) "
        if let port, port != 8080 { prefix += "LASTMILE_URL=http://127.0.0.1:\(port) " }
        return """

            Try, in another terminal of this directory:
              radtest alice wonderland 127.0.0.1:\(server.authenticationPort) 0 testing123
              \(prefix).build/release/lastmile subscriber explain carol --nas loopback
              .build/release/lastmile nas simulate --server 127.0.0.1 --nas-ip 127.0.0.1 --auth-port \(server.authenticationPort) --acct-port \(server.accountingPort) --secret testing123 --user alice --password wonderland

            Subscribers alice, bob and carol (suspended), password wonderland; shared secret testing123. Ctrl-C ends the daemon.
            """
    }

    private func host(_ address: String) -> String {
        if address == "0.0.0.0" || address == "::" { return "127.0.0.1" }
        return address.contains(":") ? "[\(address)]" : address
    }
}

/// The HTTP interface under the service group, with its refusal in words.
struct HTTPService: Service {
    let server: AdminServer
    let settings: Settings

    func run() async throws {
        do {
            try await server.run()
        } catch {
            guard server.boundPort == nil else { throw error }
            throw StartFailure(
                "cannot listen on TCP \(settings.httpAddress) port \(settings.httpPort) (http.port): \(error); stop the program that "
                    + "holds it (`ss -ltnp`), or choose another http.port")
        }
    }
}
