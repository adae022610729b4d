import ArgumentParser
import Glibc
import RadiusCore

/// `lastmile nas simulate`: a NAS with sessions.
struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "Is a NAS: logs sessions in, accounts for them, answers CoA and Disconnect.",
        discussion: """
            For example: lastmile nas simulate --server 127.0.0.1 --secret testing123 --user alice --password wonderland
            Runs until Ctrl-C or --duration, then ends its sessions with a Stop. With -o json it prints one object a line: listening, accepted, \
            rejected, online, interim, coa, disconnected, refused, closed, summary.
            """)

    @OptionGroup var names: DictionaryOption
    @Option(help: "NAS-Identifier.") var name = "lastmile-simulator"
    @Option(help: ArgumentHelp("NAS-IP-Address.", valueName: "address")) var nasIp: String?
    @Option(parsing: .unconditional, help: "The shared secret.") var secret: String
    @Option(help: ArgumentHelp("The RADIUS server.", valueName: "host")) var server = "127.0.0.1"
    @Option(help: "Of the server, for logins.") var authPort: UInt16 = 1812
    @Option(help: "Of the server, for accounting.") var acctPort: UInt16 = 1813
    @Option(help: "Where CoA and Disconnect are taken; 0: any free port, which is printed.") var coaPort: UInt16 = 3799
    @Option(help: ArgumentHelp("The address of this machine to send from.", valueName: "address")) var bind: String?
    @Option(help: "Sessions.") var sessions = 1
    @Option(help: "User names: one name, or a pattern such as user%06d.") var user = "user%06d"
    @Option(parsing: .unconditional, help: "The password of all of them.") var password: String
    @Option(help: "pap, chap, mschap or mschapv2.") var method = "pap"
    @Option(help: ArgumentHelp("Between interim records; as the server says unless given; 0: none.", valueName: "seconds")) var interim:
        Int?
    @Option(help: "Octets a second to each subscriber.") var downloadOctets: UInt64 = 1_000_000
    @Option(help: "Octets a second from each subscriber.") var uploadOctets: UInt64 = 100_000
    @Option(help: ArgumentHelp("After which all sessions end.", valueName: "seconds")) var duration: Int?
    @Option(help: ArgumentHelp("To CoA and Disconnect.", valueName: "ack|nak:CAUSE|silent")) var answer = "ack"
    @Option(help: ArgumentHelp("A further attribute, or in place of its own; repeat it for more.", valueName: "Name=value")) var attribute:
        [String] = []
    @Option(help: ArgumentHelp("Milliseconds before a request is sent again.", valueName: "ms")) var timeout = 3000
    @Option(help: "How often a request is sent again.") var retries = 4
    @Option(name: [.customShort("o"), .long], help: "How events are printed: table (text), json.") var output = OutputFormat.table

    func run() throws {
        guard output == .table || output == .json else {
            throw CommandFailure.usage("-o \(output.rawValue): table or json is possible here")
        }
        let dictionary = try names.load()
        let nas = SimulatedNAS(plan: try plan(dictionary), dictionary: dictionary)
        let host = try Peer(text: server, defaultPort: authPort)
        var loop = try SimulatorLoop(
            nas: nas, server: host.ip, authPort: authPort, acctPort: acctPort, coaPort: coaPort, local: try local(), isJSON: output == .json
        )
        try loop.run()
    }

    private func local() throws(CommandFailure) -> IPAddress? {
        guard let bind else { return nil }
        guard let address = IPAddress(text: bind) else { throw .usage("--bind \(bind) is no address") }
        return address
    }

    func plan(_ dictionary: RadiusDictionary) throws(CommandFailure) -> SimulatorPlan {
        guard !secret.isEmpty else { throw .usage("the secret is empty", next: "RFC 2865 §3 forbids that; give the one of this NAS.") }
        guard (1...1_000_000).contains(sessions) else { throw .usage("--sessions \(sessions): 1 to 1000000 are possible") }
        guard (1...253).contains(name.utf8.count) else { throw .usage("--name has 1 to 253 octets") }
        guard (1...600_000).contains(timeout), (0...1000).contains(retries) else { throw .usage("--timeout or --retries is out of range") }
        if let interim, interim < 0 { throw .usage("--interim \(interim): 0 or more seconds are possible") }
        if let duration, duration < 0 { throw .usage("--duration \(duration): 0 or more seconds are possible") }
        let pattern = NamePattern(user)
        var plan = SimulatorPlan(
            name: name, secret: SharedSecret(Array(secret.utf8)), credential: try TestCommand.credential(method, password),
            userNames: (0..<sessions).map { pattern?.name($0) ?? Array(user.utf8) },
            run: "sim" + Hexadecimal.text(ClientPacket.randomOctets(4)))
        guard plan.userNames.allSatisfy({ (1...253).contains($0.count) }) else {
            throw .usage("--user gives names that are not 1 to 253 octets long")
        }
        if let nasIp {
            guard let address = IPAddress(text: nasIp) else { throw .usage("--nas-ip \(nasIp) is no address") }
            plan.address = address
        }
        plan.interim = interim.map { $0 == 0 ? Int(Int32.max) * 1000 : $0 * 1000 }
        plan.downloadOctets = downloadOctets
        plan.uploadOctets = uploadOctets
        plan.duration = duration.map { $0 * 1000 }
        plan.answer = try Self.answer(answer)
        plan.attributes = try AttributeWords.encode(attribute, dictionary)
        guard AttributeOctets.values(AttributeNumber.userName, in: plan.attributes).isEmpty else {
            throw .usage("--attribute User-Name", next: "--user gives the names.")
        }
        plan.timeout = timeout
        plan.retries = retries
        return plan
    }

    static func answer(_ text: String) throws(CommandFailure) -> SimulatorPlan.Answer {
        if text == "ack" { return .acknowledge }
        if text == "silent" { return .silence }
        if text == "nak" { return .refuse(.sessionContextNotFound) }
        guard text.hasPrefix("nak:"), let cause = UInt32(text.dropFirst(4)) else {
            throw .usage("--answer \(text)", next: "ack, silent, or nak:503 and the like (RFC 5176 §3.5) is possible.")
        }
        return .refuse(ErrorCause(rawValue: cause))
    }
}
