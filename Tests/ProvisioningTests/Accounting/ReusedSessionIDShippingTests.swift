import Support
import Testing

@testable import Provisioning

/// A router without Event-Timestamp gives an Acct-Session-Id again a minute after it was used.
@Suite struct ReusedSessionIDShippingTests {
    /// A shipper that starts takes sessions that ended long ago to the history.
    private static let sessions = """
        SELECT concat_ws('|', coalesce(ended_by, 'open'), upload_octets, session_seconds, host(framed_ipv4)) FROM (
            SELECT ended_by, upload_octets, session_seconds, framed_ipv4, started_at FROM aaa.session
            UNION ALL SELECT ended_by, upload_octets, session_seconds, framed_ipv4, started_at FROM aaa.session_history
        ) s ORDER BY started_at
        """
    private static let usage = "SELECT concat_ws('|', sum(upload_octets), sum(session_seconds)) FROM aaa.usage"

    private static func packet(_ status: UInt32, event: Int64, address: UInt8?, seconds: UInt32? = nil, upload: UInt64? = nil)
        -> AccountingPacket
    {
        var packet = AccountingPacket(status, event: event, seconds: seconds, upload: upload)
        packet.attributes.removeAll { $0.0 == 55 }
        if let address { packet.attributes.append((8, [10, 0, 0, address])) }
        return packet
    }

    private static let renumbered = [
        packet(1, event: 0, address: 1), packet(2, event: 3, address: 1, seconds: 3, upload: 1000), packet(1, event: 68, address: 2),
        packet(3, event: 73, address: 2, seconds: 5, upload: 7),
    ]

    @Test func aStartWithAnotherAddressIsASessionOfItsOwn() async throws {
        for isApart in [false, true] {
            try await AccountingBench.run { bench in
                _ = try await bench.subscriber("alice")
                if isApart {
                    for packet in Self.renumbered { try await bench.ship([packet]) }
                } else {
                    #expect(try await bench.ship(Self.renumbered).opened == 2)
                }
                #expect(try await bench.texts(Self.sessions) == ["stop|1000|3|10.0.0.1", "open|7|5|10.0.0.2"], "apart: \(isApart)")
                #expect(try await bench.texts(Self.usage) == ["1007|8"], "apart: \(isApart)")
            }
        }
    }

    @Test func rememberedBetweenBatchesItIsASessionOfItsOwnToo() async throws {
        try await AccountingBench.run { bench in
            _ = try await bench.subscriber("alice")
            try await bench.shipping { feed in
                for packet in Self.renumbered { _ = try await feed([packet]) }
                // Sent again, behind the Stop's response and behind the second session's first record.
                var again = Self.renumbered[2]
                again.receivedMicroseconds += 9_000_000
                #expect(try await feed([again]).opened == 2)
            }
            #expect(try await bench.texts(Self.sessions) == ["stop|1000|3|10.0.0.1", "open|7|5|10.0.0.2"])
            #expect(try await bench.texts(Self.usage) == ["1007|8"])
        }
    }

    /// With the address of the first session, and without any; the repetition comes once the second session runs.
    @Test(arguments: [true, false], [true, false])
    func aRepeatedRecordOfTheFirstSessionIsNotOfTheSecond(isApart: Bool, isStop: Bool) async throws {
        let last =
            isStop
            ? Self.packet(2, event: 40, address: 1, seconds: 40, upload: 1000)
            : Self.packet(2, event: 41, address: 1, seconds: 41, upload: 1100)
        let early = Self.packet(isStop ? 2 : 3, event: 40, address: 1, seconds: 40, upload: 1000)
        var again = early
        again.receivedMicroseconds += 5_000_000
        let packets =
            [Self.packet(1, event: 0, address: 1), early] + (isStop ? [] : [last]) + [
                Self.packet(1, event: 42, address: 2), again, Self.packet(3, event: 60, address: 2, seconds: 18, upload: 20),
            ]
        try await AccountingBench.run { bench in
            _ = try await bench.subscriber("alice")
            try await bench.shipping { feed in
                if isApart { for packet in packets { _ = try await feed([packet]) } } else { _ = try await feed(packets) }
            }
            let first = isStop ? "stop|1000|40|10.0.0.1" : "stop|1100|41|10.0.0.1"
            #expect(try await bench.texts(Self.sessions) == [first, "open|20|18|10.0.0.2"])
            #expect(try await bench.texts(Self.usage) == [isStop ? "1020|58" : "1120|59"])
        }
    }

    @Test func aStartBehindAccountingOnIsASessionOfItsOwn() async throws {
        try await AccountingBench.run { bench in
            _ = try await bench.subscriber("alice")
            for packet in [
                Self.packet(1, event: 0, address: 1), Self.packet(7, event: 30, address: nil), Self.packet(1, event: 68, address: 1),
                Self.packet(3, event: 73, address: 1, seconds: 5, upload: 7),
            ] {
                try await bench.ship([packet])
            }
            #expect(try await bench.texts(Self.sessions) == ["accounting_on|0|0|10.0.0.1", "open|7|5|10.0.0.1"])
        }
    }

    @Test func aStartThatIsSentAgainBehindTheStopChangesNothing() async throws {
        try await AccountingBench.run { bench in
            _ = try await bench.subscriber("alice")
            for packet in Self.renumbered[..<2] + [Self.packet(1, event: 68, address: 1)] { try await bench.ship([packet]) }
            #expect(try await bench.texts(Self.sessions) == ["stop|1000|3|10.0.0.1"])
        }
    }
}
