import ArgumentParser
import Glibc
import RadiusCore

/// `lastmile radius load`: many requests, and how they were answered.
struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Generates load on a RADIUS server and measures its answers.",
        discussion: """
            With --rate 0 each answer makes the next request (--outstanding at a time); with a rate, requests go out on time whatever the \
            answers do, as long as fewer than --outstanding wait for theirs, and latency counts from when a request was due. A server that \
            takes a second to answer needs --outstanding as high as the rate; a rate that was not reached is said at the end.
            In accounting mode each session sends Start, --interims interim records and Stop; --count counts sessions, replies are always \
            verified, and --acknowledged FILE gets a line for each record that the server acknowledged: \
            Acct-Session-Id, Acct-Status-Type, input octets, output octets, seconds, separated by tabs.
            Ends with 1 when requests were lost or replies did not verify.
            """)

    @OptionGroup var names: DictionaryOption
    @Option(help: ArgumentHelp("The server.", valueName: "host:port")) var target: String
    @Option(parsing: .unconditional, help: "The shared secret.") var secret: String
    @Option(help: "pap, chap, mschapv2 or accounting; echo: PAP to a peer that sends each datagram back.") var mode = "pap"
    @Option(help: ArgumentHelp("A file of names (name or name,password a line), or a pattern such as user%06d.", valueName: "file|pattern"))
    var users = "user%06d"
    @Option(help: "How many names the pattern gives, from 0 on.") var userCount = 1000
    @Option(parsing: .unconditional, help: "Of every name that has none of its own.") var password = "password"
    @Option(help: "Requests a second; 0: as fast as answers come.") var rate = 0
    @Option(help: "Requests in flight, at most; with a rate, as many as it gives in the time of an answer.") var outstanding = 64
    @Option(help: "Requests, in accounting mode sessions, to send.") var count: Int?
    @Option(help: "Seconds to send for; 10 when neither this nor --count is given.") var seconds: Int?
    @Option(help: "Sockets of each thread, 1 to 8; each holds 256 requests.") var sockets: Int?
    @Option(help: "Threads.") var threads = 1
    @Option(help: ArgumentHelp("The processor of the first thread, from 0 on; the others follow.", valueName: "cpu")) var pin: Int?
    @Option(help: ArgumentHelp("Access-Requests made ahead, for names picked at random, and sent in turn.", valueName: "count"))
    var prepare = 0
    @Flag(help: "Looks for replies without pause instead of sleeping.") var spin = false
    @Flag(help: "Hands neighbouring requests of equal length to the kernel as one.") var segment = false
    @Flag(help: "Verifies every reply.") var verify = false
    @Option(help: ArgumentHelp("Milliseconds before a request is sent again.", valueName: "ms")) var timeout = 3000
    @Option(help: "How often a request is sent again before it counts as lost.") var retries = 2
    @Option(help: "Interim records of each session; 2 unless given.") var interims: Int?
    @Option(help: ArgumentHelp("Sessions open at once, whose records take turns; else as many as --outstanding.", valueName: "count"))
    var open: Int?
    @Flag(help: "Leaves sessions open at the end instead of sending their Stop.") var leaveOpen = false
    @Option(help: ArgumentHelp("Begins each Acct-Session-Id; random unless given.", valueName: "text")) var runName: String?
    @Option(help: ArgumentHelp("Appends a line for each acknowledged accounting record.", valueName: "file")) var acknowledged: String?
    @Option(help: ArgumentHelp("A further attribute; repeat it for more.", valueName: "Name=value"))
    var attribute: [String] = ["NAS-Identifier=lastmile-load"]
    @Option(name: [.customShort("o"), .long], help: "How the result is printed: table, json, yaml, csv.") var output = OutputFormat.table

    func run() throws {
        let plan = try plan()
        let generator = LoadGenerator(plan)
        Interruption.watch()
        do { try generator.start() } catch {
            throw CommandFailure(
                .failed, "no socket: \(String(cString: strerror(error.errno)))",
                next: "Fewer --threads or --sockets, or a higher ulimit -n.")
        }
        watch(generator)
        let report = LoadReport(tally: generator.tally, histogram: generator.histogram, elapsed: generator.elapsed, plan: plan)
        Terminal.out(Rendering(format: output).record(report.record, columns: LoadReport.columns))
        if let shortfall = report.shortfall { Terminal.note(shortfall + "\n") }
        if let failure = report.failure { throw failure }
    }

    func plan() throws -> LoadPlan {
        guard let mode = LoadPlan.Mode(rawValue: mode) else {
            throw CommandFailure.usage(
                "--mode \(mode)", next: "\(LoadPlan.Mode.allCases.map(\.rawValue).joined(separator: ", ")) are possible.")
        }
        guard !secret.isEmpty else { throw CommandFailure.usage("the secret is empty") }
        let peer = try Peer(text: target, defaultPort: mode == .accounting ? 1813 : 1812)
        let names = try LoadNames.read(users, count: userCount, password: Array(password.utf8))
        var plan = LoadPlan(target: peer.ip, port: peer.port, secret: SharedSecret(Array(secret.utf8)), users: names)
        plan.mode = mode
        plan.attributes = try AttributeWords.encode(attribute, try self.names.load())
        plan.rate = rate
        plan.outstanding = outstanding
        plan.count = count
        plan.seconds = seconds ?? (count == nil ? 10 : nil)
        plan.threads = threads
        plan.sockets = sockets ?? max(1, min(LoadPlan.socketLimit, (outstanding / max(1, threads) + 255) / 256))
        plan.processor = pin
        plan.prepared = (prepare + max(1, threads) - 1) / max(1, threads)
        plan.spins = spin
        plan.segments = segment
        plan.verifies = verify
        plan.timeoutMilliseconds = timeout
        plan.retries = retries
        plan.interims = interims ?? 2
        plan.open = open
        plan.leavesOpen = leaveOpen
        let ofAccounting = [
            ("--interims", interims != nil), ("--open", open != nil), ("--leave-open", leaveOpen), ("--run-name", runName != nil),
            ("--acknowledged", acknowledged != nil),
        ]
        if mode != .accounting, let given = ofAccounting.first(where: \.1)?.0 {
            throw CommandFailure.usage("\(given) belongs to --mode accounting")
        }
        if let runName { plan.run = try Self.checked(runName) }
        if let fault = plan.fault { throw CommandFailure.usage(fault) }
        if let acknowledged { plan.acknowledgedFD = try Self.open(acknowledged) }
        return plan
    }

    private static func checked(_ run: String) throws(CommandFailure) -> String {
        guard (1...40).contains(run.utf8.count), run.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw .usage("--run-name has 1 to 40 visible ASCII characters")
        }
        return run
    }

    private static func open(_ path: String) throws(CommandFailure) -> Int32 {
        let fd = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard fd >= 0 else {
            throw .usage("cannot write \(path): \(String(cString: strerror(errno)))", next: "Choose a path that you may write.")
        }
        return fd
    }

    /// A line a second until the generator is done; an interruption ends it early.
    private func watch(_ generator: LoadGenerator) {
        var shown = LoadTally()
        var next = Clock.milliseconds() + 1000
        while !generator.isDone {
            usleep(20_000)
            if Interruption.happened { generator.stop() }
            guard Clock.milliseconds() >= next, !generator.isDone else { continue }
            next += 1000
            let now = generator.tally
            Terminal.note(
                "\(generator.elapsed / 1_000_000_000) s: \(now.answered - shown.answered)/s answered, \(now.inFlight) in flight, "
                    + "\(now.retransmitted) sent again, \(now.lost) lost\n")
            shown = now
        }
    }
}

