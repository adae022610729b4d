import Support
import Testing

@testable import Provisioning

/// What top-ups pay for, and that they pay once (business rule F-4).
@Suite struct QuotaTopUpTests {
    private static let day: Int64 = 1440

    /// 2026-03-10: 1400 octets are used, 400 of them from a top-up of 1000.
    private func spend(_ desk: QuotaDesk) async throws {
        try await desk.topUp(1000)
        try await desk.use([desk.interim(9 * Self.day, download: 500)], at: 9 * Self.day)
        try await desk.use([desk.interim(9 * Self.day + 10, download: 1400)], at: 9 * Self.day + 10)
        #expect(try await desk.left() == ["600"])
        #expect(try await desk.state() == "1400/2000 none")
    }

    @Test(arguments: ["period = 'cycle', anchor_day = 5", "period = 'rolling', days = 8", "period = 'week', first_weekday = 2"])
    func anotherWindowOverTheSameDaysTakesNothingAgain(change: String) async throws {
        try await QuotaDesk.run("100 block") { desk in
            try await desk.topUp(1000)
            try await desk.use([AccountingPacket(1, event: 9 * 86_400)], at: 9 * Self.day)
            let usage = AccountingPacket(3, event: 9 * 86_400 + 600, seconds: 600, upload: 0, download: 1400)
            try await desk.use([usage], at: 9 * Self.day + 10)
            #expect(try await desk.left() == ["600"])
            try await desk.bench.execute("UPDATE aaa.quota SET \(change), version = version + 1")
            try await desk.settle(at: 9 * Self.day + 20)
            #expect(try await desk.left() == ["600"])
            #expect(try await desk.state() == "1400/2000 none")
        }
    }

    @Test func anotherQuotaOverTheSameDaysTakesNothingAgain() async throws {
        try await QuotaDesk.run("100 block") { desk in
            try await spend(desk)
            let other = try await desk.bench.number(
                "INSERT INTO aaa.quota (tenant_id, name, octets) VALUES (\(desk.bench.tenant), 'other', 1000) RETURNING id")
            try await desk.bench.execute("UPDATE aaa.subscriber SET quota_id = \(other)")
            try await desk.settle(at: 9 * Self.day + 20)
            #expect(try await desk.left() == ["600"])
            #expect(try await desk.state() == "1400/2000 none")
        }
    }

    @Test func aQuotaThatIsAwayForAWhileTakesNothingAgain() async throws {
        try await QuotaDesk.run("100 block") { desk in
            try await spend(desk)
            try await desk.bench.execute("UPDATE aaa.quota SET enabled = false, version = version + 1")
            try await desk.settle(at: 9 * Self.day + 20)
            #expect(try await desk.state() == "none")
            // What is used meanwhile counts when the quota is back.
            try await desk.use([desk.interim(9 * Self.day + 30, download: 1450)], at: 9 * Self.day + 30)
            try await desk.bench.execute("UPDATE aaa.quota SET enabled = true, version = version + 1")
            try await desk.settle(at: 9 * Self.day + 40)
            #expect(try await desk.left() == ["550"])
            #expect(try await desk.state() == "1450/2000 none")
        }
    }

    /// A state without a quota is kept for one more window, and then it goes.
    @Test func aStateWithoutAQuotaGoesInTheEnd() async throws {
        try await QuotaDesk.run("100 block", period: "day") { desk in
            try await desk.use([desk.interim(10, download: 10)], at: 10)
            try await desk.bench.execute("UPDATE aaa.profile SET quota_id = NULL")
            try await desk.settle(at: Self.day + 719)
            #expect(try await desk.bench.number("SELECT count(*) FROM aaa.quota_state") == 1)
            try await desk.settle(at: Self.day + 720)
            #expect(try await desk.bench.number("SELECT count(*) FROM aaa.quota_state") == 0)
        }
    }

    @Test func aTopUpDoesNotPayForWhatWasUsedBeforeItCame() async throws {
        try await QuotaDesk.run("100 block") { desk in
            try await desk.use([desk.interim(10, download: 10)], at: 10)
            // Far below the next threshold, so that nobody looks at it.
            try await desk.use([desk.interim(20, download: 500)], at: 20)
            try await desk.topUp(400, expires: 60)
            try await desk.settle(at: 21)
            #expect(try await desk.left() == ["400"])
            try await desk.use([desk.interim(30, download: 650)], at: 30)
            #expect(try await desk.left() == ["250"])
            try await desk.settle(at: 60)
            #expect(try await desk.state() == "650/1150 none")
        }
    }

    /// F-5: 9000 octets came over the window's edge in a day of silence.
    @Test func whatIsInDoubtTakesNothingFromTopUps() async throws {
        try await QuotaDesk.run("100 notify, 100 block", period: "day") { desk in
            try await desk.topUp(2000)
            try await desk.use([desk.interim(10, download: 10)], at: 10)
            try await desk.use([desk.interim(Self.day, download: 9010)], at: Self.day)
            #expect(try await desk.left() == ["2000"])
            #expect(try await desk.events() == ["notify 100"])
            try await desk.use([desk.interim(Self.day + 10, download: 10_110)], at: Self.day + 10)
            #expect(try await desk.left() == ["1900"])
            #expect(try await desk.locks() == [])
        }
    }
}
