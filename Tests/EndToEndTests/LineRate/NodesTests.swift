import Support
import Testing

extension LineRateTests {
    /// Two daemons on one PostgreSQL.
    @Suite struct Nodes {
        @Test func aChangeThroughOneNodeAnswersOnTheOther() async throws {
            try await TwoNodes.run { first, second in
                let loads = [await first.metric(Self.loadsTotal), await second.metric(Self.loadsTotal)]
                var delays: [Duration] = []
                for round in 0..<Scale.of(4, large: 40) {
                    let (writer, reader) = round.isMultiple(of: 2) ? (first, second) : (second, first)
                    delays += try await changes(through: writer, seenBy: LoginClient(reader))
                    let lag = try #require(await reader.metric("lastmile_snapshot_lag_seconds"))
                    if Scale.isLarge { #expect(lag < 1) }
                }
                // By the feed, not by reading everything anew.
                #expect([await first.metric(Self.loadsTotal), await second.metric(Self.loadsTotal)] == loads)
                delays.sort()
                let median = delays[delays.count / 2]
                print("line rate: \(delays.count) changes on the other node: median \(median), slowest \(delays[delays.count - 1])")
            }
        }

        private static let loadsTotal = "lastmile_snapshot_loads_total"

        /// One subscriber's life; how long each change took from its answer to the first login that shows it.
        private func changes(through writer: DaemonProcess, seenBy client: LoginClient) async throws -> [Duration] {
            let owner = Operator(writer)
            let plan = "plan-\(await Serial.next())"
            try await owner.create("profiles", #"{"name":"\#(plan)","download":30000000,"upload":10000000}"#)
            let user = try await TestSubscriber.create(owner, profile: plan).name
            var delays = [try await delay(client, user, accepted: "10M/30M")]
            try await owner.change("profiles/\(plan)", #"{"download":40000000}"#)
            delays.append(try await delay(client, user, accepted: "10M/40M"))
            try await owner.change("subscribers/\(user)", #"{"password":"looking-glass"}"#)
            delays.append(try await delay(client, user, password: "looking-glass", accepted: "10M/40M"))
            #expect(try await client.login(user).isAccepted == false)
            let lock = try await owner.create("locks", #"{"subscriber":"\#(user)","reason":"admin","level":"suspended"}"#)
            delays.append(try await delay(client, user, password: "looking-glass", accepted: nil))
            try await owner.delete("locks/\(try #require(lock["id"]?.integer))")
            delays.append(try await delay(client, user, password: "looking-glass", accepted: "10M/40M"))
            return delays
        }

        /// Until a login gets `accepted`, which is its speed, or nil for a reject.
        private func delay(
            _ client: LoginClient, _ user: String, password: String = TestSubscriber.password, accepted: String?
        ) async throws -> Duration {
            let began = ContinuousClock.now
            let expected = LoginClient.Reply(isAccepted: accepted != nil, limit: accepted)
            try await eventually { try await client.login(user, password) == expected }
            return ContinuousClock.now - began
        }

        @Test func aSessionMayStartOnOneNodeAndStopOnTheOther() async throws {
            try await TwoNodes.run { first, second in
                let sessions = Scale.of(10, large: 100)
                let nodes = [Radclient(first), Radclient(second)]
                for number in 0..<sessions {
                    let (start, stop) = (nodes[number % 2], nodes[(number + 1) % 2])
                    let counters = ["Acct-Input-Octets = 11", "Acct-Output-Octets = 22", "Acct-Session-Time = 33"]
                    #expect(try await start.account("Start", session: "both-\(number)", user: "alice").code == "Accounting-Response")
                    let stopped = try await stop.account("Stop", session: "both-\(number)", user: "alice", counters)
                    #expect(stopped.code == "Accounting-Response")
                }
                try await first.awaitShipping()
                try await second.awaitShipping()
                let stored = try await first.query(
                    """
                    SELECT count(*)::text, count(DISTINCT acct_session_id)::text, sum(download_octets)::text FROM aaa.session_record
                    WHERE state = 'closed' AND ended_by = 'stop'
                    """)
                #expect(stored == [["\(sessions)", "\(sessions)", "\(22 * sessions)"]])
                #expect(try await first.query("SELECT count(*)::text FROM aaa.session_record WHERE state = 'open'") == [["0"]])
            }
        }

        @Test func killingEitherNodeLosesNothingAndTheOtherGoesOn() async throws {
            try await TwoNodes.run { first, second in
                let sessions = Scale.of(600, large: 4000)
                let kills = Scale.of(4, large: 16)
                let relay = try FailoverRelay(to: first.accountingPort)
                try await relay.use {
                    let wandering = try await AccountingLoad.start(first, sessions: sessions, port: relay.port)
                    let loads = [
                        wandering, try await AccountingLoad.start(first, sessions: sessions),
                        try await AccountingLoad.start(second, sessions: sessions),
                    ]
                    let step = sessions * AccountingLoad.recordsPerSession / (kills + 1)
                    for number in 1...kills {
                        // The first one takes PostgreSQL with it.
                        let (victim, survivor) = number.isMultiple(of: 2) ? (first, second) : (second, first)
                        try await wandering.reach(step * number - Int.random(in: 0..<step / 2))
                        try await victim.kill()
                        relay.turn(to: survivor.accountingPort)
                        let before = wandering.count
                        #expect(try await LoginClient(survivor).login("alice") == .init(isAccepted: true, limit: "20M/100M"))
                        try await wandering.reach(min(before + step / 4, sessions * AccountingLoad.recordsPerSession))
                        try await victim.start()
                        relay.turn(to: victim.accountingPort)
                    }
                    for load in loads { try await load.finish() }
                    try await AccountingLoad.expectExactlyOnce(loads, nodes: [first, second])
                    for load in loads { #expect(load.acknowledged().count == sessions * AccountingLoad.recordsPerSession) }
                }
            }
        }
    }
}
