import Database
import RadiusCore
import Support
import Testing

@testable import Provisioning

/// What a shipper remembers of open sessions is a guess; these change the row behind its back.
@Suite struct RememberedSessionTests {
    @Test func aSessionChangedByAnotherIsReadAgain() async throws {
        try await AccountingBench.run { bench in
            try await bench.shipping { feed in
                _ = try await feed([AccountingPacket(1, event: 0), AccountingPacket(3, event: 300, seconds: 300, upload: 7)])
                let id = try await bench.number("SELECT id FROM aaa.session")
                #expect(try await bench.pool.run { try SessionCloser.close(id, reason: .contextNotFound, on: $0) })
                try await bench.execute("UPDATE aaa.session_progress SET stopped_at = '2026-03-01 12:06:00+00'")
                let statistics = try await feed([AccountingPacket(3, event: 600, seconds: 600, upload: 9)])
                #expect(statistics.reopened == 1)
                #expect(statistics.rereads == 1)
                #expect(statistics.retries == 0)
                #expect(try await bench.texts("SELECT concat_ws('|', stopped_at, ended_by, upload_octets) FROM aaa.session") == ["9"])
            }
        }
    }

    @Test func aSessionThatAnotherBroughtOnFirstIsReadAgain() async throws {
        try await AccountingBench.run { bench in
            try await bench.shipping { feed in
                _ = try await feed([AccountingPacket(1, event: 0)])
                let id = try await bench.number("SELECT id FROM aaa.session")
                #expect(try await bench.pool.run { try SessionCloser.close(id, reason: .contextNotFound, on: $0) })
                let end = "2026-03-01 12:06:00+00"
                try await bench.execute("UPDATE aaa.session_progress SET stopped_at = '\(end)'")
                let statistics = try await feed([AccountingPacket(3, event: 600, seconds: 600, upload: 9)])
                #expect(statistics.reopened == 1)
                #expect(statistics.rereads == 1)
                #expect(statistics.rejected == 0)
                #expect(try await bench.texts("SELECT concat_ws('|', stopped_at, ended_by, upload_octets) FROM aaa.session") == ["9"])
            }
        }
    }

    @Test func aSessionThatWentToTheHistoryMeanwhileComesBack() async throws {
        try await AccountingBench.run { bench in
            try await bench.shipping { feed in
                _ = try await feed([AccountingPacket(1, event: 0)])
                let id = try await bench.number("SELECT id FROM aaa.session")
                #expect(try await bench.pool.run { try SessionCloser.close(id, reason: .contextNotFound, on: $0) })
                try await bench.execute("UPDATE aaa.session_progress SET stopped_at = '2026-03-01 12:06:00+00'")
                let retired = try await bench.pool.run {
                    try AccountingMaintenance(settings: AccountingBench.settings).retire($0, AccountingBench.noon + 7200 * 1_000_000)
                }
                #expect(retired == 1)
                #expect(try await bench.number("SELECT count(*) FROM aaa.session_header") == 0)
                let statistics = try await feed([AccountingPacket(3, event: 600, seconds: 600, upload: 9)])
                #expect(statistics.rereads == 1)
                #expect(statistics.rejected == 0)
                #expect(try await bench.texts("SELECT concat_ws('|', id, ended_by, upload_octets) FROM aaa.session") == ["\(id)|9"])
                #expect(try await bench.number("SELECT count(*) FROM aaa.session_history") == 0)
            }
        }
    }

    @Test func aSessionThatBeganAndEndedInOneBatchIsClosedAtOnce() async throws {
        try await AccountingBench.run { bench in
            try await bench.shipping { feed in
                _ = try await feed([AccountingPacket(1, event: 0), AccountingPacket(2, event: 300, seconds: 300, upload: 7)])
                let closed = "SELECT concat_ws('|', ended_by, upload_octets, session_seconds) FROM aaa.session"
                #expect(try await bench.texts(closed) == ["stop|7|300"])
                #expect(try await bench.number("SELECT count(*) FROM aaa.session_progress") == 1)
            }
        }
    }

