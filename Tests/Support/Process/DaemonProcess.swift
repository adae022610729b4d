public import Database
internal import FoundationEssentials
internal import Glibc
internal import Synchronization

/// `lastmiled` with a state directory, private cluster and free ports of its own, over as many lives as a test gives it.
///
/// The directory goes with the test process, unless `LASTMILE_TEST_KEEP` is set.
public final class DaemonProcess: Sendable {
    /// `state.dir`; short, since a socket lies below it.
    public let state: String
    private let settings: [String: String]
    private let isDemo: Bool
    private let launcher: [String]
    private let life = Mutex(Life())

    private struct Life {
        var process: RunningProcess?
        var ready = ""
        var number = 0
    }

    private init(settings: [String: String], isDemo: Bool, files: [String: String] = [:], launcher: [String] = []) throws {
        state = try PostgresFixture.temporaryDirectory()
        self.settings = settings
        self.isDemo = isDemo
        self.launcher = launcher
        for (name, text) in files {
            try TextFile.write(text, to: state + "/" + name)
            chmod(state + "/" + name, 0o600)
        }
        LivingDaemons.add(self)
    }

    /// Starts a daemon over a new state directory and waits until it is ready; `settings` are variables on top of the fixture's own,
    /// `demo` gives it the demonstration's tenant. Ends with the test process.
    public static func start(_ settings: [String: String] = [:], demo: Bool = true) async throws -> DaemonProcess {
        let daemon = try DaemonProcess(settings: settings, isDemo: demo)
        try await daemon.start()
        return daemon
    }

    /// Starts a daemon for `body`, and ends it and removes its state afterwards.
    ///
    /// - Parameters:
    ///   - settings: variables on top of the fixture's own.
    ///   - demo: whether it gets the demonstration's tenant.
    ///   - files: what `state.dir` holds before the first start, readable by its owner alone: text by name.
    ///   - launcher: a command line in front of the daemon's, which becomes the daemon.
    ///   - body: the work.
    /// - Throws: what `body` throws, with the daemon's last words.
    public static func run(
        _ settings: [String: String] = [:], demo: Bool = true, files: [String: String] = [:], launcher: [String] = [],
        _ body: (DaemonProcess) async throws -> Void
    ) async throws {
        let daemon = try DaemonProcess(settings: settings, isDemo: demo, files: files, launcher: launcher)
        defer { daemon.erase() }
        do {
            try await daemon.start()
            try await body(daemon)
        } catch {
            throw ProcessFailure("\(error)\n-- the daemon's last words:\n\(daemon.logTail)")
        }
    }

    /// Starts it (again) on the same state and waits until it is ready.
    public func start() async throws {
        let number = life.withLock { life in
            life.number += 1
            return life.number
        }
        // Later lives keep the ports that the first one was given, as a real daemon's clients expect.
        let process = try await RunningProcess.start(
            launcher + (try Self.command(isDemo ? ["--demo"] : [])), environment: RunningProcess.environment(try variables(life: number)),
            output: log(number),
            deathSignal: SIGTERM)
        life.withLock { $0.process = process }
        let deadline = ContinuousClock.now + .seconds(120)
        while true {
            let hasEnded = process.exitStatus
            if let line = TextFile.read(log(number)).split(separator: "\n").first(where: { $0.hasPrefix("ready ") }) {
                return life.withLock { $0.ready = String(line) }
            }
            if let hasEnded { throw ProcessFailure("lastmiled ended with \(hasEnded) instead of being ready\n\(logTail)") }
            if ContinuousClock.now > deadline { throw ProcessFailure("lastmiled was not ready in two minutes\n\(logTail)") }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Ends it with SIGTERM.
    ///
    /// - Returns: its exit code.
    /// - Throws: `ProcessFailure` when it does not end within a minute.
    @discardableResult
    public func stop() async throws -> Int32 {
        guard let process = life.withLock({ $0.process }) else { throw ProcessFailure("the daemon was not started") }
        process.signal(SIGTERM)
        do { return try await process.end(within: 60) } catch { throw ProcessFailure("\(error)\n\(logTail)") }
    }

    /// Ends it as a power cut does, and waits until it is gone.
    public func kill() async throws {
        signal(SIGKILL)
        try await life.withLock({ $0.process })?.end()
    }

    public func signal(_ number: Int32) { life.withLock { $0.process }?.signal(number) }

    /// Its process in its present life; 0 before the first.
    public var identifier: Int32 { life.withLock { $0.process }?.identifier ?? 0 }

    /// Nil while it runs.
    public var exitStatus: Int32? { life.withLock { $0.process }?.exitStatus }

    /// What it wrote in its present life.
    public var output: String { TextFile.read(log(life.withLock { $0.number })) }

    /// The end of that, for messages.
    public var logTail: String { output.split(separator: "\n").suffix(40).joined(separator: "\n") }

    /// Kills it and its database, and removes its state.
    func erase() {
        signal(SIGKILL)
        try? eventuallyBlocking { exitStatus != nil || life.withLock { $0.process } == nil }
        guard ProcessInfo.processInfo.environment["LASTMILE_TEST_KEEP"] == nil else { return }
        databaseProcesses.forEach { _ = Glibc.kill($0, SIGKILL) }
        try? eventuallyBlocking { databaseProcesses.isEmpty }
        try? FileManager.default.removeItem(atPath: state)
    }

    // MARK: Addresses

    public var authenticationPort: UInt16 { port("radius-auth=") }
    public var accountingPort: UInt16 { port("radius-acct=") }
    /// Of RADIUS over TLS, also where it waits for certificates; 0 without it.
    public var radSecPort: UInt16 { max(port("radsec="), port("radsec-off=")) }
    /// Of RADIUS over DTLS, likewise.
    public var dtlsPort: UInt16 { max(port("radsec-dtls="), port("radsec-dtls-off=")) }
    /// Of RADIUS over TCP; 0 without it.
    public var tcpAuthenticationPort: UInt16 { port("radius-tcp-auth=") }
    /// Of home servers' CoA; 0 without it.
    public var dynamicAuthorizationPort: UInt16 { port("radius-coa=") }
    /// Such as `http://127.0.0.1:8080`.
    public var url: String { word("http=") }
    /// The bootstrap operator's: the one that it was given, or the one that it made.
    public var token: String {
        settings["LASTMILE_ADMIN_TOKEN"] ?? String(TextFile.read(state + "/admin.token").prefix { !$0.isWhitespace })
    }

    /// A client of its interface, as the operator.
    public var client: HTTPClient { HTTPClient(url: url, headers: [("Authorization", "Bearer " + token)]) }

    private func word(_ prefix: String) -> String {
        let ready = life.withLock { $0.ready }
        return ready.split(separator: " ").first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) } ?? ""
    }

