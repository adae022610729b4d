import Database
import Glibc
import Support
import Testing

@testable import Provisioning
@testable import RadiusCore

@Suite struct SessionCensusReaderTests {
    private static let noon = UInt32(AccountingBench.noon / 1_000_000)

    private static func record(_ status: UInt32, _ user: String, _ subscriber: Int64, event: Int64, station: String) -> AccountingPacket {
        var packet = AccountingPacket(status, session: "s-\(user)", user: user, event: event)
        packet.subscriber = subscriber
        packet.attributes.append((31, Array(station.utf8)))
        return packet
    }

    private static func trace(_ packet: AccountingPacket) throws -> SessionTrace {
        var index = AttributeIndex()
        let octets = packet.octets
        try index.fill(from: octets.span)
        let key = SessionKey(packet: octets.span, index: index, nas: packet.nas, peer: InlineArray<16, UInt8>(repeating: 1))
        return SessionTrace(key: key.octets, nas: packet.nas, callingStation: [])
    }

    private static func places(_ census: SessionCensus, _ subscriber: Int64) -> Int {
        census.places(of: subscriber, at: noon + 20)
    }

    /// What one node stored, another knows; whoever is not limited is not read.
    @Test func sessionsOfOtherNodesComeAndGo() async throws {
        try await AccountingBench.run { bench in
            let (alice, bob, eve) = (
                try await bench.subscriber("alice"), try await bench.subscriber("bob"), try await bench.subscriber("eve")
            )
            try await bench.execute("UPDATE aaa.subscriber SET session_limit = 2 WHERE id = \(alice)")
            try await bench.execute(
                """
                WITH p AS (INSERT INTO aaa.profile (tenant_id, name, session_limit) VALUES (\(bench.tenant), 'one', 1) RETURNING id)
                UPDATE aaa.subscriber SET profile_id = (SELECT id FROM p) WHERE id = \(bob)
                """)
            try await bench.ship([
                Self.record(1, "alice", alice, event: 0, station: "0053.0000.0001"), Self.record(1, "bob", bob, event: 0, station: "x"),
                Self.record(1, "eve", eve, event: 0, station: "y"),
            ])
            let census = SessionCensus()
            let reader = SessionCensusReader(
                census: census, configuration: bench.configuration, intervalSeconds: 0, logger: AccountingBench.quiet)
            try reader.start()
            defer { reader.stop() }
            try await settles({ reader.state.rounds > 1 }, state: { "\(reader.state)" })
            #expect(Self.places(census, alice) == 1 && Self.places(census, bob) == 1 && Self.places(census, eve) == 0)
            #expect(census.statistics.sessions == 2)
            // The same record, told here: no session more.
            let again = Self.record(3, "alice", alice, event: 5, station: "00-53-00-00-00-01")
            census.note(alice, tenant: bench.tenant, try Self.trace(again), isStop: false, silence: 780, at: Self.noon + 5)
            #expect(census.statistics.sessions == 2)
            try await bench.ship([Self.record(2, "bob", bob, event: 9, station: "x")])
            try await settles({ Self.places(census, bob) == 0 }, state: { "\(census.statistics)" })
            #expect(Self.places(census, alice) == 1)
            // Nobody is limited any more, so nothing is read, and nothing kept.
            try await bench.execute("UPDATE aaa.subscriber SET session_limit = NULL")
            try await bench.execute("UPDATE aaa.profile SET session_limit = NULL")
            try await settles({ census.statistics.sessions == 0 }, state: { "\(census.statistics)" })
        }
    }

