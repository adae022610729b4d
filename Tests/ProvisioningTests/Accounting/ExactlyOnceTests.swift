import Database
import Glibc
import Logging
import RadiusCore
import Support
import Synchronization
import Testing

@testable import Provisioning

@Suite(.serialized) struct ExactlyOnceTests {
    @Test func everyAcknowledgedRecordSurvivesKillsOfTheDaemonExactlyOnce() async throws {
        try await AccountingBench.run { bench in
            _ = try await bench.subscriber("alice")
            let (path, conninfo) = (bench.journalPath("node1"), bench.configuration.conninfo)
            let tenant = bench.tenant
            for round in 0..<4 {
                await #expect(processExitsWith: .signal(SIGKILL)) {
                    [path = path as String, conninfo = conninfo as String, tenant = tenant as Int64, round = round as Int] in
                    try DoomedDaemon.run(path, conninfo, tenant, round)
                }
            }
            let acknowledged = try DoomedDaemon.acknowledged(path)
            #expect(acknowledged.count > 1000)
            let journal = try bench.openJournal()
            defer { journal.close() }
            _ = try await bench.ship(journal)
            let stored = try await bench.texts("SELECT sequence FROM aaa.accounting_record")
            #expect(Set(stored).count == stored.count)
            #expect(Set(acknowledged.map { String($0) }).subtracting(stored).isEmpty)
            let sums = try await bench.texts(
                """
                SELECT concat_ws('|', count(*), sum(upload_octets), (SELECT sum(upload_octets) FROM aaa.usage)) FROM
                    (SELECT upload_octets FROM aaa.session UNION ALL SELECT upload_octets FROM aaa.session_history) s
                """)
            // Every record is a session's only one, with one octet.
            #expect(sums == ["\(stored.count)|\(stored.count)|\(stored.count)"])
        }
    }

    @Test func aKilledDatabaseLosesAndRepeatsNothing() async throws {
        let root = try PostgresFixture.temporaryDirectory()
        let cluster = try PrivateCluster(directory: root, logger: AccountingBench.quiet)
        try await cluster.start()
        let configuration = DatabaseConfiguration(conninfo: cluster.conninfo, poolSize: 2, waitTimeoutSeconds: 60)
        try await Migrator(directory: PostgresFixture.migrationsDirectory).migrate(configuration)
        try await AccountingBench.run(configuration) { bench in
            let journal = try bench.openJournal()
            defer { journal.close() }
            let shipper = bench.shipper(journal)
            try shipper.start()
            var appended = 0
            for round in 1...3 {
                let running = try #require(cluster.postmaster)
                for number in 0..<4000 {
                    var packet = AccountingPacket(3, session: "\(number)", event: Int64(round) * 300, seconds: UInt32(round) * 300)
                    packet.attributes.append((43, AccountingPacket.number(UInt32(round * 1000))))
                    try bench.append(packet, to: journal)
                    appended += 1
                    if number == 1500 { kill(running, SIGKILL) }
                }
                try await settles { cluster.restarts >= round && cluster.postmaster != nil }
            }
            try await settles(
                { shipper.statistics.lagRecords == 0 && shipper.statistics.batches > 0 }, state: { "\(shipper.statistics)" })
            shipper.stop()
            #expect(shipper.statistics.retries > 0)
            let counts = try await bench.texts(
                """
                SELECT concat_ws('|', count(*), count(DISTINCT sequence), min(sequence), max(sequence)) FROM aaa.accounting_record
                """)
            #expect(counts == ["\(appended)|\(appended)|1|\(appended)"])
            let sessions = try await bench.texts(
                "SELECT concat_ws('|', count(*), sum(download_octets), max(session_seconds)) FROM aaa.session")
            #expect(sessions == ["4000|12000000|900"])
        }
        await cluster.stop()
        cluster.erase()
    }

    /// Records of one session reach two nodes, in any order and some of them twice, while both ship.
    @Test func twoNodesFoldTheSameSessionsTogether() async throws {
        try await AccountingBench.run { bench in
            let (sessions, interims) = (60, 6)
            var packets: [AccountingPacket] = []
            for session in 0..<sessions {
                let user = "user\(session)"
                _ = try await bench.subscriber(user)
                packets.append(AccountingPacket(1, session: "s\(session)", user: user, event: 0))
                for number in 1...interims {
                    let age = UInt32(number) * 300
                    packets.append(
                        AccountingPacket(
                            number == interims ? 2 : 3, session: "s\(session)", user: user, event: Int64(age), seconds: age,
                            upload: UInt64(number) * 3_000_000_000, download: UInt64(number * 7)))
                }
            }
            let unique = packets.count
            packets += packets.shuffled().prefix(100)
            packets.shuffle()
            let journals = try ["node1", "node2"].map { try bench.openJournal($0) }
            var settings = AccountingBench.settings
            settings.batchRecords = 25
            let shippers = zip(journals, ["node1", "node2"]).map { bench.shipper($0, node: $1, settings: settings) }
            for shipper in shippers { try shipper.start() }
            for (place, packet) in packets.enumerated() { try bench.append(packet, to: journals[place % 2]) }
            for (shipper, journal) in zip(shippers, journals) {
                try await settles(
                    { journal.statistics().pending == 0 && shipper.statistics.lagRecords == 0 }, state: { "\(shipper.statistics)" })
                shipper.stop()
                journal.close()
            }
            let total = Int64(interims) * 3_000_000_000
            let rows = try await bench.texts(
                "SELECT DISTINCT concat_ws('|', started_at, stopped_at, session_seconds, upload_octets, download_octets) FROM aaa.session")
            #expect(rows == ["2026-03-01 12:00:00+00|2026-03-01 12:30:00+00|1800|\(total)|\(interims * 7)"])
            #expect(try await bench.number("SELECT count(*) FROM aaa.session") == Int64(sessions))
            #expect(try await bench.number("SELECT sum(upload_octets)::bigint FROM aaa.usage") == total * Int64(sessions))
            #expect(try await bench.number("SELECT count(*) FROM aaa.accounting_record") == Int64(unique))
        }
    }

    @Test func aJournalThatIsOlderThanTheDatabaseGoesOnFromWhereItWasOpened() async throws {
        try await AccountingBench.run { bench in
            try await bench.ship((0..<5).map { AccountingPacket(1, session: "s\($0)", event: Int64($0)) })
            try await bench.execute("UPDATE aaa.journal_cursor SET sequence = 900")
            try await bench.ship([AccountingPacket(1, session: "new", event: 9)])
            #expect(try await bench.number("SELECT count(*) FROM aaa.session") == 6)
            #expect(try await bench.number("SELECT count(*) FROM aaa.accounting_record") == 6)
        }
    }
}

