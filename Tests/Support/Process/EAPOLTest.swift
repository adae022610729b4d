internal import FoundationEssentials

/// `eapol_test`, Debian's or another: wpa_supplicant and a NAS in one program.
public struct EAPOLTest: Sendable {
    /// What came of a run.
    public struct Outcome: Sendable {
        /// The program says so, and the keys that peer and server made, if any, are the same.
        public let isSuccess: Bool
        /// Conversations whose keys were the same on both sides.
        public let keysMatched: Int
        /// The codes of the replies, such as `Access-Challenge`, in their order; a reply that came twice is one.
        public let replies: [String]
        public let transcript: String

        /// Of each EAP packet of the server, how long it is.
        public var packetLengths: [Int] {
            transcript.split(separator: "\n").filter { $0.hasPrefix("decapsulated EAP packet") }.compactMap { line in
                Int(String(line.components(separatedBy: "len=").last?.prefix { $0.isNumber } ?? ""))
            }
        }

        /// Of each conversation over TLS, whether it took up the session of one before.
        public var resumptions: [Bool] { handshakes.map { $0.contains(true) } }

        /// For each log-in its handshakes in order, the tunnel's and then that in it, and whether each took a session up; with TLS 1.3
        /// each is told again when the ticket comes.
        public var handshakes: [[Bool]] {
            transcript.components(separatedBy: "Sending fake EAP-Request-Identity").dropFirst().map {
                $0.components(separatedBy: "finished - resumed=").dropFirst().map { $0.hasPrefix("1") }
            }
        }
    }

    /// A name, or a path.
    public var program = "eapol_test"
    public var port: UInt16
    public var secret: String
    /// `MD5`, `GTC`, `MSCHAPV2`, or several with spaces between.
    public var method: String
    public var user: String
    public var password: String
    /// Whether the method gives keys.
    public var expectsKeys: Bool
    /// Conversations one after the other, each on the heels of the one before.
    public var repetitions = 0
    /// Further arguments.
    public var arguments: [String] = []
    /// Further lines of the network block.
    public var network: [String] = []
    /// A SIM card: answers `GSM-AUTH:RAND...` or `UMTS-AUTH:RAND:AUTN` as wpa_supplicant has it; nil without one.
    public var card: (@Sendable (String) -> String)?

    /// - Parameters:
    ///   - port: of the server on 127.0.0.1.
    ///   - secret: shared with it.
    ///   - method: what the peer can do.
    ///   - user: the identity.
    ///   - password: of the user.
    ///   - expectsKeys: whether the method gives keys.
    public init(port: UInt16, secret: String, method: String, user: String, password: String, expectsKeys: Bool) {
        self.port = port
        self.secret = secret
        self.method = method
        self.user = user
        self.password = password
        self.expectsKeys = expectsKeys
    }

    /// A version of TLS that the program can be held to.
    public enum TLSVersion: String, Sendable, CaseIterable {
        case tls12 = "TLSv1.2"
        case tls13 = "TLSv1.3"

        fileprivate var options: String {
            "tls_disable_tlsv1_0=1 tls_disable_tlsv1_1=1 tls_disable_tlsv1_2=\(self == .tls12 ? 0 : 1) "
                + "tls_disable_tlsv1_3=\(self == .tls13 ? 0 : 1)"
        }
    }

    /// Has it speak this version only, trust `authority`, and do `inner` in the tunnel, such as `auth=PAP`.
    ///
    /// - Parameters:
    ///   - version: the only one.
    ///   - authority: the path of a file in PEM.
    ///   - inner: the network's `phase2`; nil for EAP-TLS.
    ///   - anonymous: the identity outside; nil: the same as inside.
    ///   - fragment: octets of TLS in one packet.
    public mutating func overTLS(
        _ version: TLSVersion, authority: String, inner: String? = nil, anonymous: String? = nil, fragment: Int = 1398
    ) {
        network.append("ca_cert=\"\(authority)\"")
        network.append("phase1=\"\(version.options)\"")
        network.append("fragment_size=\(fragment)")
        if let inner { network.append("phase2=\"\(inner)\"") }
        if let anonymous { network.append("anonymous_identity=\"\(anonymous)\"") }
    }

    /// Has it, after `overTLS`, offer every version of TLS from 1.2 on.
    public mutating func allowEveryVersion() {
        network = network.map { line in
            ["tls_disable_tlsv1_2", "tls_disable_tlsv1_3"].reduce(line) { $0.replacing("\($1)=1", with: "\($1)=0") }
        }
    }

    /// Has it show a certificate.
    ///
    /// - Parameter path: of a file in PEM; its key lies beside it, with the ending `.key`.
    public mutating func show(certificate path: String) {
        network.append("client_cert=\"\(path)\"")
        network.append("private_key=\"\(path.hasSuffix(".pem") ? String(path.dropLast(4)) : path).key\"")
    }

    /// Has it show a certificate in the tunnel, and trust `authority` there.
    public mutating func showInside(certificate path: String, authority: String) {
        network.append("ca_cert2=\"\(authority)\"")
        network.append("client_cert2=\"\(path)\"")
        network.append("private_key2=\"\(path.hasSuffix(".pem") ? String(path.dropLast(4)) : path).key\"")
    }

    /// Runs it to its end.
    public func run() async throws -> Outcome {
        guard let card else { return outcome(try await start([], global: "")) }
        return try await TemporaryDirectory.use { directory in
            let external = ExternalCard(directory: directory, answer: card)
            async let service: Void = onOwnThread { try external.serve() }
            let result: ToolResult
            do {
                result = try await start(["-W"], global: "ctrl_interface=\(directory)/control\nexternal_sim=1\n")
            } catch {
                external.stop()
                throw error
            }
            external.stop()
            try await service
            return outcome(result)
        }
    }

    private func start(_ more: [String], global: String) async throws -> ToolResult {
        let lines = ["key_mgmt=IEEE8021X", "eap=\(method)", "identity=\"\(user)\"", "password=\"\(password)\""] + network
        let arguments =
            ["-c", "/dev/stdin", "-a", "127.0.0.1", "-p", "\(port)", "-s", secret, "-t", "60", "-r", "\(repetitions)"]
            + (expectsKeys ? [] : ["-n"]) + more + self.arguments
        let input = global + "network={\n" + lines.map { "  \($0)\n" }.joined() + "}\n"
        return try await Tool.run(program, arguments, input: input, seconds: 120)
    }

    private func outcome(_ result: ToolResult) -> Outcome {
        let printed = result.output.split(separator: "\n").map(String.init)
        let prefix = "MPPE keys OK: "
        let keys = printed.last { $0.hasPrefix(prefix) }?.dropFirst(prefix.count).prefix { $0.isNumber }
        var answered: Substring?
        let replies = printed.compactMap { line -> String? in
            guard line.hasPrefix("RADIUS message: code="), let start = line.firstIndex(of: "("), let end = line.firstIndex(of: ")") else {
                return nil
            }
            let name = String(line[line.index(after: start)..<end])
            guard name != "Access-Request" else { return nil }
            // The program asks again when the machine stood still for three seconds, and is answered again.
            let identifier = line[end...].split(separator: " ").first { $0.hasPrefix("identifier=") }
            defer { answered = identifier }
            return identifier != nil && identifier == answered ? nil : name
        }
        return Outcome(
            isSuccess: result.status == 0 && printed.last == "SUCCESS", keysMatched: keys.flatMap { Int($0) } ?? 0, replies: replies,
            transcript: result.output + result.errors)
    }
}