    @Test func aRememberedSessionIsNotReadAndKeepsItsNames() async throws {
        try await AccountingBench.run { bench in
            try await bench.shipping { feed in
                var start = AccountingPacket(1, event: 0)
                start.attributes += [(8, [203, 0, 113, 7]), (31, Array("00-11-22".utf8))]
                _ = try await feed([start])
                #expect(try await bench.number("SELECT count(*) FROM aaa.session_progress") == 0)
                var moved = AccountingPacket(3, event: 300, seconds: 300, upload: 5)
                moved.attributes.append((8, [203, 0, 113, 8]))
                _ = try await feed([moved])
                var same = AccountingPacket(3, event: 600, seconds: 600, upload: 6)
                same.attributes.append((8, [203, 0, 113, 8]))
                let transaction = try await bench.number("SELECT xmin::text::bigint FROM aaa.session_progress")
                let header = try await bench.number("SELECT xmin::text::bigint FROM aaa.session_header")
                let statistics = try await feed([same])
                #expect(statistics.rereads == 0)
                #expect(try await bench.number("SELECT xmin::text::bigint FROM aaa.session_progress") > transaction)
                #expect(try await bench.number("SELECT xmin::text::bigint FROM aaa.session_header") == header)
                let row = try await bench.texts(
                    "SELECT concat_ws('|', username, framed_ipv4, calling_station_id, upload_octets) FROM aaa.session")
                #expect(row == ["alice|203.0.113.8|00-11-22|6"])
            }
        }
    }

    @Test func aReusedSessionIDIsNoticedThoughTheOldSessionIsRemembered() async throws {
        try await AccountingBench.run { bench in
            try await bench.shipping { feed in
                _ = try await feed([AccountingPacket(1, event: 0), AccountingPacket(3, event: 3000, seconds: 3000, upload: 700)])
                _ = try await feed([AccountingPacket(1, event: 4000), AccountingPacket(3, event: 4300, seconds: 300, upload: 50)])
                // Of the first one, late.
                let statistics = try await feed([AccountingPacket(3, event: 3200, seconds: 3200, upload: 720)])
                #expect(statistics.opened == 2)
                #expect(statistics.reopened == 1)
                let rows = try await bench.texts(
                    "SELECT concat_ws('|', started_at, ended_by, upload_octets) FROM aaa.session ORDER BY started_at")
                #expect(rows == ["2026-03-01 12:00:00+00|replaced|720", "2026-03-01 13:06:40+00|50"])
            }
        }
    }

    @Test func aSessionThatBeganAtAnotherNodeEndsHere() async throws {
        try await AccountingBench.run { bench in
            _ = try await bench.subscriber("alice")
            try await bench.shipping(node: "node1") { first in
                try await bench.shipping(node: "node2") { second in
                    _ = try await first([AccountingPacket(1, event: 0), AccountingPacket(3, event: 300, seconds: 300, upload: 7)])
                    _ = try await second([AccountingPacket(3, event: 600, seconds: 600, upload: 9)])
                    _ = try await first([AccountingPacket(3, event: 900, seconds: 900, upload: 11)])
                    _ = try await second([AccountingPacket(2, event: 1200, seconds: 1200, upload: 20)])
                    let late = try await first([AccountingPacket(3, event: 1100, seconds: 1100, upload: 15)])
                    #expect(late.late == 1)
                    let rows = try await bench.texts("SELECT concat_ws('|', stopped_at, ended_by, upload_octets) FROM aaa.session")
                    #expect(rows == ["2026-03-01 12:20:00+00|stop|20"])
                    #expect(try await bench.number("SELECT upload_octets FROM aaa.usage") == 20)
                    #expect(try await bench.number("SELECT count(*) FROM aaa.accounting_record") == 6)
                }
            }
        }
    }

    @Test func accountingOnEndsSessionsThatAreOnlyRemembered() async throws {
        try await AccountingBench.run { bench in
            try await bench.shipping { feed in
                _ = try await feed([AccountingPacket(1, event: 0)])
                var restart = AccountingPacket(7, event: 1000)
                restart.attributes.removeAll { $0.0 == 44 || $0.0 == 1 }
                #expect(try await feed([restart]).closed == 1)
                let statistics = try await feed([AccountingPacket(3, event: 500, seconds: 500, upload: 3)])
                #expect(statistics.rereads == 1)
                let rows = try await bench.texts("SELECT concat_ws('|', ended_by, upload_octets) FROM aaa.session")
                #expect(rows == ["accounting_on|3"])
            }
        }
    }

    @Test func forgetsWhatIsLongUnused() throws {
        var cache = SessionCache(limit: 10)
        func row(_ number: UInt8) -> SessionRow {
            let start = SessionFold.opened(by: AccountingProgress(status: .start, time: EventTime(receivedMicroseconds: 1)))
            let key = SessionKey(nas: 1, octets: [number])
            return SessionRow(id: 1, tenant: 1, key: key, subscriber: 0, fold: start.0, writer: 0, session: 0)
        }
        for number in 0..<100 { cache.keep(row(UInt8(number))) }
        #expect(cache.count <= 10)
        #expect(cache.row(row(99).key) != nil)
        #expect(cache.row(row(0).key) == nil)
        cache.forget(row(99).key)
        #expect(cache.row(row(99).key) == nil)
        var none = SessionCache(limit: 0)
        none.keep(row(1))
        #expect(none.count == 0)
    }
}
