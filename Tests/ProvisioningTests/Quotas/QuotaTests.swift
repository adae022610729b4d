import Database
import RadiusCore
import Support
import Testing

@testable import Provisioning

/// Accounting records in, restrictions out (business rules F-1 to F-5).
@Suite struct QuotaTests {
    @Test func eachThresholdFiresOnceAndTheMostSevereHolds() async throws {
        try await QuotaDesk.run { desk in
            try await desk.use([AccountingPacket(1, event: 0), desk.interim(10, download: 700)], at: 10)
            #expect(try await desk.state() == "700/1000 none")
            try await desk.use([desk.interim(20, download: 750, upload: 100)], at: 20)
            #expect(try await desk.state() == "850/1000 none")
            try await desk.use([desk.interim(30, download: 800, upload: 150)], at: 30)
            #expect(try await desk.state() == "950/1000 throttle slow")
            #expect(try await desk.locks() == [])
            try await desk.use([desk.interim(40, download: 900, upload: 150)], at: 40)
            #expect(try await desk.state() == "1050/1000 block slow")
            #expect(try await desk.locks() == ["quota suspended"])
            try await desk.use([desk.interim(50, download: 3000, upload: 150)], at: 50)
            try await desk.settle(at: 51)
            #expect(try await desk.events() == ["notify 80", "throttle 90", "block 100"])
        }
    }

    /// F-1: what is counted is what the session's own totals say, whatever is sent twice, late, reordered or has wrapped.
    @Test func duplicatesAndLateRecordsChangeNothing() async throws {
        try await QuotaDesk.run("100 notify") { desk in
            let (first, second) = (desk.interim(10, download: 300), desk.interim(20, download: 500))
            try await desk.use([second, first, second, first], at: 20)
            try await desk.use([first], at: 21)
            #expect(try await desk.state() == "500/1000 none")
            // A Stop lower than the last interim keeps the higher value.
            try await desk.use([AccountingPacket(2, event: 1500, seconds: 1500, upload: 0, download: 400)], at: 25)
            #expect(try await desk.state() == "500/1000 none")
            // Beyond 32 bits.
            try await desk.use([desk.interim(30, download: 5_000_000_000, session: "s2")], at: 30)
            #expect(try await desk.state() == "5000000500/1000 none")
            #expect(try await desk.events() == ["notify 100"])
        }
    }

    @Test func aDirectionThatDoesNotCountIsNotCounted() async throws {
        try await QuotaDesk.run("100 block", more: "direction = 'upload'") { desk in
            try await desk.use([desk.interim(10, download: 5000, upload: 999)], at: 10)
            #expect(try await desk.state() == "999/1000 none")
        }
    }

    /// F-2 and F-4: the day ends at midnight of the tenant's zone, and what was used over it is shared out.
    @Test func theWindowsEndLiftsAllRestrictionsWithoutAnyRecord() async throws {
        // Midnight is at 23:00 UTC: 660 minutes behind noon.
        try await QuotaDesk.run("90 throttle, 100 block", period: "day", zone: "Europe/Berlin") { desk in
            try await desk.use([desk.interim(650, download: 1500)], at: 650)
            #expect(try await desk.state() == "1500/1000 block slow")
            try await desk.settle(at: 659)
            #expect(try await desk.locks() == ["quota suspended"])
            try await desk.settle(at: 660)
            #expect(try await desk.state() == "0/1000 none")
            #expect(try await desk.locks() == [])
            #expect(try await desk.events() == ["throttle 90", "block 100", "restored"])
            // Half of these twenty minutes were yesterday.
            try await desk.use([desk.interim(670, download: 3500)], at: 670)
            #expect(try await desk.state() == "1000/1000 block slow")
            #expect(try await desk.events().suffix(2) == ["throttle 90", "block 100"])
        }
    }

    @Test func aRecordOfYesterdayIsYesterdays() async throws {
        try await QuotaDesk.run("100 block", period: "day") { desk in
            // Counting began today.
            try await desk.use([desk.interim(10, download: 10)], at: 730)
            try await desk.use([desk.interim(715, download: 5000)], at: 731)
            #expect(try await desk.state() == "0/1000 none")
            #expect(try await desk.bench.number("SELECT download_octets FROM aaa.quota_day WHERE day = '2026-03-01'") == 5000)
        }
    }

    @Test func aRollingWindowForgetsTheOldestDay() async throws {
        try await QuotaDesk.run("50 notify, 100 throttle", period: "rolling", more: "days = 2") { desk in
            let day: Int64 = 1440
            try await desk.use([desk.interim(10, download: 600), desk.interim(20, download: 600)], at: 20)
            try await desk.use([desk.interim(day, download: 600), desk.interim(day + 10, download: 1200)], at: day + 10)
            #expect(try await desk.state() == "1200/1000 throttle slow")
            try await desk.settle(at: 2 * day)
            #expect(try await desk.state() == "600/1000 none")
            #expect(try await desk.events() == ["notify 50", "throttle 100", "restored"])
            try await desk.settle(at: 3 * day)
            #expect(try await desk.state() == "0/1000 none")
        }
    }

