/// An `eapol_test` that speaks TEAP, made once for all tests by `scripts/teap-peer`: wpa_supplicant 2.10, whose keys are those of
/// `eap.teap.keys: rfc7170`.
public actor TEAPPeer {
    private static let shared = TEAPPeer()
    private var making: Task<String, any Error>?

    /// Its path.
    ///
    /// - Throws: `ProcessFailure` with what the script says.
    public static func program() async throws -> String { try await shared.made() }

    private func made() async throws -> String {
        if let making { return try await making.value }
        let task = Task {
            let result = try await Tool.run(Programs.checkout + "/scripts/teap-peer", seconds: 900)
            guard result.status == 0, let path = result.lines.last else { throw ProcessFailure("scripts/teap-peer: \(result.errors)") }
            return path
        }
        making = task
        return try await task.value
    }
}

extension EAPOLTest {
    /// A TEAP peer over TLS; the other parameters are those of `overTLS`.
    public static func teap(
        port: UInt16, secret: String, user: String, password: String, _ version: TLSVersion, authority: String, inner: String,
        fragment: Int = 1398
    ) async throws -> EAPOLTest {
        var test = EAPOLTest(port: port, secret: secret, method: "TEAP", user: user, password: password, expectsKeys: true)
        test.program = try await TEAPPeer.program()
        test.overTLS(version, authority: authority, inner: inner, anonymous: "anonymous", fragment: fragment)
        // It does not begin without a place for the credentials of RFC 7170, which there are none of.
        test.network.append("pac_file=\"blob://none\"")
        return test
    }

    /// Has it prove a machine in the tunnel of TEAP, besides the user.
    public mutating func showMachine(_ name: String, password: String, inner: String) {
        network.append("machine_identity=\"\(name)\"")
        network.append("machine_password=\"\(password)\"")
        network.append("machine_phase2=\"\(inner)\"")
    }
}
