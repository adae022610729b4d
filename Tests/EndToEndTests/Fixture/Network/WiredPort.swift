import Support
import Testing

/// A switch with one port, between a device and the daemon, each in a network of its own: Debian's `hostapd` guards the port (IEEE 802.1X)
/// and is the NAS, Debian's `wpa_supplicant` is the device.
struct WiredPort {
    static let secret = "the-secret-of-the-switch"
    private static let name = "switch1"
    private static let daemonAddress = "192.0.2.1"
    private static let address = "192.0.2.2"

    let daemon: DaemonProcess
    private let office: NetworkNamespace
    private let closet: NetworkNamespace
    private let desk: NetworkNamespace
    private let directory: String

    /// Builds the three networks, starts a daemon with certificates that knows the switch, and removes all of it afterwards.
    static func with(_ body: (WiredPort) async throws -> Void) async throws {
        let office = try await NetworkNamespace.make()
        defer { office.remove() }
        let closet = try await NetworkNamespace.make()
        defer { closet.remove() }
        let desk = try await NetworkNamespace.make()
        defer { desk.remove() }
        try await office.connect("eth0", to: closet, "uplink")
        try await office.ip("address", "add", daemonAddress + "/24", "dev", "eth0")
        try await closet.ip("address", "add", address + "/24", "dev", "uplink")
        try await closet.connect("port1", to: desk, "eth0")
        try await TemporaryDirectory.use { directory in
            try await DaemonProcess.run(["LASTMILE_EAP_TLS_REFRESH_SECONDS": "1"], launcher: office.launcher()) { daemon in
                let port = WiredPort(daemon: daemon, office: office, closet: closet, desk: desk, directory: directory)
                try await port.provision()
                try await body(port)
            }
        }
    }

    private func provision() async throws {
        try await CertifiedDaemon.pki(daemon, "init", "--common-name", "Example Access")
        try await CertifiedDaemon.pki(daemon, "issue", "server", "--common-name", "radius.example.net")
        try await CertifiedDaemon.pki(daemon, "issue", "client", "--common-name", "alice")
        let made = try await lastmile("nas", "create", "--name", Self.name, "--address", Self.address + "/32", "--secret", Self.secret)
        guard made.status == 0 else { throw ProcessFailure("nas create: \(made.errors)") }
        try await eventually { daemon.output.contains("EAP shows the certificate CN=radius.example.net") }
    }

    /// `lastmile` on the daemon's machine.
    func lastmile(_ arguments: String...) async throws -> ToolResult {
        try await office.run("lastmile", arguments, settings: CommandLineTool(daemon).settings)
    }

    /// The rows that `lastmile NOUN list ...` prints.
    func rows(_ arguments: String...) async throws -> [JSONValue] {
        let result = try await office.run("lastmile", arguments + ["-o", "json"], settings: CommandLineTool(daemon).settings)
        guard result.status == 0 else { throw ProcessFailure("lastmile \(arguments.joined(separator: " ")): \(result.errors)") }
        let printed = try JSONValue(parsing: result.output)
        return (printed["data"] ?? printed).elements
    }

    /// Starts the authenticator, which says that it has begun (Accounting-On) and that the port is closed.
    func guardPort() async throws -> RunningTool {
        let file = directory + "/hostapd.conf"
        try TextFile.write(
            """
            interface=port1
            driver=wired
            ieee8021x=1
            use_pae_group_addr=1
            eap_reauth_period=0
            own_ip_addr=\(Self.address)
            nas_identifier=\(Self.name)
            auth_server_addr=\(Self.daemonAddress)
            auth_server_port=\(daemon.authenticationPort)
            auth_server_shared_secret=\(Self.secret)
            acct_server_addr=\(Self.daemonAddress)
            acct_server_port=\(daemon.accountingPort)
            acct_server_shared_secret=\(Self.secret)
            radius_acct_interim_interval=1
            radius_das_port=3799
            radius_das_client=\(Self.daemonAddress) \(Self.secret)
            radius_das_require_event_timestamp=1
            radius_das_require_message_authenticator=1

            """, to: file)
        let tool = try await closet.start("hostapd", ["-d", file])
        do { _ = try await tool.line { $0.contains("AP-ENABLED") } } catch {
            tool.remove()
            throw error
        }
        return tool
    }

    /// Plugs a device in that logs in as alice.
    ///
    /// - Parameters:
    ///   - method: as wpa_supplicant calls it.
    ///   - inner: the network's `phase2`; nil for EAP-TLS, with alice's certificate.
    ///   - password: of alice.
    /// - Returns: the device, which has only begun.
    /// - Throws: `ProcessFailure` when the program is missing.
    func plugIn(_ method: String, _ inner: String?, password: String = TestSubscriber.password) async throws -> RunningTool {
        var lines = [
            "key_mgmt=IEEE8021X", "eapol_flags=0", "eap=\(method)", "identity=\"alice\"",
            "ca_cert=\"\(CertifiedDaemon.authority(daemon))\"", "domain_suffix_match=\"radius.example.net\"",
        ]
        if let inner {
            lines += ["anonymous_identity=\"anonymous\"", "phase2=\"\(inner)\"", "password=\"\(password)\""]
        } else {
            let stem = daemon.state + "/pki/issued/alice"
            lines += ["client_cert=\"\(stem).pem\"", "private_key=\"\(stem).key\""]
        }
        let file = directory + "/wpa_supplicant.conf"
        try TextFile.write("ctrl_interface=\(directory)\nap_scan=0\nnetwork={\n" + lines.map { "  \($0)\n" }.joined() + "}\n", to: file)
        return try await desk.start("wpa_supplicant", ["-D", "wired", "-i", "eth0", "-c", file])
    }

    /// Has the device say EAPOL-Logoff.
    func logOff() async throws {
        let result = try await desk.run("wpa_cli", ["-p", directory, "-i", "eth0", "logoff"])
        guard result.status == 0, result.output.contains("OK") else { throw ProcessFailure("wpa_cli logoff: \(result)") }
    }
}
