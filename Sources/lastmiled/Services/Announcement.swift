import Admin
import DaemonSettings
import Glibc
import NIOCore
import Provisioning
import RadiusCore
import ServiceLifecycle

/// Says `ready` once everything answers, and with `--demo` what to try first.
struct Announcement: Service {
    let parts: Parts
    let http: AdminServer?
    let settings: Settings
    let demo: Demo

    /// What `--demo` came to.
    enum Demo {
        case notAsked, filled
        /// The database had a tenant already and was left alone.
        case notEmpty
    }

    func run() async throws {
        var port: Int?
        for _ in 0..<600 where http != nil && port == nil {
            port = http?.boundPort
            if port == nil { try? await Task.sleep(for: .milliseconds(50)) }
        }
        // Without the interface that was asked for, nothing is ready: its refusal is on its way to the operator.
        guard http == nil || port != nil else { return }
        StandardOutput.write(line(port))
        switch demo {
        case .notAsked: break
        case .filled: StandardOutput.write(suggestions(port))
        case .notEmpty: StandardOutput.write("\nThe database is not empty, so --demo added nothing to it. A new state.dir begins anew.")
        }
        try? await gracefulShutdown()
    }

    private func line(_ port: Int?) -> String {
        var words = ["ready"]
        if let server = parts.server {
            words.append("radius-auth=\(settings.radiusAddress):\(server.authenticationPort)")
            words.append("radius-acct=\(settings.radiusAddress):\(server.accountingPort)")
        }
        words += parts.dynamicAuthorizationWords + parts.streamWords
        if let port { words.append("http=http://\(host(settings.httpAddress)):\(port)") }
        words.append("state=\(settings.stateDirectory)")
        return words.joined(separator: " ")
    }

    private func suggestions(_ port: Int?) -> String {
        guard let server = parts.server else { return "" }
        let command = Self.directory + "/lastmile"
        var prefix = "LASTMILE_STATE_DIR=\(settings.stateDirectory) "
        if let port, port != 8080 { prefix += "LASTMILE_URL=http://127.0.0.1:\(port) " }
        return """

            Try, in another terminal:
              radtest alice wonderland 127.0.0.1:\(server.authenticationPort) 0 testing123
              \(prefix)\(command) subscriber explain carol --nas loopback
              \(command) nas simulate --server 127.0.0.1 --nas-ip 127.0.0.1 --auth-port \(server.authenticationPort) --acct-port \(server.accountingPort) --secret testing123 --user alice --password wonderland

            Subscribers alice, bob and carol (suspended), password wonderland; shared secret testing123. Ctrl-C ends the daemon.
            """
    }

    /// Where this program lies, and the command line beside it.
    private static var directory: String {
        var path = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        let text = String(decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return text.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
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
                "cannot listen on TCP \(settings.httpAddress) port \(settings.httpPort) (http.port); stop the program that "
                    + "holds it (`ss -ltnp`), or choose another http.port or http.address. The system says: \(Self.reason(error))")
        }
    }

    /// The system's words for an error of NIO, without the call that met it.
    private static func reason(_ error: any Error) -> String {
        (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
    }
}
