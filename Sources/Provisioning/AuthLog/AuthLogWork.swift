import Database
import Logging
import RadiusCore

/// The authentication log's loop.
struct AuthLogWork: Sendable {
    static let batchEvents = 5000
    static let drainMilliseconds = 200
    static let longestPauseMilliseconds: Int64 = 5000

    let rings: [AuthEventRing]
    let database: DatabaseConfiguration
    let reasons: [UInt16: String]
    let methods: [UInt8: String]
    let logger: Logger

    /// Log thread: until it is stopped and the rings are empty, or the database does not take them.
    func run(_ thread: ShipperThread, _ counters: AuthLogCounters) {
        var events: [AuthEventRing.Entry] = []
        var connection: Connection?
        var pause = ShipperWork.firstPauseMilliseconds
        while true {
            let isLast = thread.isStopping
            if events.isEmpty { events = drain() }
            do {
                while !events.isEmpty {
                    let open = try connection ?? Connection.open(database)
                    connection = open
                    try write(events[...], open, counters)
                    events = drain()
                }
                pause = ShipperWork.firstPauseMilliseconds
                if isLast { break }
                thread.wake.wait(timeoutMilliseconds: Self.drainMilliseconds)
            } catch {
                counters.failed("\(error)")
                logger.warning("the authentication log waits for the database", metadata: ["reason": "\(error)"])
                connection?.close()
                connection = nil
                if isLast { break }
                thread.pause(milliseconds: pause)
                pause = min(pause * 2, Self.longestPauseMilliseconds)
            }
        }
        connection?.close()
    }

    private func drain() -> [AuthEventRing.Entry] {
        var events: [AuthEventRing.Entry] = []
        for ring in rings where events.count < Self.batchEvents {
            _ = ring.drain(limit: Self.batchEvents - events.count) { events.append($0) }
        }
        return events
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

    private func store(_ events: ArraySlice<AuthEventRing.Entry>, _ connection: Connection) throws {
        for day in Set(events.map { $0.event.atMicroseconds / 86_400_000_000 }) {
            let moment = SQLValue.timestamp(microsecondsSinceUnixEpoch: day * 86_400_000_000)
            try connection.query("SELECT aaa.ensure_partitions('auth_log', 'day', $1, $1)", [moment]) { _ in }
        }
        _ = try connection.transaction(.system) { try $0.execute(Self.statement, parameters(events.map(\.event), events)) }
    }

    /// COPY would be refused on a table with row-level security.
    private static let statement = """
        -- auth_log.insert
        INSERT INTO aaa.auth_log (tenant_id, at, nas_id, username, subscriber_id, outcome, reason, method, calling_station_id, nas_port_id,
            profile_id, duration_microseconds)
        SELECT n.tenant, aaa.instant(n.at), nullif(n.nas, 0), n.username, nullif(n.subscriber, 0), n.outcome, n.reason, n.method,
            nullif(n.calling, ''), nullif(n.port, ''), nullif(n.profile, 0), n.duration
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::text[], $11::bigint[], $12::bigint[])
            AS n(tenant, at, nas, username, subscriber, outcome, reason, method, calling, port, profile, duration)
        """

    private func parameters(_ events: [AuthEvent], _ entries: ArraySlice<AuthEventRing.Entry>) -> [SQLValue] {
        [
            .intArray(events.map(\.tenant)), .intArray(events.map(\.atMicroseconds)), .intArray(events.map(\.nas)),
            .textArray(entries.map { StorableText.of($0.userName) }), .intArray(events.map(\.subscriber)),
            .textArray(events.map(\.outcome.name)), .textArray(events.map { reasons[$0.reason] ?? "reason-\($0.reason)" }),
            .textArray(events.map { methods[$0.method] ?? "method-\($0.method)" }),
            .textArray(entries.map { StorableText.of($0.callingStation) }), .textArray(entries.map { StorableText.of($0.nasPortID) }),
            .intArray(events.map(\.profile)), .intArray(events.map(\.durationMicroseconds)),
        ]
    }
}

extension AuthEvent.Outcome {
    /// The value of `aaa.auth_log.outcome`.
    var name: String {
        switch self {
        case .accept: "accept"
        case .reject: "reject"
        case .challenge: "challenge"
        }
    }
}
