import RadiusCore

/// Who used how much within one quarter of an hour; every time zone begins its days on such a quarter.
struct UsageSlot: Hashable {
    static let seconds: Int64 = 900
    let tenant: Int64
    let subscriber: Int64
    /// Quarters of an hour since 1970.
    let slot: Int64

    /// Usage is of the time before its record: one of exactly midnight belongs to the day that ends there.
    init(tenant: Int64, subscriber: Int64, before microseconds: Int64) {
        self.tenant = tenant
        self.subscriber = subscriber
        slot = (microseconds - 1) / 1_000_000 / Self.seconds
    }
}

struct Usage: Equatable {
    var upload: UInt64 = 0
    var download: UInt64 = 0
    var seconds: UInt64 = 0

    mutating func add(_ effect: SessionEffect) {
        add(effect.upload, effect.download, effect.seconds)
    }

    /// Stops at the largest number: what routers claim must not end the daemon.
    mutating func add(_ upload: UInt64, _ download: UInt64, _ seconds: UInt64) {
        func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
            let (sum, overflow) = left.addingReportingOverflow(right)
            return overflow ? .max : sum
        }
        self.upload = sum(self.upload, upload)
        self.download = sum(self.download, download)
        self.seconds = sum(self.seconds, seconds)
    }
}

/// What a subscriber used on one day: a row of `aaa.usage_day`.
struct UsageDay: Hashable, Comparable {
    let tenant: Int64
    let subscriber: Int64
    /// Days since 2000-01-01, as PostgreSQL counts them.
    let day: Int32

    static func < (left: UsageDay, right: UsageDay) -> Bool {
        (left.tenant, left.subscriber, left.day) < (right.tenant, right.subscriber, right.day)
    }
}
