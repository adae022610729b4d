import Database
import Support
import Testing

@testable import Provisioning
@testable import RadiusCore

/// What is left of a quota for the NAS to keep by itself.
@Suite struct QuotaLimitTests {
    private static let on = "nas_limits = true"

    private func run(
        _ thresholds: String = "100 block", period: String = "month", more: String = on, zone: String = "UTC",
        _ body: (QuotaDesk) async throws -> Void
    ) async throws {
        try await QuotaDesk.run(thresholds, period: period, more: more, zone: zone) { desk in
            // What accounting comes from.
            try await desk.bench.execute(
                """
                INSERT INTO aaa.nas (id, tenant_id, name, address, secret, vendor) OVERRIDING SYSTEM VALUE
                VALUES (1, \(desk.bench.tenant), 'core1', '192.0.2.7', 'sealed', 'mikrotik')
                """)
            try await desk.settle(at: 0)
            try await body(desk)
        }
    }

    /// A tenth of the quota is the margin, and half of that a step: what is told is more than what is left by something between the two.
    @Test func whatIsLeftFollowsUsageInSteps() async throws {
        try await run { desk in
            #expect(try await desk.told() == "1050 of 1100")
            let steps: [(minute: Int64, used: UInt64, told: String)] = [
                (10, 49, "1050 of 1100"), (20, 50, "1000 of 1100"), (30, 499, "600 of 1100"), (40, 999, "100 of 1100"),
            ]
            for step in steps {
                try await desk.use([desk.interim(step.minute, download: step.used)], at: step.minute)
                #expect(try await desk.told() == step.told)
            }
            try await desk.use([desk.interim(50, download: 1000)], at: 50)
            #expect(try await desk.told() == "nothing")
            #expect(try await desk.locks() == ["quota suspended"])
        }
    }

    /// A snapshot is told of each step, and of no record between them.
    @Test func onlyStepsReachTheSnapshots() async throws {
        try await run { desk in
            let changes = "SELECT count(*) FROM aaa.change WHERE kind = 'subscriber'"
            try await desk.use([desk.interim(10, download: 1)], at: 10)
            let before = try await desk.bench.number(changes)
            for minute in 11...19 as ClosedRange<Int64> {
                try await desk.use([desk.interim(minute, download: UInt64(minute - 10) * 5)], at: minute)
            }
            #expect(try await desk.bench.number(changes) == before)
            try await desk.use([desk.interim(20, download: 51)], at: 20)
            #expect(try await desk.bench.number(changes) == before + 1)
        }
    }

    @Test(arguments: ["80 throttle, 90 notify", "100 notify"])
    func aQuotaThatTakesNothingAwayLimitsNothing(thresholds: String) async throws {
        try await run(thresholds) { desk in
            try await desk.use([desk.interim(10, download: 10)], at: 10)
            #expect(try await desk.told() == "nothing")
        }
    }

    @Test func theFirstThresholdThatTakesTheServiceAwayIsTheLimit() async throws {
        try await run("50 throttle, 80 captive, 100 block") { desk in
            #expect(try await desk.told() == "840 of 880")
            try await desk.use([desk.interim(10, download: 600)], at: 10)
            #expect(try await desk.state() == "600/1000 throttle slow")
            #expect(try await desk.told() == "240 of 880")
            try await desk.use([desk.interim(20, download: 800)], at: 20)
            #expect(try await desk.state() == "800/1000 captive slow")
            #expect(try await desk.told() == "nothing")
            // The operator lets alice in: nothing of the quota is left that could be told.
            try await desk.bench.execute("DELETE FROM aaa.access_lock")
            try await desk.use([desk.interim(30, download: 810)], at: 30)
            #expect(try await desk.told() == "nothing")
        }
    }

    @Test func itIsOffUnlessAskedFor() async throws {
        try await run(more: "") { desk in
            try await desk.use([desk.interim(10, download: 10)], at: 10)
            #expect(try await desk.told() == "nothing")
            #expect(try await desk.requests() == [])
            try await desk.bench.execute("UPDATE aaa.quota SET \(Self.on)")
            try await desk.settle(at: 11)
            #expect(try await desk.told() == "1050 of 1100")
            // Who is online is told by CoA.
            #expect(try await desk.requests() == ["limit"])
            try await desk.bench.execute("UPDATE aaa.quota SET nas_margin_percent = 50")
            try await desk.settle(at: 12)
            #expect(try await desk.told() == "1250 of 1500")
            try await desk.bench.execute("UPDATE aaa.quota SET nas_limits = false")
            try await desk.settle(at: 13)
            #expect(try await desk.told() == "nothing")
        }
    }