/// Names for a load.
enum LoadNames {
    static func read(_ text: String, count: Int, password: [UInt8]) throws(CommandFailure) -> LoadUsers {
        guard password.count <= UserPassword.maximumCount else {
            throw .usage("--password: it has \(password.count) octets, at most \(UserPassword.maximumCount) are possible")
        }
        var users = LoadUsers(password: password)
        if let pattern = NamePattern(text) {
            guard (1...10_000_000).contains(count) else { throw .usage("--user-count \(count): 1 to 10000000 are possible") }
            for number in 0..<count {
                guard users.append(name: pattern.name(number), password: nil as [UInt8]?) else {
                    throw .usage("the pattern “\(text)” gives names longer than 253 octets")
                }
            }
            return users
        }
        guard File.presence(text) == .readable else {
            guard !text.contains("%") else {
                throw .usage(
                    "--users \(text) is neither a file nor a pattern",
                    next: "A pattern has one number in it, %d or, filled up with zeros, %06d, and no other %; such names go into a file.")
            }
            guard text.utf8.count <= 253 else { throw .usage("--users: the name has \(text.utf8.count) octets, at most 253 are possible") }
            // A single name is a pattern without a number.
            guard !text.contains("/"), users.append(name: text.utf8, password: nil as [UInt8]?) else {
                throw .usage("--users \(text) is neither a file nor a pattern", next: "A pattern has a number in it: user%06d.")
            }
            return users
        }
        for (index, line) in try File.read(text).split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
            let bare = line.last == 0x0d ? line.dropLast() : line
            if bare.isEmpty { continue }
            let parts = bare.split(separator: UInt8(ascii: ","), maxSplits: 1, omittingEmptySubsequences: false)
            guard users.append(name: parts[0], password: parts.count == 2 ? parts[1] : nil) else {
                throw .usage("\(text), line \(index + 1): a name has 1 to 253 octets, a password at most 128")
            }
        }
        guard !users.isEmpty else { throw .usage("\(text) holds no name", next: "Write a name, or name,password, on each line.") }
        return users
    }
}

/// `user%06d`: a number, filled up with zeros, within a text.
struct NamePattern {
    private let before: [UInt8]
    private let after: [UInt8]
    private let width: Int

    /// nil when the text has no `%d` or `%0Nd`, or another `%`.
    init?(_ text: String) {
        guard let percent = text.firstIndex(of: "%"), let letter = text[percent...].firstIndex(of: "d") else { return nil }
        let digits = text[text.index(after: percent)..<letter]
        guard !text[letter...].contains("%") else { return nil }
        guard digits.isEmpty || digits.first == "0", digits.allSatisfy({ $0.isASCII && $0.isNumber }), digits.count <= 3 else { return nil }
        before = Array(text[..<percent].utf8)
        after = Array(text[text.index(after: letter)...].utf8)
        width = Int(digits) ?? 0
    }

    func name(_ number: Int) -> [UInt8] {
        let digits = Array(String(number).utf8)
        return before + [UInt8](repeating: UInt8(ascii: "0"), count: max(0, width - digits.count)) + digits + after
    }
}

/// SIGINT and SIGTERM as a flag that loops look at.
enum Interruption {
    nonisolated(unsafe) private static var count: sig_atomic_t = 0

    /// From now on the first signal sets the flag; a second one ends the program.
    static func watch() {
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                // Guard: written by the handler alone, a single word.
                if Interruption.count > 0 { _exit(128 + number) }
                Interruption.count = 1
            }
        }
    }

    static var happened: Bool { count > 0 }
}
