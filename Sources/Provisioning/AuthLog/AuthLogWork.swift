import Database
import Logging
import RadiusCore

/// The authentication log's loop.
struct AuthLogWork: Sendable {
    /// Between two batches: short, so that storing one takes the processor from nobody for long.
    static let drainMilliseconds: Int64 = 25
    /// At the stop what the rings hold is stored as fast as the database takes it.
    private static let lastBatchEvents = 5000
    static let longestPauseMilliseconds: Int64 = 5000

    let rings: [AuthEventRing]
    let database: DatabaseConfiguration
    let reasons: [UInt16: String]
    let methods: [UInt8: String]
    /// Events a second that are stored, on average; more wait in their rings. A flood of log-ins must not become one of the database.
    let eventsPerSecond: Int
    let hooks: HookQueue?
    let logger: Logger

    private var batchEvents: Int { max(1, eventsPerSecond * Int(Self.drainMilliseconds) / 1000) }

    /// Log thread: until it is stopped and the rings are empty, or the database does not take them.
    func run(_ thread: ShipperThread, _ counters: AuthLogCounters) {
        var events: [AuthEventRing.Entry] = []
        var connection: Connection?
        var days: Set<UTCDay> = []
        var pause = ShipperWork.firstPauseMilliseconds
        var waits = false
        while true {
            let isLast = thread.isStopping
            if events.isEmpty { events = drain(isLast ? Self.lastBatchEvents : batchEvents) }
            do {
                while !events.isEmpty {
                    let open = try connection ?? Connection.open(database)
                    connection = open
                    try ensurePartitions(events, &days, open)
                    try write(events[...], open, counters)
                    events = []
                    if waits { logger.notice("the authentication log has the database again") }
                    waits = false
                    if isLast { events = drain(Self.lastBatchEvents) }
                }
                pause = ShipperWork.firstPauseMilliseconds
                if isLast { break }
                thread.pause(milliseconds: Self.drainMilliseconds)
            } catch {
                counters.failed("\(error)")
                waits = true
                logger.warning("the authentication log waits for the database", metadata: ["reason": "\(error)"])
                connection?.close()
                connection = nil
                days = []
                if isLast { break }
                thread.pause(milliseconds: pause)
                pause = min(pause * 2, Self.longestPauseMilliseconds)
            }
        }
        connection?.close()
    }

    private func drain(_ limit: Int) -> [AuthEventRing.Entry] {
        var events: [AuthEventRing.Entry] = []
        for ring in rings where events.count < limit {
            _ = ring.drain(limit: limit - events.count) { events.append($0) }
        }
        return events
    }

    /// Makes the partitions of days that this connection has not yet written to.
    private func ensurePartitions(_ events: [AuthEventRing.Entry], _ known: inout Set<UTCDay>, _ connection: Connection) throws {
        for day in Set(events.map { UTCDay(microseconds: $0.event.atMicroseconds) }).subtracting(known) {
            let moment = SQLValue.timestamp(microsecondsSinceUnixEpoch: day.daysSince1970 * 86_400_000_000)
            try connection.query("SELECT aaa.ensure_partitions('auth_log', 'day', $1, $1)", [moment]) { _ in }
            known.insert(day)
        }
    }

    /// Writes events; those that the database refuses for their content are found by halving, dropped and counted.
    private func write(_ events: ArraySlice<AuthEventRing.Entry>, _ connection: Connection, _ counters: AuthLogCounters) throws {
        do {
            try store(events, connection)
            counters.written(events.count)
        } catch let error as DatabaseError where error.code.classCode == "22" || error.code.classCode == "23" {
            guard events.count > 1 else {
                logger.error("an event of the authentication log is dropped", metadata: ["reason": "\(error)"])
                return counters.dropped()
            }
            let middle = events.startIndex + events.count / 2
            try write(events[..<middle], connection, counters)
            try write(events[middle...], connection, counters)
        }
    }

    /// By COPY straight into the partition of each day, which carries no row-level security and may only be written to.
    private func store(_ events: ArraySlice<AuthEventRing.Entry>, _ connection: Connection) throws {
        let days = Dictionary(grouping: events) { UTCDay(microseconds: $0.event.atMicroseconds) }
        try connection.transaction(.system) { connection in
            for (day, events) in days {
                try connection.copyIn("COPY aaa.auth_log_\(day.name) (\(Self.columns)) FROM STDIN (FORMAT binary)") { writer in
                    for entry in events { try write(entry, &writer) }
                }
            }
            try FirstLogins.activate(events, connection)
            try FirstBindings.bind(events, connection)
            try hooks?.add(events, words, connection)
        }
    }

    private func words(_ event: AuthEvent) -> (reason: String, method: String) {
        (reasons[event.reason] ?? "reason-\(event.reason)", methods[event.method] ?? "method-\(event.method)")
    }

    private static let columns = """
        tenant_id, at, nas_id, username, subscriber_id, outcome, reason, method, calling_station_id, nas_port_id, profile_id, \
        duration_microseconds, home_server_id, binding, circuit_id, remote_id
        """

    private func write(_ entry: AuthEventRing.Entry, _ writer: inout CopyWriter) throws {
        let event = entry.event
        let (reason, method) = words(event)
        try writer.row(columns: 16)
        try writer.int8(event.tenant)
        try writer.timestamp(microsecondsSinceUnixEpoch: event.atMicroseconds)
        try writer.numberOrNull(event.nas)
        try StorableText.octets(of: entry.userName).withUnsafeBytes { try writer.text(octets: $0) }
        try writer.numberOrNull(event.subscriber)
        try writer.text(event.outcome.name)
        try writer.text(reason)
        try writer.text(method)
        try writer.storable(entry.callingStation)
        try writer.storable(entry.nasPortID)
        try writer.numberOrNull(event.profile)
        try writer.int8(event.durationMicroseconds)
        try writer.numberOrNull(event.homeServer)
        if let word = event.binding.word { try writer.text(word) } else { try writer.null() }
        for line in [entry.circuitID, entry.remoteID] {
            if line.isEmpty { try writer.null() } else { try writer.text(SubscriberBindings.text(line)) }
        }
    }
}

extension AuthEvent.Outcome {
    /// The value of `aaa.auth_log.outcome`.
    var name: String {
        switch self {
        case .accept: "accept"
        case .reject: "reject"
        case .challenge: "challenge"
        case .silence: "silence"
        }
    }
}
