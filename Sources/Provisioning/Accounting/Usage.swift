import Database
import RadiusCore

/// A quarter of an hour of a tenant's; every time zone begins its days on such a quarter.
struct UsageSlot: Hashable {
    static let seconds: Int64 = 900
    let tenant: Int64
    /// Quarters of an hour since 1970.
    let slot: Int64

    init(tenant: Int64, slot: Int64) {
        self.tenant = tenant
        self.slot = slot
    }

    /// Usage is of the time before its record: one of exactly midnight belongs to the day that ends there.
    init(tenant: Int64, before microseconds: Int64) {
        self.tenant = tenant
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

    mutating func add(_ other: Usage) {
        add(other.upload, other.download, other.seconds)
    }

    /// Stops at the largest number: what routers claim must not end the daemon.
    private mutating func add(_ upload: UInt64, _ download: UInt64, _ seconds: UInt64) {
        func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
            let (sum, overflow) = left.addingReportingOverflow(right)
            return overflow ? .max : sum
        }
        self.upload = sum(self.upload, upload)
        self.download = sum(self.download, download)
        self.seconds = sum(self.seconds, seconds)
    }
}

/// What a session's subscriber used on the last day that its records speak of; the session's row keeps it until another day begins or the
/// session goes to the history, so that `aaa.usage_day` is not written with every record.
struct UnbookedUsage: Equatable {
    /// Days since 2000-01-01.
    var day: Int32
    var usage = Usage()
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

    /// A statement that adds to `aaa.usage_day` what `source` selects, one row for a subscriber and day, ordered by both so that two
    /// nodes do not wait for each other in a circle.
    static func booking(_ source: String) -> String {
        """
        INSERT INTO aaa.usage_day AS d (tenant_id, subscriber_id, day, upload_octets, download_octets, session_seconds)
        \(source)
        ON CONFLICT (tenant_id, subscriber_id, day) DO UPDATE SET
            upload_octets = aaa.saturated(d.upload_octets::numeric + excluded.upload_octets),
            download_octets = aaa.saturated(d.download_octets::numeric + excluded.download_octets),
            session_seconds = aaa.saturated(d.session_seconds::numeric + excluded.session_seconds)
        """
    }
}

/// On which day of a tenant's zone a quarter of an hour lies, as PostgreSQL says.
struct TenantDays {
    /// Enough for a day of a thousand tenants; beyond, it is learnt anew.
    private static let limit = 100_000
    private var days: [UsageSlot: Int32] = [:]

    /// 0 for a slot that was not learnt.
    func day(of slot: UsageSlot) -> Int32 { days[slot] ?? 0 }

    /// Asks for what is not known yet of the records of `batch`, whose sessions may be `rows`.
    mutating func learn(_ batch: [JournalledRecord], _ rows: [SessionRow], _ connection: Connection) throws {
        if days.count > Self.limit { days = [:] }
        let former = Self.formerTenants(batch, rows)
        var unknown: Set<UsageSlot> = []
        for journalled in batch {
            guard case .record(let record) = journalled.content, let key = journalled.key else { continue }
            let slot = UsageSlot(tenant: journalled.entry.tenant, before: record.time.microseconds)
            if days[slot] == nil { unknown.insert(slot) }
            guard !former.isEmpty, let tenants = former[key.nas] else { continue }
            for tenant in tenants where days[UsageSlot(tenant: tenant, slot: slot.slot)] == nil {
                unknown.insert(UsageSlot(tenant: tenant, slot: slot.slot))
            }
        }
        if !unknown.isEmpty { try ask(Array(unknown), connection) }
    }

    /// By router: whose sessions it holds besides its own tenant's, from before it changed hands.
    private static func formerTenants(_ batch: [JournalledRecord], _ rows: [SessionRow]) -> [Int64: Set<Int64>] {
        var owners: [Int64: Int64] = [:]
        for journalled in batch { owners[journalled.entry.nas] = journalled.entry.tenant }
        var former: [Int64: Set<Int64>] = [:]
        for row in rows where owners[row.key.nas] != row.tenant { former[row.key.nas, default: []].insert(row.tenant) }
        return former
    }

    private mutating func ask(_ slots: [UsageSlot], _ connection: Connection) throws {
        try connection.query(
            """
            -- usage.days
            SELECT s.tenant, s.slot,
                aaa.local_day(aaa.instant(s.slot * \(UsageSlot.seconds) * 1000000), coalesce(t.time_zone, 'UTC')) - '2000-01-01'::date
            FROM unnest($1::bigint[], $2::bigint[]) AS s(tenant, slot) LEFT JOIN tenancy.tenant t ON t.id = s.tenant
            """, [.intArray(slots.map(\.tenant)), .intArray(slots.map(\.slot))]
        ) { row in days[UsageSlot(tenant: try row.int64(0), slot: try row.int64(1))] = try row.int32(2) }
    }
}
