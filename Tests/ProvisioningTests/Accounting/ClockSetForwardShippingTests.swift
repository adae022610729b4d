import Database
import RadiusCore
import Support
import Testing

@testable import Provisioning

/// A router starts two hours behind, brings its sessions up, and then gets the time.
@Suite struct ClockSetForwardShippingTests {
    private static let sessions = """
        SELECT concat_ws('|', ended_by, upload_octets, download_octets, session_seconds) FROM aaa.session ORDER BY started_at
        """
    private static let usage = "SELECT concat_ws('|', sum(upload_octets), sum(download_octets), sum(session_seconds)) FROM aaa.usage"

    private static func packets() -> [AccountingPacket] {
        [
            packet(1, event: 0, behind: 7200), packet(3, event: 300, behind: 7200), packet(3, event: 600, behind: 7200),
            packet(3, event: 900), packet(3, event: 1200), packet(2, event: 1500),
        ]
    }

    private static func packet(_ status: UInt32, event: Int64, behind: Int64 = 0) -> AccountingPacket {
        let octets = status == 1 ? nil : UInt64(event) * 1000
        var packet = AccountingPacket(
            status, event: event, seconds: status == 1 ? nil : UInt32(event), upload: octets, download: octets.map { $0 * 10 })
        packet.attributes[4] = (55, AccountingPacket.number(UInt32(AccountingBench.noon / 1_000_000 + event - behind)))
        return packet
    }

    @Test func inOneBatchIsOneSessionAndItsUsageOnce() async throws {
        try await AccountingBench.run { bench in
            _ = try await bench.subscriber("alice")
            let statistics = try await bench.ship(Self.packets())
            #expect(statistics.opened == 1)
            try await Self.expectOne(bench)
        }
    }

    @Test func readBackBeforeEveryRecordIsOneSessionAndItsUsageOnce() async throws {
        try await AccountingBench.run { bench in
            _ = try await bench.subscriber("alice")
            for packet in Self.packets() { try await bench.ship([packet]) }
            try await Self.expectOne(bench)
        }
    }

    @Test func rememberedBetweenBatchesIsOneSessionAndItsUsageOnce() async throws {
        try await AccountingBench.run { bench in
            _ = try await bench.subscriber("alice")
            try await bench.shipping { feed in
                for packet in Self.packets() { _ = try await feed([packet]) }
                // Retransmissions of before and after the clock was set.
                for place in [2, 3, 5] {
                    var again = Self.packets()[place]
                    again.receivedMicroseconds += 9_000_000
                    _ = try await feed([again])
                }
            }
            try await Self.expectOne(bench)
        }
    }

    @Test func aRebootAfterItWithTheStartLostIsAnotherSession() async throws {
        try await AccountingBench.run { bench in
            _ = try await bench.subscriber("alice")
            let reborn = AccountingPacket(3, event: 4300, seconds: 300, upload: 7, download: 70)
            let statistics = try await bench.ship(Array(Self.packets().prefix(4)) + [reborn])
            #expect(statistics.opened == 2)
            #expect(try await bench.texts(Self.sessions) == ["replaced|900000|9000000|900", "7|70|300"])
            #expect(try await bench.texts(Self.usage) == ["900007|9000070|1200"])
        }
    }

    private static func expectOne(_ bench: AccountingBench) async throws {
        #expect(try await bench.texts(sessions) == ["stop|1500000|15000000|1500"])
        #expect(try await bench.texts(usage) == ["1500000|15000000|1500"])
        #expect(try await bench.number("SELECT count(DISTINCT session_id) FROM aaa.accounting_record") == 1)
    }
}
