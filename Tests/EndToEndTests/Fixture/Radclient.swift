import Support

/// What `radclient` printed of a reply.
struct RadclientReply: Equatable, Sendable {
    /// Such as `Access-Accept`; nil when none came that it could verify.
    let code: String?
    /// `Name = value` in the order of the packet, with names from FreeRADIUS's own dictionaries.
    let attributes: [String]
    /// All that it said.
    let transcript: String

    /// The values of an attribute, without quotes.
    func values(_ name: String) -> [String] {
        attributes.filter { $0.hasPrefix(name + " = ") || $0.hasPrefix(name + ":") }.map { line in
            let value = line.drop { $0 != "=" }.dropFirst(2)
            return value.hasPrefix("\"") ? String(value.dropFirst().dropLast()) : String(value)
        }
    }

    init(_ transcript: String) {
        self.transcript = transcript
        let lines = transcript.split(separator: "\n").map(String.init)
        let start = lines.lastIndex { $0.hasPrefix("Received ") }
        code = start.map { String(lines[$0].split(separator: " ")[1]) }
        attributes = lines[(start.map { $0 + 1 } ?? lines.endIndex)...].prefix { $0.hasPrefix("\t") }.map { String($0.dropFirst()) }
    }
}

/// FreeRADIUS's client, as Debian ships it.
struct Radclient {
    let daemon: DaemonProcess
    var secret = "testing123"
    /// The address that requests leave from; the demonstration's NAS takes any on the loopback network.
    var source: String?
    /// Seconds before a request is sent again, and how often it is.
    var timeout = 10
    var retries = 2

    init(_ daemon: DaemonProcess) { self.daemon = daemon }

    init(_ daemon: DaemonProcess, as nas: TestNAS) {
        self.daemon = daemon
        secret = TestNAS.secret
        source = nas.address
    }

    /// One try of a second, where the point is that no answer comes.
    var impatient: Radclient {
        var client = self
        client.timeout = 1
        client.retries = 0
        return client
    }

    /// Logs in with PAP.
    func login(_ user: String, _ password: String = TestSubscriber.password, _ extra: String...) async throws -> RadclientReply {
        try await send("auth", [#"User-Name = "\#(user)""#, #"User-Password = "\#(password)""#, "Message-Authenticator = 0x00"] + extra)
    }

    /// An accounting record; `status` as in the dictionary.
    func account(_ status: String, session: String, user: String, _ extra: [String] = []) async throws -> RadclientReply {
        let head = ["Acct-Status-Type = \(status)", #"Acct-Session-Id = "\#(session)""#, #"User-Name = "\#(user)""#, "NAS-Port = 7"]
        return try await send("acct", head + extra)
    }

    /// Asks how the server is, on the port of `kind`: `auth` or `acct`.
    func status(_ kind: String) async throws -> RadclientReply {
        try await send("status", ["Message-Authenticator = 0x00"], port: kind == "auth" ? daemon.authenticationPort : daemon.accountingPort)
    }

    /// Sends a packet.
    func send(_ command: String, _ attributes: [String], port: UInt16? = nil) async throws -> RadclientReply {
        let usual = command == "acct" ? daemon.accountingPort : daemon.authenticationPort
        let lines = attributes + (source.map { ["Packet-Src-IP-Address = \($0)"] } ?? [])
        let result = try await Tool.run(
            "radclient", ["-x", "-t", "\(timeout)", "-r", "\(retries + 1)", "127.0.0.1:\(port ?? usual)", command, secret],
            input: lines.joined(separator: "\n") + "\n")
        return RadclientReply(result.output + result.errors)
    }
}

/// FreeRADIUS's test script.
enum Radtest {
    /// Logs in; `method` is pap, chap or mschap.
    static func run(_ daemon: DaemonProcess, method: String, user: String, password: String) async throws -> RadclientReply {
        let result = try await Tool.run(
            "radtest", ["-t", method, user, password, "127.0.0.1:\(daemon.authenticationPort)", "0", "testing123", "0", "127.0.0.1"])
        return RadclientReply(result.output + result.errors)
    }
}
