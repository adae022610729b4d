import Database
import Logging
import RadiusCore
import Support
import Testing

@testable import Provisioning

@Suite struct AuthLogShipperTests {
    @Test func writesWhatTheWorkersPushed() async throws {
        try await AccountingBench.run { bench in
            let rings = [AuthEventRing(), AuthEventRing()]
            let log = shipper(rings, bench.configuration)
            try log.start()
            push(rings[0], event(.accept, reason: 0, bench), "alice", "00-11", "ge-0/0/1")
            push(rings[1], event(.reject, reason: 7, bench), "bob", "", "")
            push(rings[1], event(.challenge, reason: 9, bench), "eve\0\n", "", "")
            push(rings[0], event(.silence, reason: 7, bench), "frank", "", "")
            try await settles({ log.statistics.written == 4 }, state: { "\(log.statistics)" })
            log.stop()
            let rows = try await bench.texts(
                """
                SELECT concat_ws('|', at, username, subscriber_id, outcome, reason, method, calling_station_id, nas_port_id, profile_id,
                    duration_microseconds) FROM aaa.auth_log ORDER BY username
                """)
            #expect(
                rows == [
                    "2026-03-01 12:00:00+00|alice|4|accept|accepted|pap|00-11|ge-0/0/1|5|321",
                    "2026-03-01 12:00:00+00|bob|4|reject|wrong-password|pap|5|321",
                    #"2026-03-01 12:00:00+00|eve\x00\x0a|4|challenge|reason-9|pap|5|321"#,
                    "2026-03-01 12:00:00+00|frank|4|silence|wrong-password|pap|5|321",
                ])
            #expect(try await bench.texts("SELECT count(DISTINCT id)::text FROM aaa.auth_log") == ["4"])
        }
    }

    @Test func theFirstAcceptedLoginBeginsTheValidity() async throws {
        try await AccountingBench.run { bench in
            let ring = AuthEventRing()
            let log = shipper([ring], bench.configuration)
            let (waiting, plain) = (try await bench.subscriber("waiting"), try await bench.subscriber("plain"))
            try await bench.execute("UPDATE aaa.subscriber SET validity = 3600 WHERE id = \(waiting)")
            for (outcome, offset) in [(AuthEvent.Outcome.reject, Int64(-60)), (.accept, 5), (.accept, 0), (.accept, 9)] {
                var login = event(outcome, reason: 0, bench)
                login.atMicroseconds += offset * 1_000_000
                login.subscriber = waiting
                push(ring, login, "waiting", "", "")
                login.subscriber = plain
                push(ring, login, "plain", "", "")
            }
            try log.start()
            log.stop()
            let rows = try await bench.texts(
                """
                SELECT concat_ws('|', username, activated_at AT TIME ZONE 'UTC', expires_at AT TIME ZONE 'UTC') FROM aaa.subscriber
                WHERE username IN ('waiting', 'plain') ORDER BY username DESC
                """)
            #expect(rows == ["waiting|2026-03-01 12:00:00|2026-03-01 13:00:00", "plain"])
            // A later login changes nothing.
            let again = shipper([ring], bench.configuration)
            var later = event(.accept, reason: 0, bench)
            later.atMicroseconds += 100_000_000
            later.subscriber = waiting
            push(ring, later, "waiting", "", "")
            try again.start()
            again.stop()
            #expect(
                try await bench.texts("SELECT expires_at AT TIME ZONE 'UTC' || '' FROM aaa.subscriber WHERE id = \(waiting)") == [
                    "2026-03-01 13:00:00"
                ])
        }
    }

    /// Each is changed so after a first log-in at noon had set an end at one o'clock.
    @Test(arguments: [
        // Another validity, or none of the ends that it had, begins anew with the next log-in.
        ("validity = 7200", "|"), ("expires_at = NULL", "|"), ("expires_at = NULL, validity = 3600", "|"),
        // An end that is given with it is no end of the former one.
        ("validity = 7200, expires_at = '2026-03-01 18:00:00+00'", "|2026-03-01 18:00:00"),
        // What says the same again, or gives an end, does not begin it anew.
        ("validity = 3600", "2026-03-01 12:00:00|2026-03-01 13:00:00"), ("validity = NULL", "2026-03-01 12:00:00|2026-03-01 13:00:00"),
        ("expires_at = '2026-03-01 18:00:00+00'", "2026-03-01 12:00:00|2026-03-01 18:00:00"),
    ])
    func aValidityBeginsAnew(change: String, expected: String) async throws {
        try await AccountingBench.run { bench in
            let id = try await bench.subscriber("voucher")
            try await bench.execute("UPDATE aaa.subscriber SET validity = 3600 WHERE id = \(id)")
            let login = "activated_at = '2026-03-01 12:00:00+00', expires_at = '2026-03-01 13:00:00+00'"
            try await bench.execute("UPDATE aaa.subscriber SET \(login) WHERE id = \(id)")
            try await bench.execute("UPDATE aaa.subscriber SET \(change) WHERE id = \(id)")
            let rows = try await bench.texts(
                """
                SELECT concat(activated_at AT TIME ZONE 'UTC', '|', expires_at AT TIME ZONE 'UTC') FROM aaa.subscriber WHERE id = \(id)
                """)
            #expect(rows == [expected])
        }
    }

    @Test func writesWhatIsLeftWhenItStops() async throws {
        try await AccountingBench.run { bench in
            let rings = [AuthEventRing(capacity: 1 << 21)]
            let log = shipper(rings, bench.configuration)
            for number in 0..<12_000 { push(rings[0], event(.reject, reason: 7, bench), "user\(number)", "", "") }
            try log.start()
            log.stop()
            #expect(log.statistics.written == 12_000)
            #expect(log.statistics.dropped == 0)
            #expect(try await bench.number("SELECT count(DISTINCT username) FROM aaa.auth_log") == 12_000)
        }
    }

    @Test func dropsAndCountsWhileTheDatabaseIsAway() async throws {
        let ring = AuthEventRing(capacity: 4096)
        let away = DatabaseConfiguration(conninfo: "host=/nonexistent dbname=none", connectTimeoutSeconds: 2)
        let log = shipper([ring], away)
        for _ in 0..<100 {
            let name = [UInt8](repeating: 0x61, count: 200)
            let none: [UInt8] = []
            let any = AuthEvent(
                atMicroseconds: 1, tenant: 1, nas: 1, subscriber: 0, profile: 0, outcome: .reject, method: 1, reason: 1)
            ring.push(any, userName: name.span, callingStation: none.span, nasPortID: none.span)
        }
        let dropped = log.statistics.dropped
        #expect(dropped > 50)
        try log.start()
        try await settles({ log.statistics.retries > 0 }, state: { "\(log.statistics)" })
        log.stop()
        #expect(log.statistics.written == 0)
        #expect(log.statistics.problem != nil)
        #expect(log.statistics.dropped == dropped)
    }

    @Test func theLogSaysWhenTheWaitIsOver() async throws {
        try await AccountingBench.run { bench in
            let kept = KeptLog(.notice)
            let ring = AuthEventRing()
            let log = shipper([ring], bench.configuration, logger: kept.logger)
            try await bench.pool.run { try $0.script("ALTER TABLE aaa.auth_log RENAME COLUMN username TO elsewhere") }
            push(ring, event(.accept, reason: 0, bench), "alice", "", "")
            try log.start()
            try await settles({ log.statistics.retries > 0 }, state: { "\(log.statistics)" })
            try await bench.pool.run { try $0.script("ALTER TABLE aaa.auth_log RENAME COLUMN elsewhere TO username") }
            try await settles({ log.statistics.written == 1 }, state: { "\(log.statistics)" })
            log.stop()
            #expect(kept.lines.first?.text == "warning: the authentication log waits for the database")
            #expect(kept.lines.last?.text == "notice: the authentication log has the database again")
        }
    }

    @Test func partitionsAreMadeAheadAndDroppedByAge() async throws {
        try await AccountingBench.run { bench in
            try await bench.pool.run { connection in
                try AccountingMaintenance(settings: AccountingBench.settings).run(connection, nowMicroseconds: AccountingBench.noon)
            }
            let made = try await bench.texts(partitions)
            #expect(made.first == "aaa.auth_log_20260228")
            #expect(made.last == "aaa.auth_log_20260308")
            #expect(made.count == 9)
            // 95 days on, with 90 days kept: the old ones go, new ones come.
            try await bench.pool.run { connection in
                let later = AccountingBench.noon + 95 * 86_400_000_000
                try AccountingMaintenance(settings: AccountingBench.settings).run(connection, nowMicroseconds: later)
            }
            let left = try await bench.texts(partitions)
            #expect(left.first == "aaa.auth_log_20260306")
            #expect(left.count == 3 + 9)
        }
    }

    private let partitions = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'aaa.auth_log'::regclass ORDER BY 1"

    private func shipper(
        _ rings: [AuthEventRing], _ configuration: DatabaseConfiguration, logger: Logger = AccountingBench.quiet
    ) -> AuthLogShipper {
        AuthLogShipper(
            rings: rings, configuration: configuration, reasonNames: [0: "accepted", 7: "wrong-password"], methodNames: [1: "pap"],
            logger: logger)
    }

    private func event(_ outcome: AuthEvent.Outcome, reason: UInt16, _ bench: AccountingBench) -> AuthEvent {
        AuthEvent(
            atMicroseconds: AccountingBench.noon, tenant: bench.tenant, nas: 3, subscriber: 4, profile: 5, durationMicroseconds: 321,
            outcome: outcome, method: 1, reason: reason)
    }

    private func push(_ ring: AuthEventRing, _ event: AuthEvent, _ name: String, _ calling: String, _ port: String) {
        let (name, calling, port) = (Array(name.utf8), Array(calling.utf8), Array(port.utf8))
        ring.push(event, userName: name.span, callingStation: calling.span, nasPortID: port.span)
    }
}
