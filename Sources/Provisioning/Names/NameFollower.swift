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

    /// What is known from one round to the next, by the keys of entries.
    private struct Memory {
        /// When names are due.
        var due: [String: Int64] = [:]
        /// Why what was looked up could not be stored.
        var faults: [String: String] = [:]

        mutating func forget(allBut keys: Set<String>) {
            due = due.filter { keys.contains($0.key) }
            faults = faults.filter { keys.contains($0.key) }
        }
    }

    /// One pass over the names that are due.
    private struct Round {
        let store: NameStore
        /// Keys of NAS that lost their address to another since they were read: their turn comes with the next round.
        var vacated: Set<String> = []
        /// Entries in a row for which a name server was asked that did not answer.
        var silent = 0
        /// That is so of the one at hand.
        var isSilent = false
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
        var memory = Memory()
        while !thread.isStopping {
            do {
                let working = try connection ?? Connection.open(configuration)
                connection = working
                if try takeTurn(working) { try round(NameStore(connection: working), &memory) }
                if current.withLock({ $0.lastError.take() }) != nil { logger.notice("DNS names are followed again") }
            } catch is CancellationError {
                break
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

    private func round(_ store: NameStore, _ memory: inout Memory) throws {
        let entries = try store.entries()
        let now = WallClock.monotonicMilliseconds
        memory.forget(allBut: Set(entries.map(\.key)))
        var failing = Set(entries.filter { $0.error != nil || memory.faults[$0.key] != nil }.map(\.key))
        var round = Round(store: store)
        let due = memory.due
        for entry in entries.sorted(by: { due[$0.key] ?? 0 < due[$1.key] ?? 0 }) where due[entry.key] ?? 0 <= now {
            if round.silent == Self.silenceLimit { break }
            if round.vacated.contains(entry.key) { continue }
            let error = try attempt(entry, &round, &memory)
            if error == nil { failing.remove(entry.key) } else { failing.insert(entry.key) }
            let pause = error == nil ? milliseconds : min(milliseconds, Self.retryMilliseconds)
            memory.due[entry.key] = WallClock.monotonicMilliseconds + pause
        }
        let count = failing.count
        current.withLock { ($0.names, $0.failing) = (entries.count, count) }
    }

    /// Looks one name up and stores what that brought. What the database refuses for one entry holds up no other.
    ///
    /// - Returns: why it brought nothing; nil when the address is as DNS has it.
    private func attempt(_ entry: NamedEntry, _ round: inout Round, _ memory: inout Memory) throws -> String? {
        round.isSilent = false
        defer { round.silent = round.isSilent ? round.silent + 1 : 0 }
        do {
            let error = try follow(entry, try ask(entry.name, &round), &round)
            for key in round.vacated { memory.due[key] = nil }
            memory.faults[entry.key] = nil
            return error
        } catch let error as DatabaseError where round.store.connection.isOpen {
            let text = "\(error)"
            if memory.faults.updateValue(text, forKey: entry.key) != text {
                logger.error("\(entry.title): what DNS says of \(entry.name) cannot be stored: \(text)")
            }
            return text
        }
    }

    private final class Reply: Sendable {
        let answer = Mutex<NameAnswer?>(nil)
    }

    /// - Throws: `CancellationError` when the thread is told to end first: a silent name server shall not hold up a stop.
    private func ask(_ name: String, _ round: inout Round) throws -> NameAnswer {
        let answer = try answer(name)
        if case .unavailable = answer { round.isSilent = true }
        return answer
    }

    private func answer(_ name: String) throws -> NameAnswer {
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
        throw CancellationError()
    }

    /// Stores what a look-up brought.
    private func follow(_ entry: NamedEntry, _ answer: NameAnswer, _ round: inout Round) throws -> String? {
        let reason: String
        switch answer {
        case .nothing(let why), .unavailable(let why): reason = why
        case .addresses(let addresses):
            // Of several the one in force is as good as any.
            if let address = entry.address, addresses.contains(address), entry.error == nil { return nil }
            let chosen = entry.address.flatMap { addresses.contains($0) ? $0 : nil } ?? addresses[0]
            if try move(entry, to: chosen, &round) { return nil }
            reason = "DNS has \(chosen) for it, which is the address of another NAS"
        }
        try fail(entry, reason, round.store)
        return reason
    }

    /// Whether `entry` has the address now; else another NAS has it.
    private func move(_ entry: NamedEntry, to address: String, _ round: inout Round) throws -> Bool {
        do {
            try round.store.move(entry, to: address)
        } catch SQLState.uniqueViolation where entry.kind == .nas {
            return try take(address, for: entry, &round)
        }
        noteMove(entry, address)
        return true
    }

    /// Takes the address from a NAS whose own name is elsewhere by now: two that swap theirs would block each other for ever.
    private func take(_ address: String, for entry: NamedEntry, _ round: inout Round) throws -> Bool {
        guard let holder = try round.store.holder(of: address, insteadOf: entry) else { return false }
        guard case .addresses(let others) = try ask(holder.name, &round), !others.contains(address) else { return false }
        do {
            try round.store.move(entry, to: address, takenFrom: holder)
        } catch SQLState.uniqueViolation {
            return false
        }
        round.vacated.insert(holder.key)
        logger.notice("\(holder.title): \(holder.name) is not \(address) any more, which \(entry.title) has now")
        noteMove(entry, address)
        return true
    }

    private func noteMove(_ entry: NamedEntry, _ address: String) {
        if address != entry.address {
            logger.notice("\(entry.title): \(entry.name) is \(address) now", metadata: ["before": "\(entry.address ?? "unknown")"])
        } else {
            logger.notice("\(entry.title): \(entry.name) is found again, at \(address)")
        }
    }

    private func fail(_ entry: NamedEntry, _ reason: String, _ store: NameStore) throws {
        guard entry.error != reason else { return }
        try store.fail(entry, reason)
        let consequence = entry.address.map { "it stays at \($0)" } ?? "it cannot be reached"
        logger.warning("\(entry.title): \(entry.name): \(reason); \(consequence)")
    }

    private func report(_ error: any Error) {
        let text = "\(error)"
        let isNew = current.withLock { state in
            defer { state = State(lastError: text) }
            return state.lastError != text
        }
        if isNew { logger.error("DNS names cannot be followed: \(text)") }
    }
}
