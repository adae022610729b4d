/// How the accounting shipper works and how long its tables keep things.
public struct AccountingSettings: Sendable {
    /// Most records of one transaction.
    public var batchRecords = 10_000
    /// How long a batch may wait for more records. A transaction costs some milliseconds whatever is in it.
    public var gatherMilliseconds = 200
    /// Open sessions that are remembered between batches, so that they need not be read again; about 700 octets each.
    public var cachedSessions = 200_000
    /// A closed session stays in the hot table for this long, so that late records find it at once.
    public var closedMinutes = 15
    /// Segments of the journal that are shipped stay on disk for this long.
    public var journalHours = 24
    public var recordDays = 400
    public var historyMonths = 36
    public var authLogDays = 90
    /// Usage by day.
    public var usageDays = 1825
    /// Records that were put aside.
    public var rejectDays = 90
    /// CoA and Disconnect requests.
    public var dynamicAuthorizationDays = 400
    /// The audit; the database keeps 90 days whatever stands here.
    public var auditDays = 3650
    /// Partitions are made so far ahead.
    public var aheadDays = 7
    /// Between two rounds of retiring and making partitions.
    public var maintenanceSeconds = 60
    /// Between two rounds of removing rows that are past their time.
    public var pruneSeconds = 3600

    public init() {}
}
