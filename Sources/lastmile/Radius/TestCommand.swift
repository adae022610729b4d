import ArgumentParser
import Glibc
import RadiusCore

/// `lastmile radius test`: one request, and what the server makes of it.
struct TestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Sends one request to a RADIUS server, checks the reply and prints it.",
        discussion: """
            For example: lastmile radius test 127.0.0.1 --user alice --password wonderland --secret testing123
            Over TLS: lastmile radius test radius.example.net --transport tls --ca ca.pem --cert gw1.example.net.pem --status; over DTLS \
            the same with --transport dtls.
            Ends with 0 when the answer is yes (Access-Accept, Accounting-Response), 4 for Access-Reject, 6 without an answer, 1 for a reply \
            that does not verify.
            """)

    @OptionGroup var names: DictionaryOption
    @OptionGroup var transport: TransportOptions
    @Argument(help: "HOST or HOST:PORT; the port is 1812, for accounting 1813, over TLS and DTLS 2083.") var server = "127.0.0.1"
    @Option(help: "User-Name.") var user: String?
    @Option(parsing: .unconditional, help: "The password.") var password: String?
    @Option(help: "pap, chap, mschap or mschapv2.") var method = "pap"
    @Option(parsing: .unconditional, help: "The shared secret of this machine as a NAS; over TLS and DTLS all have one.") var secret:
        String?
    @Option(help: ArgumentHelp("A further attribute; repeat it for more.", valueName: "Name=value")) var attribute: [String] = []
    @Flag(help: "Sends Status-Server (RFC 5997) instead of a login.") var status = false
    @Option(help: ArgumentHelp("Sends an accounting record instead of a login.", valueName: "start|interim|stop")) var acct: String?
    @Option(help: ArgumentHelp("Seconds to wait before it is sent again.", valueName: "seconds")) var timeout = 3
    @Option(help: "How often it is sent again.") var retries = 2
    @Option(name: [.customShort("o"), .long], help: "How it is printed: table (text), json.") var output = OutputFormat.table

    func run() throws {
        guard output == .table || output == .json else {
            throw CommandFailure.usage("-o \(output.rawValue): table or json is possible here")
        }
        let dictionary = try names.load()
        guard let secret = secret ?? transport.secret else {
            throw CommandFailure.usage("--secret is missing", next: "Give the one of this NAS.")
        }
        guard !secret.isEmpty else {
            throw CommandFailure.usage("the secret is empty", next: "RFC 2865 §3 forbids that; give the one of this NAS.")
        }
        let shared = SharedSecret(Array(secret.utf8))
        let packet = try request(dictionary, shared)
        try report(try exchange(packet, shared, dictionary), packet, dictionary, shared)
    }

    private func exchange(_ packet: ClientPacket, _ secret: SharedSecret, _ dictionary: RadiusDictionary) throws -> RadiusExchange {
        let port = transport.defaultPort(isAccounting: acct != nil)
        let peer = try Peer(text: server, defaultPort: port)
        let milliseconds = max(1, timeout) * 1000
        guard transport.transport != .udp else {
            return try RadiusExchange.run(packet, to: peer, secret: secret, timeoutMilliseconds: milliseconds, retries: max(0, retries))
        }
        let name = try transport.serverName ?? Peer.split(server, port).host
        return try StreamExchange.run(
            packet, to: peer, try transport.context(), serverName: name, try transport.negotiation(secret, dictionary),
            timeoutMilliseconds: milliseconds, retries: max(0, retries))
    }

    private func request(_ dictionary: RadiusDictionary, _ secret: SharedSecret) throws -> ClientPacket {
        let identifier = UInt8.random(in: 0...255)
        // RFC 2865 §4.1: a NAS says who it is.
        let isNamed = attribute.contains { $0.lowercased().hasPrefix("nas-ip") || $0.lowercased().hasPrefix("nas-identifier") }
        let extra = try AttributeWords.encode((isNamed ? [] : ["NAS-Identifier=lastmile-test"]) + attribute, dictionary)
        do {
            if status { return try .status(identifier: identifier, attributes: extra, secret: secret) }
            if let acct { return try .accounting(identifier: identifier, attributes: try record(acct, dictionary) + extra, secret: secret) }
            guard let user else {
                throw CommandFailure.usage("--user is missing", next: "Give --user and --password, or --status, or --acct start.")
            }
            guard let password else { throw CommandFailure.usage("--password is missing", next: "An empty one is --password ''.") }
            return try .access(
                identifier: identifier, userName: Array(user.utf8), credential: try Self.credential(method, password), attributes: extra,
                secret: secret)
        } catch let fault as ClientPacket.Fault {
            throw Self.failure(fault)
        }
    }

    static func credential(_ method: String, _ password: String) throws(CommandFailure) -> ClientCredential {
        guard let known = ClientCredential.methods.first(where: { $0.name == method }) else {
            throw .usage("there is no method “\(method)” here", next: "pap, chap, mschap and mschapv2 are possible.")
        }
        guard let credential = ClientCredential(known, password: Array(password.utf8)) else {
            throw .usage("the password is longer than 128 octets", next: "PAP carries no longer one (RFC 2865 §5.2).")
        }
        return credential
    }

    static func failure(_ fault: ClientPacket.Fault) -> CommandFailure {
        switch fault {
        case .userNameLength(let count): .usage("the user name has \(count) octets", next: "1 to 253 fit a User-Name.")
        case .tooLong: .usage("the attributes do not fit one packet of 4096 octets", next: "Leave some out.")
        }
    }

    /// The attributes of an accounting record, as far as the options do not say them.
    private func record(_ kind: String, _ dictionary: RadiusDictionary) throws -> [UInt8] {
        guard let type = ["start": "Start", "interim": "Interim-Update", "stop": "Stop"][kind] else {
            throw CommandFailure.usage("--acct \(kind)", next: "start, interim or stop is possible.")
        }
        let given = Set(attribute.map { $0.prefix { $0 != "=" && $0 != " " && $0 != ":" }.lowercased() })
        var pairs = ["Acct-Status-Type=\(type)", "Acct-Session-Id=lastmile-test", "User-Name=\(user ?? "lastmile-test")"]
        if kind != "start" { pairs += ["Acct-Session-Time=60", "Acct-Input-Octets=1000", "Acct-Output-Octets=2000"] }
        if kind == "stop" { pairs.append("Acct-Terminate-Cause=User-Request") }
        return try AttributeWords.encode(pairs.filter { !given.contains($0.prefix { $0 != "=" }.lowercased()) }, dictionary)
    }

    private func report(_ exchange: RadiusExchange, _ packet: ClientPacket, _ dictionary: RadiusDictionary, _ secret: SharedSecret) throws {
        let decoded = try PacketText.describe(
            exchange.reply.span, dictionary: dictionary, secret: secret, requestAuthenticator: packet.authenticator)
        if output == .json {
            guard case .object(let members) = PacketReader.json(decoded) else { return }
            var times = [JSONValue.Member("milliseconds", .number(exchange.milliseconds)), .init("sent", .number(exchange.sent))]
            if let version = exchange.version { times.append(.init("radius_version", .string(version.name))) }
            Terminal.out(JSONText.pretty(.object(members + times)) + "\n")
        } else {
            Terminal.out(decoded.description + "\n")
        }
        if exchange.verdict.messageAuthenticator != .first, packet.code != .accountingRequest {
            Terminal.note(
                "warning: the reply does not begin with Message-Authenticator; the server does not withstand BlastRADIUS (CVE-2024-3596)\n")
        }
        if exchange.version == .v11 {
            Terminal.note("RADIUS/1.1 has no identifier, authenticators and hidden values; what is printed of them was made here\n")
        }
        let time =
            "\(exchange.milliseconds) ms" + (exchange.sent > 1 ? ", sent \(exchange.sent) times" : "")
            + (exchange.version.map { ", RADIUS/\($0.name)" } ?? "")
        switch exchange.verdict.code {
        case .accessReject:
            throw CommandFailure(
                .denied, "rejected (\(time))",
                next: "`lastmile auth-log list --user \(Printable.line(user ?? "NAME"))` tells why, `lastmile subscriber explain` the rest."
            )
        case .accessChallenge:
            throw CommandFailure(.failed, "the server asks for more (Access-Challenge, \(time)); this test answers no challenge")
        case .protocolError: throw CommandFailure(.failed, "the server answers Protocol-Error (\(time))")
        default:
            Terminal.note(
                "\(exchange.verdict.code == .accessAccept && packet.code == .accessRequest ? "accepted" : "answered") (\(time))\n")
        }
    }
}

/// `Name=value` words of the command line.
enum AttributeWords {
    static func encode(_ words: [String], _ dictionary: RadiusDictionary) throws(CommandFailure) -> [UInt8] {
        do {
            var pairs: [AttributeText] = []
            for word in words { pairs.append(try AttributeText(line: word)) }
            return try AttributeEncoder.encode(pairs, dictionary: dictionary)
        } catch {
            throw .usage("--attribute \(error.description)", next: "Write --attribute 'Name=value', such as --attribute NAS-Port=7.")
        }
    }
}