    /// An Accept comes before the first record of accounting.
    @Test func whoHasUsedNothingYetHasALimit() async throws {
        try await run { desk in
            let bob = try await desk.neighbour("bob")
            try await desk.settle(at: 1)
            #expect(try await desk.state(of: bob) == "0/1000 none")
            #expect(try await desk.requests() == [])
        }
        try await run(more: "") { desk in
            let bob = try await desk.neighbour("bob")
            try await desk.settle(at: 1)
            #expect(try await desk.state(of: bob) == "none")
            try await desk.bench.execute("UPDATE aaa.quota SET \(Self.on)")
            try await desk.settle(at: 2)
            #expect(try await desk.state(of: bob) == "0/1000 none")
        }
    }

    // MARK: What raises it

    @Test func aTopUpReachesWhoeverIsOnline() async throws {
        try await run { desk in
            try await desk.use([desk.interim(10, download: 120)], at: 10)
            #expect(try await desk.told() == "950 of 1100")
            // What was used, the NAS has counted itself.
            #expect(try await desk.requests() == [])
            try await desk.topUp(1000)
            try await desk.settle(at: 11)
            #expect(try await desk.told() == "2000 of 2200")
            #expect(try await desk.requests() == ["limit"])
            // Another reason to look at the session stands beside it.
            let all = "SELECT requested_at FROM aaa.reauthorization WHERE NOT is_of_limit"
            try await desk.bench.execute("UPDATE aaa.subscriber SET status = 'quarantined'")
            #expect(try await desk.requests() == ["all", "limit"])
            let before = try await desk.bench.texts(all)
            try await desk.topUp(1000)
            try await desk.settle(at: 12)
            #expect(try await desk.requests() == ["all", "limit"])
            #expect(try await desk.bench.texts(all) == before)
        }
    }

    /// `VolumeAttribute` and the database must know the same makes.
    @Test func onlyMakesThatTakeALimitAreAsked() async throws {
        try await run { desk in
            try await desk.use([desk.interim(10, download: 10)], at: 10)
            for (minute, vendor) in zip((11 as Int64)..., NASVendor.allCases) {
                try await desk.bench.execute("UPDATE aaa.nas SET vendor = '\(vendor.name)'")
                try await desk.bench.execute("DELETE FROM aaa.reauthorization")
                try await desk.topUp(100)
                try await desk.settle(at: minute)
                #expect(try await desk.requests() == (VolumeAttribute.isTakenByCoA(vendor) ? ["limit"] : []), "\(vendor)")
            }
        }
    }

    // MARK: What is left later

    @Test(arguments: [
        ("day", "UTC", "2026-03-03T00:00:00Z"), ("week", "UTC", "2026-03-09T00:00:00Z"), ("month", "UTC", "2026-05-01T00:00:00Z"),
        // Clocks go forward in between.
        ("month", "Europe/Berlin", "2026-04-30T22:00:00Z"), ("rolling", "UTC", "2026-03-03T00:00:00Z"),
    ])
    func theNextWindowsEndIsKnown(period: String, zone: String, end: String) async throws {
        try await run(period: period, zone: zone) { desk in
            try await desk.use([desk.interim(10, download: 10)], at: 10)
            #expect(try await desk.later().hasSuffix(" until \(end)"))
        }
    }

    @Test func theNextCycleIsTheSubscribers() async throws {
        try await run(period: "cycle") { desk in
            try await desk.bench.execute("UPDATE aaa.subscriber SET billing_day = 31")
            try await desk.settle(at: 1)
            #expect(try await desk.later() == "1100 until 2026-04-30T00:00:00Z")
        }
    }

