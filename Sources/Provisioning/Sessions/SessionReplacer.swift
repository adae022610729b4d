public import Database
public import Logging
public import RadiusCore

/// Ends the sessions that give way to newer ones, by Disconnect-Request.
public struct SessionReplacer: Sendable {
    private let pool: Pool
    private let control: SessionControl
    private let census: SessionCensus
    private let logger: Logger

    /// A session that began a moment ago is in the database after so many looks at the latest.
    private static let looks = 40
    private static let pause = Duration.milliseconds(250)
    /// Times that a connection of the NAS is looked for: within the minute for which the session does not count.
    private static let attempts = 6
    private let longPause: Duration
    /// Taken with each pause: a thousand a second.
    private static let atOnce = 256

    public init(pool: Pool, control: SessionControl, census: SessionCensus, logger: Logger, pause: Duration = .seconds(10)) {
        self.pool = pool
        self.control = control
        self.census = census
        self.logger = logger
        longPause = pause
    }

    /// Works until the task is cancelled. NASes are asked side by side, so that a silent one holds nobody else up.
    public func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                for replacement in census.takeReplacements(atMost: Self.atOnce) {
                    group.addTask { await end(replacement) }
                }
                try? await Task.sleep(for: Self.pause)
            }
            group.cancelAll()
        }
    }

    private func end(_ replacement: SessionCensus.Replacement) async {
        do {
            for _ in 0..<Self.looks where !Task.isCancelled {
                if let session = try await find(replacement) { return try await disconnect(session, replacement) }
                try await Task.sleep(for: Self.pause)
            }
        } catch is SessionControlError {
            // It ended meanwhile.
        } catch {
            if !Task.isCancelled { logger.warning("subscriber \(replacement.subscriber): a replaced session goes on: \(error)") }
        }
    }

    /// Ends the session; where its NAS has no connection to this node, it is looked for again for a while.
    private func disconnect(_ session: (id: Int64, userName: String), _ replacement: SessionCensus.Replacement) async throws {
        var message = ""
        for attempt in 0..<Self.attempts {
            if attempt > 0 { try await Task.sleep(for: longPause) }
            let result = try await control.disconnect(tenant: replacement.tenant, session: session.id, by: "session limit")
            guard result.outcome.isPassing else { return }
            message = result.message
            // Silence has lasted half a minute.
            if case .timeout = result.outcome { break }
        }
        logger.warning(
            """
            subscriber \(session.userName): session \(session.id) was to give way to a newer one and goes on, its NAS could not be \
            told: \(message)
            """)
    }

    /// The row of the session; nil while accounting has not brought it there, or once it has ended.
    private func find(_ replacement: SessionCensus.Replacement) async throws -> (id: Int64, userName: String)? {
        try await pool.transaction(.tenant(replacement.tenant), readOnly: true) { connection in
            let open = try connection.queryAll(
                "SELECT id, nas_id, session_key, username FROM aaa.session WHERE subscriber_id = $1 AND stopped_at IS NULL ORDER BY id",
                [.int(replacement.subscriber)]
            ) { row in
                let trace = SessionTrace(key: try row.bytes(2), nas: try row.int64(1), callingStation: [])
                return (trace: trace, found: (id: try row.int64(0), userName: try row.string(3)))
            }
            return open.first { $0.trace.session == replacement.trace.session }?.found
        }
    }
}
