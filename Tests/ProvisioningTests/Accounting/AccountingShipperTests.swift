import Database
import Logging
import RadiusCore
import Support
import Testing

@testable import Provisioning

@Suite struct AccountingShipperTests {
    @Test func aSessionArrivesWithAllThatTheNASSaid() async throws {
        try await AccountingBench.run { bench in
            let subscriber = try await bench.subscriber("alice")
            var start = AccountingPacket(1, event: 0)
            start.attributes += [
                (4, [192, 0, 2, 1]), (5, [0, 0, 0, 9]), (61, [0, 0, 0, 15]), (31, Array("00-11-22".utf8)), (30, Array("svc".utf8)),
                (8, [203, 0, 113, 7]), (25, [0xde, 0xad]), (25, [1]),
            ]
            var interim = AccountingPacket(3, event: 600, seconds: 600, upload: 5_000_000_000, download: 70)
            interim.attributes += [(4, [192, 0, 2, 1]), (5, [0, 0, 0, 9]), (123, [0, 56, 0x20, 1, 0xd, 0xb8, 0, 1, 0xff])]
            let statistics = try await bench.ship([start, interim])
            #expect(statistics.opened == 1)
            #expect(statistics.records == 2)
            let row = try await bench.texts(
                """
                SELECT concat_ws('|', subscriber_id, username, acct_session_id, nas_identifier, nas_address, nas_port, nas_port_type,
                    calling_station_id, called_station_id, framed_ipv4, delegated_ipv6_prefix, class, started_at, updated_at, stopped_at,
                    session_seconds, upload_octets, download_octets) FROM aaa.session
                """)
            #expect(
                row == [
                    "\(subscriber)|alice|s1|bras1|192.0.2.1|9|15|00-11-22|svc|203.0.113.7|2001:db8:1:ff00::/56|dead 01|"
                        + "2026-03-01 12:00:00+00|2026-03-01 12:10:00+00|600|5000000000|70"
                ])
            let usage = try await bench.texts(
                "SELECT concat_ws('|', day, upload_octets, download_octets, session_seconds) FROM aaa.usage")
            #expect(usage == ["2026-03-01|5000000000|70|600"])
            let records = try await bench.texts(
                """
                SELECT concat_ws('|', sequence, status, session_id IS NOT NULL, coalesce(session_seconds, -1), upload_octets)
                FROM aaa.accounting_record ORDER BY sequence
                """)
            #expect(records == ["1|1|t|-1|0", "2|3|t|600|5000000000"])
        }
    }

    @Test func aStopClosesAndItsRetransmissionChangesNothing() async throws {
        try await AccountingBench.run { bench in
            var stop = AccountingPacket(2, event: 900, seconds: 900, upload: 10, download: 20)
            stop.attributes.append((49, [0, 0, 0, 4]))
            try await bench.ship([AccountingPacket(1, event: 0), stop])
            // As after a crash that lost the reply: the NAS sends again, with a delay.
            stop.attributes.append((41, [0, 0, 0, 30]))
            stop.receivedMicroseconds += 30_000_000
            let statistics = try await bench.ship([stop])
            #expect(statistics.duplicates == 1)
            #expect(try await bench.number("SELECT count(*) FROM aaa.accounting_record") == 2)
            let rows = try await bench.texts("SELECT concat_ws('|', stopped_at, terminate_cause, ended_by, upload_octets) FROM aaa.session")
            #expect(rows == ["2026-03-01 12:15:00+00|Idle-Timeout|stop|10"])
        }
    }

    /// Each attempt gets a connection, and none can store anything.
    @Test func theLogSaysThatTheWaitIsOverWhenRecordsAreStored() async throws {
        try await AccountingBench.run { bench in
            let kept = KeptLog(.notice)
            let journal = try bench.openJournal()
            defer { journal.close() }
            try bench.append(AccountingPacket(1, event: 0), to: journal)
            let shipper = AccountingShipper(
                journal: journal, configuration: bench.configuration, node: "node1", settings: AccountingBench.settings,
                logger: kept.logger)
            try await bench.pool.run { try $0.script("ALTER TABLE aaa.session_header RENAME TO elsewhere") }
            try shipper.start()
            defer { shipper.stop() }
            try await settles({ shipper.statistics.retries > 2 }, state: { "\(shipper.statistics)" })
            try await bench.pool.run { try $0.script("ALTER TABLE aaa.elsewhere RENAME TO session_header") }
            try await settles({ try await bench.isShipped(journal, "node1") }, state: { "\(shipper.statistics)" })
            let over = "notice: accounting has the database again"
            try await eventually { kept.lines.contains { $0.text == over } }
            let told = kept.lines.map(\.text).filter { $0 == over || $0 == "warning: accounting waits for the database" }
            #expect(told.count > 2 && told.last == over && told.count { $0 == over } == 1)
        }
    }

    @Test func usageBelongsToTheTenantsDay() async throws {
        // 18:30 UTC is midnight in Kolkata.
        try await AccountingBench.run(timeZone: "Asia/Kolkata") { bench in
            _ = try await bench.subscriber("alice")
            let midnight: Int64 = 6 * 3600 + 1800
            try await bench.ship([
                AccountingPacket(1, event: 0), AccountingPacket(3, event: midnight - 1, seconds: 100, upload: 1),
                AccountingPacket(3, event: midnight, seconds: 200, upload: 10),
                AccountingPacket(3, event: midnight + 1, seconds: 300, upload: 100),
            ])
            let usage = try await bench.texts("SELECT concat_ws('|', day, upload_octets, session_seconds) FROM aaa.usage ORDER BY day")
            #expect(usage == ["2026-03-01|10|200", "2026-03-02|90|100"])
            // The day that ended is booked, the one that goes on stands in the session's row.
            #expect(try await bench.texts("SELECT concat_ws('|', day, upload_octets) FROM aaa.usage_day") == ["2026-03-01|10"])
            let kept = try await bench.texts(
                "SELECT concat_ws('|', booked_day, upload_octets - booked_upload) FROM aaa.session WHERE upload_octets > 0")
            #expect(kept == ["2026-03-02|90"])
            try await bench.ship([
                AccountingPacket(3, session: "s2", event: midnight + 5, seconds: 60, upload: 7),
                AccountingPacket(3, session: "s2", event: midnight + 86_401, seconds: 86_456, upload: 9),
            ])
            let later = try await bench.texts("SELECT concat_ws('|', day, upload_octets) FROM aaa.usage ORDER BY day")
            #expect(later == ["2026-03-01|10", "2026-03-02|97", "2026-03-03|2"])
        }
    }

    @Test func aMisspeltZoneCountsAsUTC() async throws {
        try await AccountingBench.run(timeZone: "Mars/Olympus") { bench in
            let subscriber = try await bench.subscriber("alice")
            var packet = AccountingPacket(3, event: 60, seconds: 60, upload: 5)
            packet.subscriber = subscriber
            let statistics = try await bench.ship([packet])
            #expect(statistics.rejected == 0)
            #expect(try await bench.texts("SELECT concat_ws('|', day, upload_octets) FROM aaa.usage") == ["2026-03-01|5"])
        }
    }

    @Test func wrapsWithoutGigawordsAreRepairedAcrossBatches() async throws {
        try await AccountingBench.run { bench in
            let lows: [UInt32] = [4_000_000_000, 1_000_000_000, 3_000_000_000, 500_000_000]
            for (place, low) in lows.enumerated() {
                var packet = AccountingPacket(3, event: Int64(place + 1) * 300, seconds: UInt32(place + 1) * 300)
                packet.attributes.append((43, AccountingPacket.number(low)))
                try await bench.ship([packet])
            }
            #expect(try await bench.number("SELECT download_octets FROM aaa.session") == 2 << 32 + 500_000_000)
        }
    }

    @Test func anAbsurdCounterIsCountedAndItsPacketKept() async throws {
        try await AccountingBench.run { bench in
            let absurd = AccountingPacket(3, event: 600, seconds: 600, upload: .max, download: 70)
            let statistics = try await bench.ship([AccountingPacket(3, event: 300, seconds: 300, upload: 5, download: 60), absurd])
            #expect(statistics.absurd == 1)
            let rows = try await bench.texts(
                "SELECT concat_ws('|', upload_octets, download_octets, encode(packet, 'hex')) FROM aaa.accounting_record ORDER BY sequence")
            #expect(rows == ["5|60", "5|70|" + Hexadecimal.text(absurd.octets)])
        }
    }

    @Test func accountingOnClosesTheSessionsOfThatRouterOnly() async throws {
        try await AccountingBench.run { bench in
            var other = AccountingPacket(1, session: "elsewhere", event: 0)
            other.attributes[3] = (32, Array("bras2".utf8))
            var stranger = AccountingPacket(1, session: "stranger", event: 0)
            stranger.nas = 2
            var restart = AccountingPacket(7, event: 1000)
            restart.attributes.removeAll { $0.0 == 44 || $0.0 == 1 }
            // One of the sessions is in the batch of the restart, one only in the database.
            try await bench.ship([AccountingPacket(1, session: "old", event: 0), other, stranger])
            let statistics = try await bench.ship([
                AccountingPacket(1, session: "fresh", event: 500), restart, AccountingPacket(1, session: "after", event: 1001),
            ])
            #expect(statistics.closed == 1)
            let rows = try await bench.texts(
                "SELECT concat_ws('|', acct_session_id, stopped_at, ended_by, terminate_cause) FROM aaa.session ORDER BY acct_session_id")
            #expect(
                rows == [
                    "after", "elsewhere", "fresh|2026-03-01 12:16:40+00|accounting_on|NAS-Reboot",
                    "old|2026-03-01 12:16:40+00|accounting_on|NAS-Reboot", "stranger",
                ])
            #expect(try await bench.number("SELECT count(*) FROM aaa.accounting_record WHERE session_id IS NULL AND status = 7") == 1)
        }
    }

    @Test func aReusedSessionIDMakesASecondRow() async throws {
        try await AccountingBench.run { bench in
            try await bench.ship([AccountingPacket(1, event: 0), AccountingPacket(3, event: 3000, seconds: 3000, upload: 700)])
            try await bench.ship([AccountingPacket(1, event: 4000), AccountingPacket(3, event: 4300, seconds: 300, upload: 50)])
            let rows = try await bench.texts(
                "SELECT concat_ws('|', started_at, ended_by, upload_octets) FROM aaa.session ORDER BY started_at")
            #expect(rows == ["2026-03-01 12:00:00+00|replaced|700", "2026-03-01 13:06:40+00|50"])
        }
    }

    @Test func aLateRecordFindsItsSessionInTheHistory() async throws {
        try await AccountingBench.run { bench in
            _ = try await bench.subscriber("alice")
            try await bench.ship([
                AccountingPacket(1, event: 0), AccountingPacket(2, event: 600, seconds: 600, upload: 100),
                AccountingPacket(1, session: "open", event: 0),
            ])
            try await retire(bench)
            #expect(try await bench.texts("SELECT acct_session_id FROM aaa.session") == ["open"])
            #expect(try await bench.texts("SELECT acct_session_id FROM aaa.session_history") == ["s1"])
            // What the session held of its day is booked when it goes.
            #expect(try await bench.number("SELECT upload_octets FROM aaa.usage_day") == 100)
            #expect(try await bench.number("SELECT upload_octets FROM aaa.usage") == 100)
            var late = AccountingPacket(3, event: 590, seconds: 590, upload: 130)
            late.receivedMicroseconds += 3_600_000_000
            let statistics = try await bench.ship([late, AccountingPacket(2, event: 600, seconds: 600, upload: 100)])
            #expect(statistics.late == 1)
            #expect(statistics.duplicates == 1)
            #expect(try await bench.number("SELECT upload_octets FROM aaa.session WHERE acct_session_id = 's1'") == 130)
            #expect(try await bench.number("SELECT count(*) FROM aaa.session_history") == 0)
            #expect(try await bench.number("SELECT upload_octets FROM aaa.usage") == 130)
            try await retire(bench)
            #expect(try await bench.texts("SELECT concat_ws('|', upload_octets, ended_by) FROM aaa.session_history") == ["130|stop"])
            #expect(try await bench.number("SELECT upload_octets FROM aaa.usage_day") == 130)
        }
    }

    @Test func aGhostIsClosedAndOpensAgainWhenTheNASSpeaks() async throws {
        try await AccountingBench.run { bench in
            try await bench.ship([AccountingPacket(1, event: 0), AccountingPacket(3, event: 300, seconds: 300, upload: 7)])
            let id = try await bench.number("SELECT id FROM aaa.session")
            #expect(try await bench.pool.run { try SessionCloser.close(id, reason: .contextNotFound, on: $0) })
            #expect(try await bench.pool.run { try !SessionCloser.close(id, reason: .contextNotFound, on: $0) })
            #expect(try await bench.texts("SELECT concat_ws('|', ended_by, terminate_cause) FROM aaa.session") == ["ghost|Lost-Carrier"])
            // The NAS speaks of it later than the close, which was just now.
            try await bench.execute("UPDATE aaa.session_progress SET stopped_at = '2026-03-01 12:06:00+00'")
            let statistics = try await bench.ship([AccountingPacket(3, event: 600, seconds: 600, upload: 9)])
            #expect(statistics.reopened == 1)
            #expect(try await bench.texts("SELECT concat_ws('|', stopped_at, ended_by, upload_octets) FROM aaa.session") == ["9"])
        }
    }

    @Test func sessionsWithoutUpdatesAreShownAsStale() async throws {
        try await AccountingBench.run { bench in
            try await bench.ship([AccountingPacket(1, event: 0)])
            #expect(try await bench.texts("SELECT stale::text FROM aaa.session_list") == ["true"])
            try await bench.execute("UPDATE aaa.session_header SET updated_at = now() - interval '1740 seconds'")
            #expect(try await bench.texts("SELECT stale::text FROM aaa.session_list") == ["false"])
            try await bench.execute("INSERT INTO aaa.access_policy (tenant_id, interim_interval) VALUES (\(bench.tenant), 300)")
            #expect(try await bench.texts("SELECT stale::text FROM aaa.session_list") == ["true"])
        }
    }

    /// Its records say when they were made by a clock that is a quarter of an hour behind; what is really late says so by Acct-Delay-Time.
    @Test(arguments: [(false, "false"), (true, "true")])
    func aClockThatIsBehindMakesNoSessionStale(isHeld: Bool, stale: String) async throws {
        try await AccountingBench.run { bench in
            try await bench.execute("INSERT INTO aaa.access_policy (tenant_id, interim_interval) VALUES (\(bench.tenant), 60)")
            let now = try await bench.number("SELECT extract(epoch FROM now())::bigint") - AccountingBench.noon / 1_000_000
            for (status, age) in [(1, 0), (3, 1), (3, 2)] as [(UInt32, Int64)] {
                var packet = AccountingPacket(status, event: now + age - 900, seconds: UInt32(age))
                packet.receivedMicroseconds += 900_000_000
                if isHeld { packet.attributes.append((41, AccountingPacket.number(900))) }
                try await bench.ship([packet])
                #expect(try await bench.texts("SELECT stale::text FROM aaa.session_list") == [stale])
            }
            // It is dated by its records all the same.
            #expect(try await bench.number("SELECT extract(epoch FROM now() - updated_at)::bigint FROM aaa.session") > 800)
        }
    }

    @Test func aFailureOfTidyingUpDoesNotStopTheShipping() async throws {
        try await AccountingBench.run { bench in
            try await bench.pool.run { connection in
                // A partition with a name that says no day.
                try connection.script("CREATE TABLE aaa.auth_log_odd PARTITION OF aaa.auth_log DEFAULT")
            }
            let statistics = try await bench.ship([AccountingPacket(1, event: 0)])
            #expect(statistics.records == 1)
            #expect(try await bench.number("SELECT count(*) FROM aaa.session") == 1)
        }
    }

    @Test func removesWhatIsPastItsTimeAndNothingElse() async throws {
        try await AccountingBench.run { bench in
            let tenant = bench.tenant
            for days in [1, 89, 100, 500, 2000, 4000] {
                let then = "now() - interval '\(days) days'"
                try await bench.execute("INSERT INTO aaa.usage_day (tenant_id, subscriber_id, day) VALUES (\(tenant), 1, (\(then))::date)")
                try await bench.execute(
                    """
                    INSERT INTO aaa.accounting_reject (tenant_id, node_id, sequence, received_at, nas_id, reason, packet, created_at)
                    VALUES (\(tenant), 'n', \(days), now(), 1, '', '', \(then))
                    """)
                try await bench.execute(
                    """
                    INSERT INTO aaa.dynamic_authorization (tenant_id, session_id, nas_id, kind, requested_by, requested_at)
                    VALUES (\(tenant), 1, 1, 'coa', '', \(then))
                    """)
                try await bench.execute(
                    """
                    INSERT INTO lastmile.audit (tenant_id, at, actor, action, resource, resource_id, request_id)
                    VALUES (\(tenant), \(then), '', '', '', 1, '')
                    """)
            }
            let removed = try await bench.pool.run {
                try AccountingMaintenance(settings: AccountingBench.settings).prune($0, nowMicroseconds: WallClock.microseconds)
            }
            #expect(removed == 2 + 4 + 3 + 1)
            let left = try await bench.texts(
                """
                SELECT concat_ws('|', (SELECT count(*) FROM aaa.usage_day), (SELECT count(*) FROM aaa.accounting_reject),
                    (SELECT count(*) FROM aaa.dynamic_authorization), (SELECT count(*) FROM lastmile.audit))
                """)
            #expect(left == ["4|2|3|5"])
            // The audit of the last 90 days stays, whoever asks.
            await #expect(throws: DatabaseError.self) { try await bench.execute("DELETE FROM lastmile.audit") }
            await #expect(throws: DatabaseError.self) { try await bench.execute("UPDATE lastmile.audit SET actor = 'x'") }
        }
    }

    @Test func tenantsSeeOnlyTheirOwn() async throws {
        try await AccountingBench.run { bench in
            var foreign = AccountingPacket(1, session: "foreign", user: "bob", event: 0)
            foreign.tenant = bench.tenant + 1
            try await bench.ship([AccountingPacket(1, session: "own", event: 0), foreign])
            #expect(try await bench.texts("SELECT acct_session_id FROM aaa.session", scope: .tenant(bench.tenant)) == ["own"])
            #expect(try await bench.texts("SELECT acct_session_id FROM aaa.session_list", scope: .tenant(bench.tenant + 1)) == ["foreign"])
            let records = try await bench.texts("SELECT tenant_id FROM aaa.accounting_record", scope: .tenant(bench.tenant))
            #expect(records == ["\(bench.tenant)"])
            for question in ["records_received('2026-03-01', '2026-03-02')", "records_of_session(\(try await sessionOf("own", bench)))"] {
                #expect(try await bench.texts("SELECT tenant_id FROM aaa.\(question)", scope: .tenant(bench.tenant)) == ["\(bench.tenant)"])
            }
            let foreigner = "SELECT sequence FROM aaa.records_of_session(\(try await sessionOf("foreign", bench)))"
            #expect(try await bench.texts(foreigner, scope: .tenant(bench.tenant)) == [])
            #expect(try await bench.texts(foreigner) == ["2"])
            for view in ["accounting_record", "accounting_block_record", "accounting_block", "records_received('-infinity', 'infinity')"] {
                await #expect(throws: DatabaseError.self) { _ = try await bench.texts("SELECT tenant_id FROM aaa.\(view)", scope: .none) }
            }
            let partition = try await bench.texts("SELECT DISTINCT tableoid::regclass::text FROM aaa.accounting_block")
            #expect(partition == ["aaa.accounting_block_20260301"])
            // By its own name a partition is nobody's to read or change.
            for scope in [TenantScope.none, .tenant(bench.tenant), .system] {
                for statement in ["SELECT sequences::text FROM", "DELETE FROM"] {
                    await #expect(throws: DatabaseError.self) {
                        _ = try await bench.texts("\(statement) aaa.accounting_block_20260301", scope: scope)
                    }
                }
            }
            await #expect(throws: DatabaseError.self) {
                try await bench.pool.transaction(.tenant(bench.tenant)) {
                    _ = try $0.execute("INSERT INTO aaa.accounting_block_20260301 SELECT * FROM aaa.accounting_block")
                }
            }
        }
    }

    private func sessionOf(_ name: String, _ bench: AccountingBench) async throws -> Int64 {
        try await bench.number("SELECT id FROM aaa.session WHERE acct_session_id = '\(name)'")
    }

    private func retire(_ bench: AccountingBench) async throws {
        try await bench.pool.run { connection in
            let maintenance = AccountingMaintenance(settings: AccountingBench.settings)
            try maintenance.run(connection, nowMicroseconds: AccountingBench.noon + 7200 * 1_000_000)
        }
    }
}
