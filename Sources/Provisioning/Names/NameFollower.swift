public import Database
public import Logging
import RadiusCore
import Synchronization

/// Keeps the addresses of NAS and home servers as DNS has them that are known by a name.
///
/// One thread with one connection; over all nodes one at a time looks names up, as long as its connection lives. A new address travels by
/// the change feed as any other change does. Where DNS has nothing to say, the address of before stays in force.
public final class NameFollower: Sendable {
    /// What this node knows now; without a turn, of names at all nothing.
    public struct State: Sendable, Equatable {
        public var hasTurn = false
        public var names = 0
        /// Names whose last look-up brought nothing.
        public var failing = 0
        public var lastError: String?
    }

    /// A row with a name.
    private struct Entry {
        enum Kind: String {
            case nas = "nas"
            case homeServer = "home_server"

            /// A NAS may be a network; it is one address where DNS knows it.
            var addressType: String { self == .nas ? "cidr" : "inet" }
        }

        let kind: Kind
        let id: Int64
        let label: String
        let name: String
        /// Nil before the first look-up.
        let address: String?
        let error: String?

        var key: String { "\(kind.rawValue) \(id) \(name)" }
        var title: String { kind == .nas ? "NAS \(label)" : "home server \(label)" }
    }

    private let configuration: DatabaseConfiguration
    private let milliseconds: Int64
    private let logger: Logger
    private let lookUp: @Sendable (String) -> NameAnswer
    private let thread = ShipperThread()
    private let current = Mutex(State())

    private static let pollMilliseconds = 1000
    /// A name that has no address yet, or brought nothing, is looked up again after that at the latest.
    private static let retryMilliseconds: Int64 = 10_000
    /// After so many names in a row without an answer the name server is silent to all.
    private static let silenceLimit = 3

    /// - Parameters:
    ///   - configuration: one connection is opened to it.
    ///   - seconds: from one look-up of a name to the next.
    ///   - logger: is told of changes and failures.
    ///   - lookUp: may block.
    public init(
        configuration: DatabaseConfiguration, seconds: Int, logger: Logger,
        lookUp: @escaping @Sendable (String) -> NameAnswer = NameAnswer.lookUp
    ) {
        self.configuration = configuration
        milliseconds = Int64(seconds) * 1000
        self.logger = logger
        self.lookUp = lookUp
    }

    deinit { thread.stop() }

    /// Any thread.
    public var state: State { current.withLock { $0 } }

    /// Starts the thread; the database may be away.
    ///
    /// - Throws: `DatabaseError` when the system gives no thread.
    public func start() throws {
        guard thread.start({ [self] in run() }) else {
            throw DatabaseError("53000", "the system gives no thread for DNS names", hint: "raise the limit of processes")
        }
    }

    /// Ends the thread without waiting for a look-up that is under way. Blocks.
    public func stop() { thread.stop() }

    private func run() {
        var connection: Connection?
        /// When names are due.
        var due: [String: Int64] = [:]
        while !thread.isStopping {
            do {
                let working = try connection ?? Connection.open(configuration)
                connection = working
                if try takeTurn(working) { try round(working, &due) }
                current.withLock { $0.lastError = nil }
            } catch {
                connection?.close()
                connection = nil
                report(error)
            }
            thread.pause(milliseconds: Int64(Self.pollMilliseconds))
        }
        connection?.close()
    }

    /// Whether no other node looks names up. The turn ends with the connection.
    private func takeTurn(_ connection: Connection) throws -> Bool {
        if connection.isOpen, current.withLock({ $0.hasTurn }) { return true }
        let hasTurn = try connection.queryOne("SELECT pg_try_advisory_lock(hashtextextended('lastmile.names', 0))")?.bool(0) ?? false
        current.withLock { $0.hasTurn = hasTurn }
        return hasTurn
    }

    private func round(_ connection: Connection, _ due: inout [String: Int64]) throws {
        let entries = try entries(connection)
        let now = WallClock.monotonicMilliseconds
        due = due.filter { known in entries.contains { $0.key == known.key } }
        var failing = Set(entries.filter { $0.error != nil }.map(\.key))
        var silent = 0
        for entry in entries.sorted(by: { due[$0.key] ?? 0 < due[$1.key] ?? 0 }) where due[entry.key] ?? 0 <= now {
            if silent == Self.silenceLimit { break }
            guard let answer = answer(entry.name) else { break }
            let error = try follow(entry, answer, connection)
            if case .unavailable = answer { silent += 1 } else { silent = 0 }
            if error == nil { failing.remove(entry.key) } else { failing.insert(entry.key) }
            let pause = error == nil ? milliseconds : min(milliseconds, Self.retryMilliseconds)
            due[entry.key] = WallClock.monotonicMilliseconds + pause
        }
        let count = failing.count
        current.withLock { ($0.names, $0.failing) = (entries.count, count) }
    }

