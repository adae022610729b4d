import Database
import Glibc
import Provisioning
import RadiusCore
import Support
import Testing

@Suite struct ReauthorizerTests {
    @Test func aSuspensionDisconnects() async throws {
        try await ReauthorizerDesk.with { desk in
            let alice = try await desk.online("alice")
            _ = try await desk.online("bob")
            try await desk.desk.lock(alice, "fraud", "suspended")
            try await desk.settled()
            #expect(desk.told == ["disconnect alice"])
            let recorded = try await desk.desk.sql(
                "SELECT count(*) FROM aaa.dynamic_authorization WHERE requested_by = 'access policy' AND outcome = 'ack'")
            #expect(recorded == 1)
        }
    }

    @Test func aCaptiveLockSlowsDownAndItsEndRestores() async throws {
        try await ReauthorizerDesk.with { desk in
            let alice = try await desk.online("alice")
            try await desk.desk.lock(alice, "overdue", "captive")
            try await desk.settled()
            #expect(desk.told == ["coa alice 1M/1M"])
            try await desk.desk.unlock(alice, "overdue")
            try await desk.settled()
            #expect(desk.told == ["coa alice 1M/1M", "coa alice 10M/50M"])
            try await desk.desk.lock(alice, "overdue", "captive")
            try await desk.settled()
            try await desk.desk.sql("UPDATE aaa.access_lock SET level = 'suspended'")
            try await desk.settled()
            #expect(desk.told.dropFirst(2) == ["coa alice 1M/1M", "disconnect alice"])
        }
    }

