import Support

/// One daemon that got its certificates while it was running, for all tests of EAP over TLS. Its authority is that of `lastmile pki`.
actor CertifiedDaemon {
    private static let shared = CertifiedDaemon()
    private var starting: Task<DaemonProcess, any Error>?

    static func get() async throws -> DaemonProcess { try await shared.started() }

    static func authority(_ daemon: DaemonProcess) -> String { daemon.state + "/pki/ca.pem" }

    private func started() async throws -> DaemonProcess {
        if let starting { return try await starting.value }
        let task = Task { try await Self.start() }
        starting = task
        return try await task.value
    }

    /// It looks at its certificates each second.
    static let settings = ["LASTMILE_EAP_TLS_REFRESH_SECONDS": "1"]

    private static func start() async throws -> DaemonProcess {
        let daemon = try await DaemonProcess.start(settings)
        try await certify(daemon)
        try await pki(daemon, "issue", "client", "--common-name", "alice")
        return daemon
    }

    /// Makes an authority and the server's certificate for a daemon that is running, and waits until it has read them.
    static func certify(_ daemon: DaemonProcess) async throws {
        try await pki(daemon, "init", "--common-name", "Example Access")
        try await pki(daemon, "issue", "server", "--common-name", "radius.example.net")
        // Read without a restart.
        try await eventually {
            try await daemon.client.send("GET", "/metrics").text.contains("eap_certificate_end_seconds{file=\"authority\"}")
        }
    }

    /// Runs `lastmile pki` in the daemon's folder.
    static func pki(_ daemon: DaemonProcess, _ arguments: String...) async throws {
        var result = try await Tool.run("lastmile", ["pki"] + arguments + ["--directory", daemon.state + "/pki"])
        // Tests beside this one change the folder, too.
        try await eventually {
            guard result.status == 5, result.errors.contains("another process") else { return true }
            result = try await Tool.run("lastmile", ["pki"] + arguments + ["--directory", daemon.state + "/pki"])
            return false
        }
        guard result.status == 0 else { throw ProcessFailure("lastmile pki \(arguments): \(result.errors)") }
    }
}

/// Daemons with certificates that speak TEAP as wpa_supplicant 2.10 does, one for what is proposed inside; for all tests of it.
actor TEAPDaemon {
    private static let shared = TEAPDaemon()
    private var starting: [String: Task<DaemonProcess, any Error>] = [:]

    /// The one with this `eap.teap.inner`.
    static func get(_ inner: String) async throws -> DaemonProcess { try await shared.started(inner) }

    private func started(_ inner: String) async throws -> DaemonProcess {
        if let starting = starting[inner] { return try await starting.value }
        let task = Task { try await Self.start(inner) }
        starting[inner] = task
        return try await task.value
    }

    private static func start(_ inner: String) async throws -> DaemonProcess {
        let own = ["LASTMILE_EAP_TEAP_INNER": inner, "LASTMILE_EAP_TEAP_KEYS": "rfc7170"]
        let daemon = try await DaemonProcess.start(CertifiedDaemon.settings.merging(own) { $1 })
        try await CertifiedDaemon.certify(daemon)
        try await CertifiedDaemon.pki(daemon, "issue", "client", "--common-name", "alice")
        return daemon
    }
}