    private func port(_ prefix: String) -> UInt16 {
        word(prefix).split(separator: ":").last.flatMap { UInt16($0) } ?? 0
    }

    // MARK: Database

    /// How its own PostgreSQL is reached as the superuser, past all tenants' walls.
    public var database: DatabaseConfiguration {
        PostgresFixture.configuration("host='\(state)/postgresql/socket' port=5432 user=postgres dbname=lastmile")
    }

    /// The rows of a query, each value as text; nil for null.
    public func query(_ sql: String) async throws -> [[String?]] {
        let database = database
        return try await onOwnThread {
            let connection = try Connection.open(database)
            defer { connection.close() }
            return try connection.queryAll(sql) { row in
                try (0..<row.columnCount).map { try row.optionalString($0) }
            }
        }
    }

    /// The process of its PostgreSQL server; nil when there is none.
    public var postmaster: Int32? {
        TextFile.read(state + "/postgresql/data/postmaster.pid").split(separator: "\n").first.flatMap { Int32($0) }
    }

    /// All processes that work in its cluster's directory.
    public var databaseProcesses: [Int32] { ProcessTable.processes(in: state + "/postgresql/data") }

    // MARK: Start

    /// The command line of the daemon as it is shipped.
    public static func command(_ options: [String]) throws -> [String] {
        [try Programs.path(of: "lastmiled"), "run", "--config", Programs.checkout + "/etc/lastmile.yaml"] + options
    }

    /// The variables of a daemon of this checkout over `state` that takes any free ports.
    public static func variables(state: String) -> [String: String] {
        [
            "LASTMILE_STATE_DIR": state, "LASTMILE_SHARE_DIR": Programs.checkout, "LASTMILE_RADIUS_AUTH_PORT": "0",
            "LASTMILE_RADIUS_ACCT_PORT": "0", "LASTMILE_HTTP_PORT": "0", "LASTMILE_RADSEC_PORT": "0",
        ]
    }

    private func variables(life number: Int) throws -> [String: String] {
        var all = Self.variables(state: state)
        var ports = (authentication: authenticationPort, accounting: accountingPort)
        if number == 1 { ports = (try LastingPorts.next(), try LastingPorts.next()) }
        all["LASTMILE_RADIUS_AUTH_PORT"] = "\(ports.authentication)"
        all["LASTMILE_RADIUS_ACCT_PORT"] = "\(ports.accounting)"
        return all.merging(settings) { $1 }
    }

    private func log(_ number: Int) -> String { "\(state)/daemon.\(number).log" }
}

/// Daemons that several tests share end with the test process.
private enum LivingDaemons {
    private static let all = Mutex<[DaemonProcess]>([])

    static func add(_ daemon: DaemonProcess) {
        let isFirst = all.withLock { all in
            all.append(daemon)
            return all.count == 1
        }
        if isFirst { atexit { LivingDaemons.all.withLock { $0 }.forEach { $0.erase() } } }
    }
}