/// A daemon in a process of its own: it journals, acknowledges, ships, and is killed in the middle of it.
enum DoomedDaemon {
    static func run(_ path: String, _ conninfo: String, _ tenant: Int64, _ round: Int) throws {
        let journal = try Journal.open(directory: path, segmentBytes: 65_536)
        let configuration = DatabaseConfiguration(conninfo: conninfo, poolSize: 1)
        var settings = AccountingBench.settings
        settings.batchRecords = 40
        let shipper = AccountingShipper(
            journal: journal, configuration: configuration, node: "node1", settings: settings, logger: AccountingBench.quiet)
        try shipper.start()
        let file = open(path + "/acknowledged", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        let wake = WakeSignal()
        journal.addListener(eventFD: wake.eventFD)
        var number = 0
        var waiting: [UInt64] = []
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            // A shipper that begins late has no more to do for it.
            if number >= 2000, shipper.statistics.records == 0 {
                wake.wait(timeoutMilliseconds: 100)
                continue
            }
            number += 1
            var packet = AccountingPacket(2, session: "\(round)-\(number)", event: 60, seconds: 60, upload: 1)
            packet.attributes[3] = (32, Array("bras\(number % 7)".utf8))
            let octets = packet.octets
            let entry = JournalEntry(
                receivedMicroseconds: packet.receivedMicroseconds, tenant: tenant, nas: 1, subscriber: 0,
                peer: InlineArray<16, UInt8>(repeating: 1))
            if let sequence = journal.append(entry, packet: octets.span) { waiting.append(sequence) }
            if number % 5 == 0 { wake.wait(timeoutMilliseconds: 100) }
            let durable = journal.durableSequence
            for sequence in waiting where sequence <= durable { _ = withUnsafeBytes(of: sequence) { write(file, $0.baseAddress, 8) } }
            waiting.removeAll { $0 <= durable }
            // In the middle of shipping: some are in the database, some only in the journal, some nowhere.
            if number > 400, shipper.statistics.records > 200 + UInt64(round) * 37 { kill(getpid(), SIGKILL) }
        }
    }

    static func acknowledged(_ path: String) throws -> [UInt64] {
        let file = open(path + "/acknowledged", O_RDONLY)
        defer { close(file) }
        var numbers: [UInt64] = []
        var number: UInt64 = 0
        while read(file, &number, 8) == 8 { numbers.append(number) }
        return numbers
    }
}