    /// Octets of an address as they are, what reads as an escape, and what is no text: stored as text, they are the same station.
    @Test(arguments: [[0x00, 0x53, 0x00, 0x12, 0x34, 0x56], Array("line \\x41".utf8), [0xff, 0x5c, 0x78, 0x30, 0x01, 0x5c]] as [[UInt8]])
    func aStationReadsAsItWasTold(station: [UInt8]) async throws {
        try await AccountingBench.run { bench in
            let alice = try await bench.subscriber("alice")
            try await bench.execute("UPDATE aaa.subscriber SET session_limit = 1 WHERE id = \(alice)")
            var packet = Self.record(1, "alice", alice, event: 0, station: "")
            packet.attributes[packet.attributes.count - 1].1 = station
            try await bench.ship([packet])
            let census = SessionCensus()
            let reader = SessionCensusReader(
                census: census, configuration: bench.configuration, intervalSeconds: 0, logger: AccountingBench.quiet)
            try reader.start()
            defer { reader.stop() }
            try await settles({ reader.state.rounds > 0 }, state: { "\(reader.state)" })
            let (here, there) = (
                SessionTrace(key: [], nas: 1, callingStation: station), SessionTrace(key: [], nas: 1, callingStation: station + [0x31])
            )
            #expect(here.station != 0 && here.station != there.station)
            #expect(Self.login(census, alice, there) == .refused && Self.login(census, alice, here) == .free)
        }
    }

    private static func login(_ census: SessionCensus, _ subscriber: Int64, _ trace: SessionTrace) -> SessionCensus.Admission {
        census.admit(subscriber, tenant: 1, trace, limit: SessionLimit(count: 1, replaces: false), silence: 780, at: noon + 20)
    }

    /// Of 20,000 subscribers, ten have a limit of their own and one has that of its profile.
    @Test func whoeverIsLimitedIsFoundWithoutReadingTheOthers() async throws {
        try await AccountingBench.run { bench in
            let tenant = bench.tenant
            try await bench.execute(
                """
                INSERT INTO aaa.profile (tenant_id, name, session_limit) SELECT \(tenant), 'p' || n, CASE n WHEN 7 THEN 1 END
                FROM generate_series(1, 2000) n
                """)
            try await bench.execute(
                """
                INSERT INTO aaa.subscriber (tenant_id, username, profile_id, session_limit)
                SELECT \(tenant), 's' || n, (SELECT min(id) FROM aaa.profile) + n % 2000, CASE WHEN n % 2000 = 1 THEN 2 END
                FROM generate_series(1, 20000) n
                """)
            try await bench.execute(
                """
                INSERT INTO aaa.session_header (tenant_id, nas_id, session_key, subscriber_id, acct_session_id, started_at, updated_at)
                SELECT tenant_id, 1, int8send(id), id, id::text, now(), now() FROM aaa.subscriber
                """)
            // As whom the tables belong to.
            try await bench.pool.run { _ = try $0.execute("ANALYZE") }
            let plan = try await bench.pool.transaction(.system, readOnly: true) { connection in
                try connection.queryAll("EXPLAIN " + SessionCensusReader.sessionSQL, []) { try $0.string(0) }
            }
            let text = plan.joined(separator: "\n")
            #expect(text.contains("subscriber_limited") && text.contains("profile_limited"), "\(text)")
            #expect(!text.contains("Seq Scan on subscriber") && !text.contains("Seq Scan on session_header"), "\(text)")
        }
    }

    @Test func whatIsStoredCanBeTakenBack() {
        let some: [UInt8] = [0x5c, 0x78, 0x34, 0x41, 0x00, 0xff, 0xc3, 0xa4, 0x20]
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let octets = (0..<Int.random(in: 0...12, using: &random)).map { _ in some.randomElement(using: &random) ?? 0 }
            #expect(StorableText.original(of: StorableText.octets(of: octets)) == octets)
        }
    }

    @Test func aDatabaseThatIsAwayTakesNothingAway() async throws {
        let census = SessionCensus()
        let away = DatabaseConfiguration(conninfo: "host=/nonexistent dbname=none", connectTimeoutSeconds: 2)
        let reader = SessionCensusReader(census: census, configuration: away, intervalSeconds: 0, logger: AccountingBench.quiet)
        let packet = Self.record(1, "alice", 1, event: 0, station: "x")
        let now = UInt32(clamping: time(nil))
        census.note(1, tenant: 1, try Self.trace(packet), isStop: false, silence: 780, at: now)
        // Logins of long ago that came to nothing go all the same.
        #expect(Self.login(census, 2, SessionTrace(key: [], nas: 1, callingStation: [0x61])) == .free)
        try reader.start()
        try await settles { reader.state.lastError != nil && census.statistics.sessions == 1 }
        reader.stop()
        #expect(census.places(of: 1, at: now) == 1 && reader.state.rounds == 0)
    }
}
