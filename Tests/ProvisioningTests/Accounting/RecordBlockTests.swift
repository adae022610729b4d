import Database
import RadiusCore
import Testing

@testable import Provisioning

/// How records stand in `aaa.accounting_block`; what they say is held by the tests that read `aaa.accounting_record`.
@Suite struct RecordBlockTests {
    private static let arrays = [
        "received", "events", "nas_ids", "session_ids", "subscriber_ids", "statuses", "session_seconds", "upload_octets", "download_octets",
    ]

    /// Ships in one batch.
    private func ship(_ packets: [AccountingPacket], _ bench: AccountingBench, node: String = "node1") async throws {
        let journal = try bench.openJournal()
        defer { journal.close() }
        for packet in packets { try bench.append(packet, to: journal) }
        try await settles { journal.statistics().pending == 0 }
        _ = try await bench.ship(journal, node: node)
    }

    @Test func aBatchIsCutByTenantAndOrderedBySession() async throws {
        try await AccountingBench.run { bench in
            _ = try await bench.subscriber("alice")
            var packets: [AccountingPacket] = []
            for number in 0..<500 {
                let session = "s\(number % 250)"
                let age = number / 250 * 300
                packets.append(AccountingPacket(number < 250 ? 1 : 3, session: session, event: Int64(age), seconds: UInt32(age)))
                guard number % 100 == 7 else { continue }
                var foreign = AccountingPacket(1, session: session, user: "bob", event: 0)
                foreign.tenant = bench.tenant + 1
                packets.append(foreign)
            }
            var restart = AccountingPacket(7, event: 400)
            restart.attributes.removeAll { $0.0 == 44 || $0.0 == 1 }
            try await ship(packets + [restart], bench)
            let blocks = try await bench.texts(
                "SELECT concat_ws('|', tenant_id, cardinality(sequences)) FROM aaa.accounting_block ORDER BY tenant_id, sequences")
            let own = (501 + RecordBlock.mostRecords - 1) / RecordBlock.mostRecords
            #expect(blocks.count == own + 1)
            #expect(blocks.last == "\(bench.tenant + 1)|5")
            #expect(blocks.filter { $0 == "\(bench.tenant)|\(RecordBlock.mostRecords)" }.count == own - 1)
            let odd = Self.arrays.map { "cardinality(\($0)) <> cardinality(sequences)" }.joined(separator: " OR ")
            #expect(try await bench.number("SELECT count(*) FROM aaa.accounting_block WHERE \(odd)") == 0)
            let strays = try await bench.number(
                """
                SELECT count(*) FROM aaa.accounting_block b, LATERAL (
                    SELECT min(session_id) AS lowest, max(session_id) AS highest, min(received_at) AS earliest,
                        array_agg(sequence ORDER BY session_id NULLS FIRST, sequence) AS ordered
                    FROM unnest(sequences, session_ids, received) AS r(sequence, session_id, received_at)
                ) r WHERE (lowest, highest, earliest, ordered) IS DISTINCT FROM (lowest_session, highest_session, received_at, sequences)
                """)
            #expect(strays == 0)
            #expect(try await bench.number("SELECT count(*) FROM aaa.accounting_record WHERE session_id IS NULL") == 1)
        }
    }

    @Test func aPageTakesTheLargestBlockWithoutTOAST() async throws {
        try await AccountingBench.run { bench in
            let subscriber = try await bench.subscriber("alice")
            let nodes = ["n", String(repeating: "n", count: 460), String(repeating: "n", count: 3000)]
            for (place, node) in nodes.enumerated() {
                let packets = (0..<1000).map { number in
                    var packet = AccountingPacket(
                        3, session: "\(place)-\(number)", event: 0, seconds: number % 96 == 0 ? nil : 5, upload: 7, download: 8)
                    packet.subscriber = number % 96 == 1 ? 0 : subscriber
                    return packet
                }
                try await ship(packets, bench, node: node)
                let most = try await bench.number("SELECT max(cardinality(sequences)) FROM aaa.accounting_block WHERE node_id = '\(node)'")
                #expect(node.count < 3000 ? most == Int64(RecordBlock.mostRecords) : (50..<65).contains(most), "\(most)")
            }
            #expect(try await bench.number("SELECT max(pg_column_size(b.*)) FROM aaa.accounting_block b") <= 8160)
            let outside = try await bench.number(
                """
                SELECT sum(pg_relation_size(c.reltoastrelid))::bigint FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                WHERE i.inhparent = 'aaa.accounting_block'::regclass
                """)
            #expect(outside == 0)
        }
    }

    @Test func recordsOfTwoDaysAndThoseWithAPacketStandApart() async throws {
        try await AccountingBench.run { bench in
            let midnight: Int64 = 12 * 3600
            let absurd = AccountingPacket(3, event: 600, seconds: 600, upload: .max, download: 70)
            try await ship(
                [
                    AccountingPacket(3, event: 300, seconds: 300, upload: 5), absurd,
                    AccountingPacket(3, event: 900, seconds: 900, upload: 9),
                    AccountingPacket(3, event: midnight - 1, seconds: 43_199, upload: 10),
                    AccountingPacket(3, event: midnight, seconds: 43_200, upload: 11),
                ], bench)
            let blocks = try await bench.texts(
                "SELECT concat_ws('|', tableoid::regclass, sequences, packet IS NULL) FROM aaa.accounting_block ORDER BY received_at")
            let (first, second) = ("aaa.accounting_block_20260301", "aaa.accounting_block_20260302")
            #expect(blocks == ["\(first)|{1}|t", "\(first)|{2}|f", "\(first)|{3,4}|t", "\(second)|{5}|t"])
            let arrivals = try await bench.texts("SELECT received_at::text FROM aaa.accounting_record ORDER BY sequence LIMIT 2")
            #expect(arrivals == ["2026-03-01 12:05:00.02+00", "2026-03-01 12:10:00.02+00"])
            let late = try await bench.texts("SELECT sequence FROM aaa.records_received('2026-03-01 23:59:59', '2026-03-02 00:00:01')")
            #expect(late == ["4", "5"])
        }
    }
}
