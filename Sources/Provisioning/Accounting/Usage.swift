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

    mutating func add(_ other: Usage) {
        add(other.upload, other.download, other.seconds)
    }

    /// What is left of it without `part`; nothing where `part` is more.
    func less(_ part: Usage) -> Usage {
        func rest(_ whole: UInt64, _ part: UInt64) -> UInt64 { whole > part ? whole - part : 0 }
        return Usage(upload: rest(upload, part.upload), download: rest(download, part.download), seconds: rest(seconds, part.seconds))
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

/// How much of a session's totals `aaa.usage_day` has. The rest belongs to `day`, the last one that the session's records speak of; it is
/// booked when another day begins, or when the session goes to the history.
struct BookedUsage: Equatable {
    /// Days since 2000-01-01.
    var day: Int32
    var usage: Usage
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

    /// Asks for what is not known yet of the records of a batch, whose sessions may be `rows`.
    mutating func learn(_ sessions: BatchSessions, _ rows: [SessionRow], _ connection: Connection) throws {
        if days.count > Self.limit { days = [:] }
        var wanted = sessions.slots
        // A router's tenant is its sessions', but for sessions from before it changed hands.
        let former = Set(rows.lazy.filter { sessions.owners[$0.key.nas] != $0.tenant }.map(\.tenant))
        for tenant in former { for slot in sessions.slots { wanted.insert(UsageSlot(tenant: tenant, slot: slot.slot)) } }
        let unknown = wanted.filter { days[$0] == nil }
        if !unknown.isEmpty { try ask(Array(unknown), connection) }
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