    private final class Reply: Sendable {
        let answer = Mutex<NameAnswer?>(nil)
    }

    /// Nil when the thread is told to end first: a silent name server shall not hold up a stop.
    private func answer(_ name: String) -> NameAnswer? {
        let reply = Reply()
        let isAsked = Thread.startIfPossible(name: "dns-look-up") { [lookUp, wake = thread.wake] in
            let answer = lookUp(name)
            reply.answer.withLock { $0 = answer }
            wake.signal()
        }
        guard isAsked else { return .unavailable("the system gives no thread to ask with") }
        while !thread.isStopping {
            if let answer = reply.answer.withLock({ $0 }) { return answer }
            thread.wake.wait(timeoutMilliseconds: Self.pollMilliseconds)
        }
        return nil
    }

    private func entries(_ connection: Connection) throws -> [Entry] {
        try connection.transaction(.system, readOnly: true) { connection in
            try connection.queryAll(
                """
                -- names.entries
                SELECT 'nas', id, name, dns_name, host(address), dns_error FROM aaa.nas WHERE dns_name IS NOT NULL
                UNION ALL
                SELECT 'home_server', id, name, dns_name, host(address), dns_error FROM aaa.home_server WHERE dns_name IS NOT NULL
                """
            ) { row in
                Entry(
                    kind: Entry.Kind(rawValue: try row.string(0)) ?? .nas, id: try row.int64(1), label: try row.string(2),
                    name: try row.string(3), address: try row.optionalString(4), error: try row.optionalString(5))
            }
        }
    }

    /// Stores what a look-up brought.
    ///
    /// - Returns: why it brought nothing; nil when the address is as DNS has it.
    private func follow(_ entry: Entry, _ answer: NameAnswer, _ connection: Connection) throws -> String? {
        switch answer {
        case .nothing(let reason), .unavailable(let reason):
            try fail(entry, reason, connection)
            return reason
        case .addresses(let addresses):
            // Of several the one in force is as good as any.
            if let address = entry.address, addresses.contains(address), entry.error == nil { return nil }
            let chosen = entry.address.flatMap { addresses.contains($0) ? $0 : nil } ?? addresses[0]
            do {
                try move(entry, to: chosen, connection)
            } catch SQLState.uniqueViolation {
                let reason = "DNS has \(chosen) for it, which is the address of another NAS"
                try fail(entry, reason, connection)
                return reason
            }
            return nil
        }
    }

    private func move(_ entry: Entry, to address: String, _ connection: Connection) throws {
        _ = try connection.transaction(.system) { connection in
            try connection.execute(
                """
                -- names.move
                UPDATE aaa.\(entry.kind.rawValue)
                SET address = $2::\(entry.kind.addressType), dns_error = NULL, version = version + 1, updated_at = now()
                WHERE id = $1 AND dns_name = $3
                """, [.int(entry.id), .text(address), .text(entry.name)])
        }
        if address != entry.address {
            logger.notice("\(entry.title): \(entry.name) is \(address) now", metadata: ["before": "\(entry.address ?? "unknown")"])
        } else {
            logger.notice("\(entry.title): \(entry.name) is found again, at \(address)")
        }
    }

    private func fail(_ entry: Entry, _ reason: String, _ connection: Connection) throws {
        guard entry.error != reason else { return }
        _ = try connection.transaction(.system) { connection in
            try connection.execute(
                """
                -- names.fail
                UPDATE aaa.\(entry.kind.rawValue) SET dns_error = $2, version = version + 1, updated_at = now()
                WHERE id = $1 AND dns_name = $3
                """, [.int(entry.id), .text(reason), .text(entry.name)])
        }
        let consequence = entry.address.map { "it stays at \($0)" } ?? "it cannot be reached"
        logger.warning("\(entry.title): \(entry.name): \(reason); \(consequence)")
    }

    private func report(_ error: any Error) {
        let text = "\(error)"
        let isNew = current.withLock { state in
            defer { (state.lastError, state.hasTurn) = (text, false) }
            return state.lastError != text
        }
        if isNew { logger.error("DNS names cannot be followed: \(text)") }
    }
}