    /// F-5: of a router that was silent over the window's edge nobody knows what was used when.
    @Test func whatMayBelongToAnotherWindowNeverRestricts() async throws {
        try await QuotaDesk.run("100 notify, 100 throttle, 100 block", period: "day") { desk in
            try await desk.use([desk.interim(10, download: 10)], at: 10)
            try await desk.use([desk.interim(1440, download: 9000)], at: 1440)
            #expect(try await desk.bench.texts("SELECT action || ' ' || estimated FROM aaa.quota_state_list") == ["none true"])
            #expect(try await desk.events() == ["notify 100"])
            #expect(try await desk.bench.number("SELECT count(*) FROM aaa.quota_event WHERE estimated") == 1)
            // What is used from then on is certain.
            try await desk.use([desk.interim(1450, download: 9500)], at: 1450)
            #expect(try await desk.locks() == [])
            try await desk.use([desk.interim(1460, download: 10_000)], at: 1460)
            #expect(try await desk.locks() == ["quota suspended"])
        }
    }

    /// Such records are dated by their arrival, which says well enough in which window they are; only over its edge they are in doubt.
    @Test func aRouterWithAWrongClockIsBelievedWithinTheWindow() async throws {
        try await QuotaDesk.run("100 block", period: "day") { desk in
            try await desk.use([desk.skewed(10, download: 100)], at: 10)
            try await desk.use([desk.skewed(20, download: 1100)], at: 20)
            #expect(try await desk.state() == "1100/1000 block")
            try await desk.use([desk.skewed(725, download: 9000)], at: 725)
            #expect(try await desk.locks() == [])
            // Five of 705 minutes: 7900 octets less the floor of 7843.97.
            #expect(try await desk.bench.number("SELECT estimated_octets FROM aaa.quota_state") == 57)
        }
    }

    /// F-4: whatever expires first is used first; the quota itself expires with its window.
    @Test func topUpsAreUsedInTheOrderInWhichTheyExpire() async throws {
        try await QuotaDesk.run("100 block", period: "day") { desk in
            try await desk.topUp(400)
            try await desk.topUp(300, expires: 5000)
            try await desk.topUp(200, expires: 60)
            try await desk.use([desk.interim(10, download: 150)], at: 10)
            #expect(try await desk.left() == ["400", "300", "50"])
            #expect(try await desk.state() == "150/1900 none")
            try await desk.use([desk.interim(20, download: 1100)], at: 20)
            #expect(try await desk.left() == ["400", "300", "0"])
            try await desk.use([desk.interim(30, download: 1650)], at: 30)
            #expect(try await desk.left() == ["250", "0", "0"])
            #expect(try await desk.state() == "1650/1900 none")
            try await desk.use([desk.interim(40, download: 2000)], at: 40)
            #expect(try await desk.state() == "2000/1900 block")
            // More of it lifts the block, covers what was used meanwhile, and lasts beyond the window.
            try await desk.topUp(500)
            try await desk.settle(at: 41)
            #expect(try await desk.state() == "2000/2400 none")
            #expect(try await desk.left() == ["0", "0", "0", "400"])
            try await desk.settle(at: 720)
            #expect(try await desk.state() == "0/1400 none")
            #expect(try await desk.events() == ["block 100", "restored"])
        }
    }

    @Test func whatATopUpLosesAtItsEndIsLost() async throws {
        try await QuotaDesk.run("100 block", period: "month") { desk in
            try await desk.use([desk.interim(10, download: 900)], at: 10)
            try await desk.topUp(500, expires: 60)
            try await desk.settle(at: 11)
            try await desk.use([desk.interim(20, download: 1100)], at: 20)
            #expect(try await desk.state() == "1100/1500 none")
            try await desk.settle(at: 60)
            // 200 of it were used, and still count.
            #expect(try await desk.state() == "1100/1200 none")
            try await desk.use([desk.interim(70, download: 1200)], at: 70)
            #expect(try await desk.locks() == ["quota suspended"])
        }
    }

    @Test func aQuotaThatIsGivenInTheMiddleCountsWhatWasUsedBefore() async throws {
        try await QuotaDesk.run("100 block") { desk in
            try await desk.bench.execute("UPDATE aaa.profile SET quota_id = NULL")
            try await desk.use([desk.interim(10, download: 800)], at: 10)
            #expect(try await desk.state() == "none")
            try await desk.bench.execute("UPDATE aaa.subscriber SET quota_id = \(desk.quota)")
            // Two records wait in the queue and stand in the usage already: they are counted once.
            try await desk.bench.ship([desk.interim(20, download: 850)])
            try await desk.use([desk.interim(30, download: 900)], at: 30)
            #expect(try await desk.state() == "900/1000 none")
            try await desk.use([desk.interim(40, download: 950)], at: 40)
            #expect(try await desk.state() == "950/1000 none")
        }
    }