    @Test func statusAndPlanReachTheSession() async throws {
        try await ReauthorizerDesk.with { desk in
            let alice = try await desk.online("alice")
            let fast = try await desk.desk.profile("fast", download: 300_000_000, upload: 100_000_000)
            try await desk.setProfile(alice, fast)
            try await desk.settled()
            try await desk.setStatus(alice, "quarantined")
            try await desk.settled()
            try await desk.setStatus(alice, "active")
            try await desk.settled()
            try await desk.setStatus(alice, "suspended")
            try await desk.settled()
            try await desk.setStatus(alice, "active")
            try await desk.settled()
            try await desk.setProfile(alice, nil)
            try await desk.settled()
            #expect(
                desk.told == [
                    "coa alice 100M/300M", "coa alice 1M/1M", "coa alice 100M/300M", "disconnect alice", "coa alice 100M/300M",
                    "disconnect alice",
                ])
        }
    }

    @Test func aDeletedSubscriberIsDisconnected() async throws {
        try await ReauthorizerDesk.with { desk in
            let alice = try await desk.online("alice")
            try await desk.desk.lock(alice, "overdue", "captive")
            try await desk.settled()
            try await desk.desk.sql("DELETE FROM aaa.subscriber WHERE id = $1", [.int(alice)])
            try await desk.settled()
            #expect(desk.told == ["coa alice 1M/1M", "disconnect alice"])
        }
    }

    /// The session still runs under the old name, which is somebody else's now.
    @Test func aRenamedSubscriberIsNotToldAnothersPlan() async throws {
        try await ReauthorizerDesk.with { desk in
            let alice = try await desk.online("alice")
            try await desk.desk.sql("UPDATE aaa.subscriber SET username = 'alicia' WHERE id = $1", [.int(alice)])
            try await desk.desk.subscriber("alice", profile: desk.garden)
            try await desk.settled()
            #expect(desk.told == [])
            try await desk.setStatus(alice, "quarantined")
            try await desk.settled()
            #expect(desk.told == ["disconnect alice"])
        }
    }

    /// Behind what the session has used already: Mikrotik-Xmit-Limit and its gigawords.
    @Test func whatIsLeftOfAQuotaReachesTheSession() async throws {
        try await ReauthorizerDesk.with { desk in
            let alice = try await desk.online("alice")
            try await desk.desk.sql("UPDATE aaa.session_header SET upload_octets = 7, download_octets = 4294967296")
            try await desk.limit([alice])
            try await desk.settled()
            #expect(desk.told.count == 1 && desk.told.first?.hasPrefix("coa alice") == true)
            #expect(desk.lastHas("1a0c00003a8c0206000003e8" + "1a0c00003a8c0f0600000001"))
            // Not Mikrotik-Rate-Limit.
            #expect(!desk.lastHas("00003a8c08"))
            // Whatever else is told has it, too.
            try await desk.setStatus(alice, "quarantined")
            try await desk.settled()
            #expect(!desk.lastHas("1a0c00003a8c02"))
            try await desk.setStatus(alice, "active")
            try await desk.settled()
            #expect(desk.told.suffix(2) == ["coa alice 1M/1M", "coa alice 10M/50M"])
            #expect(desk.lastHas("1a0c00003a8c0206000003e8" + "1a0c00003a8c0f0600000001"))
        }
    }

    /// A new log-in is no price for more octets.
    @Test func aSessionThatTakesNoLimitIsLeftAlone() async throws {
        try await ReauthorizerDesk.with { desk in
            try await desk.desk.sql("UPDATE aaa.nas SET vendor = 'chillispot'")
            let alice = try await desk.online("alice")
            try await desk.limit([alice])
            #expect(try await desk.desk.sql("SELECT count(*) FROM aaa.reauthorization") == 0)
            #expect(desk.told == [])
            #expect(try await desk.desk.sql("SELECT count(*) FROM aaa.dynamic_authorization") == 0)
        }
    }

    /// What took the service away ends the session; the quota has nothing to add.
    @Test func whoMayNotBeOnlineIsNotToldALimit() async throws {
        try await ReauthorizerDesk.with { desk in
            let alice = try await desk.online("alice")
            try await desk.setStatus(alice, "suspended")
            try await desk.settled()
            try await desk.limit([alice])
            try await desk.settled()
            #expect(desk.told == ["disconnect alice"])
        }
    }

    @Test func anEndThatIsSetReachesTheSessionWhenItComes() async throws {
        try await ReauthorizerDesk.with(pollSeconds: 1) { desk in
            let alice = try await desk.online("alice")
            try await desk.setEnd(alice, "1 day")
            #expect(try await desk.waiting() == 1)
            try await desk.setEnd(alice, "2 days")
            #expect(try await desk.waiting() == 1)
            try await desk.desk.sql("UPDATE aaa.subscriber SET expires_at = NULL")
            #expect(try await desk.desk.sql("SELECT count(*) FROM aaa.reauthorization") == 0)
            #expect(desk.told == [])
            try await desk.setEnd(alice, "1 day")
            try await desk.setEnd(alice, "1 second")
            try await desk.settled()
            #expect(desk.told == ["disconnect alice"])
        }
    }

    @Test func anEndThatIsPastEndsTheSessionAtOnce() async throws {
        try await ReauthorizerDesk.with { desk in
            let alice = try await desk.online("alice")
            try await desk.setEnd(alice, "1 day")
            try await desk.setEnd(alice, "-1 second")
            try await desk.settled()
            #expect(desk.told == ["disconnect alice"])
        }
    }

    /// PostgreSQL's clock is two hours ahead of the node's, by which the subscriber may still be online.
    @Test func anEndIsNotForgottenBeforeTheNodesClockComesToIt() async throws {
        try await ReauthorizerDesk.with(now: { Int64(time(nil)) - 7200 }) { desk in
            let alice = try await desk.online("alice")
            try await desk.setEnd(alice, "-1 second")
            let waiting = "SELECT count(*) FROM aaa.reauthorization WHERE is_of_end AND due_at > clock_timestamp() + interval '1 hour'"
            try await eventually { try await desk.desk.sql(waiting) == 1 }
            #expect(desk.told == ["disconnect alice"])
        }
    }

    /// The request of the change has the one row that the subscriber has.
    @Test func anotherChangeDoesNotTakeTheEndAway() async throws {
        try await ReauthorizerDesk.with { desk in
            let alice = try await desk.online("alice")
            try await desk.setEnd(alice, "1 day")
            try await desk.setStatus(alice, "quarantined")
            try await eventually { desk.told == ["coa alice 1M/1M"] }
            try await eventually { try await desk.waiting() == 1 }
            try await desk.setEnd(alice, "-1 second")
            try await desk.settled()
            #expect(desk.told == ["coa alice 1M/1M", "disconnect alice"])
        }
    }

    /// Its session has that end from the log-in.
    @Test func theEndThatTheFirstLoginSetsAsksForNothing() async throws {
        try await ReauthorizerDesk.with { desk in
            let alice = try await desk.online("alice")
            try await desk.desk.sql("UPDATE aaa.subscriber SET validity = 86400")
            try await desk.desk.sql("UPDATE aaa.subscriber SET activated_at = now(), expires_at = now() + interval '1 day'")
            #expect(try await desk.desk.sql("SELECT count(*) FROM aaa.reauthorization") == 0)
            try await desk.setEnd(alice, "2 days")
            #expect(try await desk.waiting() == 1)
        }
    }

    @Test func anEndedSessionIsLeftAlone() async throws {
        try await ReauthorizerDesk.with { desk in
            let alice = try await desk.online("alice")
            try await desk.desk.sql("SELECT aaa.end_sessions(array_agg(id), now(), 'stop', NULL) FROM aaa.session")
            try await desk.desk.lock(alice, "fraud", "suspended")
            try await desk.settled()
            #expect(desk.told == [])
        }
    }

    @Test func otherColumnsAndNewSubscribersAskForNothing() async throws {
        try await ReauthorizerDesk.with { desk in
            let alice = try await desk.online("alice")
            let requests = "SELECT count(*) FROM aaa.reauthorization"
            try await desk.desk.sql(
                """
                INSERT INTO aaa.subscriber (tenant_id, username, profile_id, status)
                SELECT $1, 'user' || n, $2, CASE n % 2 WHEN 0 THEN 'active' ELSE 'suspended' END FROM generate_series(1, 1000) n
                """, [.int(desk.desk.tenant), .int(desk.home)])
            #expect(try await desk.desk.sql(requests) == 0)
            try await desk.desk.sql(
                """
                UPDATE aaa.subscriber SET full_name = 'Alice', notes = 'x', version = version + 1, updated_at = now(), status = status,
                    profile_id = profile_id, session_timeout = 60 WHERE id = $1
                """, [.int(alice)])
            try await desk.desk.sql(
                """
                INSERT INTO aaa.subscriber (tenant_id, username, profile_id) VALUES ($1, 'alice', $2)
                ON CONFLICT (tenant_id, username) DO UPDATE SET profile_id = excluded.profile_id
                """, [.int(desk.desk.tenant), .int(desk.home)])
            #expect(try await desk.desk.sql(requests) == 0)
            #expect(desk.told == [])
            try await desk.setStatus(alice, "quarantined")
            try await desk.settled()
            #expect(desk.told == ["coa alice 1M/1M"])
        }
    }
}