    /// At midnight only the oldest day leaves.
    @Test func aRollingWindowKeepsTheOtherDays() async throws {
        try await run(period: "rolling", more: "\(Self.on), days = 2") { desk in
            try await desk.use([desk.interim(10, download: 100)], at: 10)
            #expect(try await desk.told() == "950 of 1100")
            #expect(try await desk.later() == "950 until 2026-03-03T00:00:00Z")
            try await desk.settle(at: 720)
            #expect(try await desk.told() == "950 of 1100")
            #expect(try await desk.later() == "1050 until 2026-03-04T00:00:00Z")
        }
    }

    /// No top-up pays in two windows; what is left of one does.
    @Test func whatTopUpsPaidForIsNotThereAgain() async throws {
        try await run { desk in
            try await desk.topUp(1000)
            try await desk.use([desk.interim(10, download: 1500)], at: 10)
            #expect(try await desk.told() == "600 of 2200")
            #expect(try await desk.later() == "1650 until 2026-05-01T00:00:00Z")
            // It falls with each record, of which snapshots hear in steps only.
            let changes = "SELECT count(*) FROM aaa.change WHERE kind = 'subscriber'"
            let before = try await desk.bench.number(changes)
            try await desk.use([desk.interim(20, download: 1550)], at: 20)
            #expect(try await desk.later() == "1595 until 2026-05-01T00:00:00Z")
            #expect(try await desk.bench.number(changes) == before)
        }
    }

    /// While a top-up is used each record is looked at; what is told changes by steps all the same.
    @Test func whatATopUpPaysForIsToldInSteps() async throws {
        try await run { desk in
            try await desk.topUp(1000, expires: 60)
            try await desk.use([desk.interim(10, download: 10)], at: 10)
            #expect(try await desk.told() == "2100 of 2200")
            #expect(try await desk.later() == "2100 until 2026-04-01T00:00:00Z")
            let changes = "SELECT count(*) FROM aaa.change WHERE kind = 'subscriber'"
            let before = try await desk.bench.number(changes)
            try await desk.use([desk.interim(20, download: 99)], at: 20)
            #expect(try await desk.bench.number(changes) == before)
            // It ends before the window does, and what is left of it is lost.
            #expect(try await desk.bench.number("SELECT count(*) FROM aaa.quota_state WHERE nas_until < window_end") == 1)
            try await desk.settle(at: 60)
            #expect(try await desk.bench.number("SELECT count(*) FROM aaa.quota_state WHERE nas_until = window_end") == 1)
            #expect(try await desk.told() == "1090 of 1198")
        }
    }

    @Test func theNextWindowBeginsAnewForWhoeverIsOnline() async throws {
        try await run(period: "day") { desk in
            try await desk.use([desk.interim(10, download: 1500)], at: 10)
            #expect(try await desk.told() == "nothing")
            try await desk.bench.execute("DELETE FROM aaa.reauthorization")
            // Midnight.
            try await desk.settle(at: 720)
            #expect(try await desk.told() == "1050 of 1100")
            try await desk.bench.execute("DELETE FROM aaa.reauthorization")
            try await desk.settle(at: 720 + 1440)
            #expect(try await desk.told() == "1050 of 1100")
            #expect(try await desk.requests() == ["limit"])
        }
    }

    /// F-5: what may belong to another window restricts nobody, at the NAS neither.
    @Test func whatIsInDoubtTakesNothing() async throws {
        try await run { desk in
            let opening = AccountingPacket(3, event: 0, seconds: 100 * 86_400, upload: 0, download: 50_000)
            try await desk.use([opening], at: 0)
            #expect(try await desk.bench.number("SELECT estimated_octets FROM aaa.quota_state") == 250)
            #expect(try await desk.told() == "1050 of 1100")
            let later = AccountingPacket(3, event: 600, seconds: 100 * 86_400 + 600, upload: 0, download: 50_060)
            try await desk.use([later], at: 10)
            #expect(try await desk.told() == "1000 of 1100")
        }
    }

    @Test func aQuotaThatGoesTakesItsLimitAlong() async throws {
        try await run { desk in
            try await desk.use([desk.interim(10, download: 10)], at: 10)
            try await desk.bench.execute("UPDATE aaa.profile SET quota_id = NULL")
            try await desk.settle(at: 11)
            #expect(try await desk.told() == "nothing")
        }
    }
}