    @Test func whoeverLosesTheQuotaIsFree() async throws {
        try await QuotaDesk.run { desk in
            try await desk.bench.execute(
                """
                INSERT INTO aaa.access_lock (tenant_id, subscriber_id, reason, level)
                VALUES (\(desk.bench.tenant), \(desk.alice), 'overdue', 'captive')
                """)
            try await desk.use([desk.interim(10, download: 2000)], at: 10)
            #expect(try await desk.locks() == ["overdue captive", "quota suspended"])
            try await desk.bench.execute("UPDATE aaa.profile SET quota_id = NULL")
            try await desk.settle(at: 11)
            #expect(try await desk.state() == "none")
            // D-4: releasing one lock never releases another.
            #expect(try await desk.locks() == ["overdue captive"])
            #expect(try await desk.events() == ["notify 80", "throttle 90", "block 100", "restored"])
            try await desk.settle(at: 12)
            try await desk.bench.execute("UPDATE aaa.profile SET quota_id = \(desk.quota) WHERE id = \(desk.home)")
            try await desk.settle(at: 13)
            #expect(try await desk.locks() == ["overdue captive", "quota suspended"])
            // Whoever was told of a share of the window once is not told again.
            #expect(try await desk.events().dropFirst(4) == ["throttle 90", "block 100"])
        }
    }

    @Test func aChangedQuotaHoldsAtOnce() async throws {
        try await QuotaDesk.run("100 block") { desk in
            try await desk.use([desk.interim(10, download: 900)], at: 10)
            try await desk.bench.execute("UPDATE aaa.quota SET octets = 500, version = version + 1")
            try await desk.settle(at: 11)
            #expect(try await desk.state() == "900/500 block")
            try await desk.bench.execute("UPDATE aaa.quota_threshold SET action = 'captive', version = version + 1")
            try await desk.settle(at: 12)
            #expect(try await desk.locks() == ["quota captive"])
            try await desk.bench.execute("UPDATE aaa.quota SET enabled = false, version = version + 1")
            try await desk.settle(at: 13)
            #expect(try await desk.locks() == [])
        }
    }

    /// The operator's hand holds: a lock that was taken away by hand does not come back with the next record.
    @Test func aLockThatWasTakenAwayByHandStaysAway() async throws {
        try await QuotaDesk.run { desk in
            try await desk.use([desk.interim(10, download: 2000)], at: 10)
            try await desk.bench.execute("DELETE FROM aaa.access_lock")
            try await desk.use([desk.interim(20, download: 3000)], at: 20)
            #expect(try await desk.locks() == [])
            #expect(try await desk.state().hasSuffix(" unlocked slow"))
            let counts = try await desk.bench.pool.transaction(.system) { connection in
                try connection.queryAll(QuotaService.restricted) { "\(try $0.string(0)) \(try $0.int64(1))" }
            }
            #expect(counts == ["unlocked 1"])
        }
    }

    /// Random records, repeated and shuffled: the days add up to what the sessions' totals say (F-1).
    @Test func theDaysAddUpToTheSessions() async throws {
        try await QuotaDesk.run("100 notify", period: "day", zone: "America/Havana") { desk in
            var random = SeededGenerator(state: 7)
            var packets: [AccountingPacket] = []
            for session in 1...6 {
                var (down, up, minute): (UInt64, UInt64, Int64) = (0, 0, 0)
                for _ in 1...12 {
                    minute += Int64.random(in: 1...400, using: &random)
                    down += UInt64.random(in: 0...6_000_000_000, using: &random)
                    up += UInt64.random(in: 0...1000, using: &random)
                    let packet = desk.interim(minute, download: down, upload: up, session: "s\(session)")
                    packets += Bool.random(using: &random) ? [packet, packet] : [packet]
                }
            }
            packets.shuffle(using: &random)
            // Seen once before, so that the rest goes by the queue.
            try await desk.use([desk.interim(0, download: 1, session: "first")], at: 0)
            for start in stride(from: 0, to: packets.count, by: 25) {
                try await desk.use(Array(packets[start..<min(packets.count, start + 25)]), at: 5000)
            }
            let sessions = try await desk.bench.texts("SELECT sum(upload_octets) || ' ' || sum(download_octets) FROM aaa.session")
            let days = try await desk.bench.texts("SELECT sum(upload_octets) || ' ' || sum(download_octets) FROM aaa.quota_day")
            #expect(days == sessions)
            #expect(try await desk.bench.number("SELECT count(*) FROM aaa.quota_day") > 2)
        }
    }
}
