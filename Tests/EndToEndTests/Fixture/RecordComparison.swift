/// One accounting record as the load generator's list and PostgreSQL name it.
struct AccountedRecord: Hashable {
    let session: String
    /// Acct-Status-Type.
    let status: Int
    let upload: Int64
    let download: Int64
    let seconds: Int64

    /// Which record it is, whatever it counted: a session's interim records differ by their time.
    var identity: AccountedRecord { AccountedRecord(session: session, status: status, upload: 0, download: 0, seconds: seconds) }
}

/// What PostgreSQL holds, against what was acknowledged: each record exactly once.
struct RecordComparison: Equatable {
    /// Acknowledged, and nowhere in PostgreSQL.
    private(set) var missing: [AccountedRecord] = []
    /// In PostgreSQL more than once.
    private(set) var doubled: [AccountedRecord] = []
    /// In PostgreSQL, but never acknowledged: another record's changed copy, once the load has ended with everything acknowledged.
    private(set) var strange: [AccountedRecord] = []
    /// Acknowledged more than once, which makes the list itself wrong.
    private(set) var repeated: [AccountedRecord] = []
    /// Acknowledged, each counted once.
    let acknowledgedCount: Int

    /// - Parameters:
    ///   - acknowledged: what all loads had confirmed, in any order.
    ///   - stored: how often PostgreSQL has each record.
    init(acknowledged: [AccountedRecord], stored: [AccountedRecord: Int]) {
        var known: Set<AccountedRecord> = []
        for record in acknowledged where !known.insert(record).inserted { repeated.append(record) }
        acknowledgedCount = known.count
        missing = known.filter { (stored[$0] ?? 0) < 1 }.sorted(by: Self.inOrder)
        doubled = stored.filter { $0.value > 1 }.map(\.key).sorted(by: Self.inOrder)
        strange = stored.keys.filter { !known.contains($0) }.sorted(by: Self.inOrder)
    }

    /// The same without regard to counters. PostgreSQL has the session's totals behind each record; behind one that another node shipped
    /// late, those are the session's at that time and not the record's own.
    static func ofIdentities(acknowledged: [AccountedRecord], stored: [AccountedRecord: Int]) -> RecordComparison {
        let counts = Dictionary(stored.map { ($0.key.identity, $0.value) }, uniquingKeysWith: +)
        return RecordComparison(acknowledged: acknowledged.map(\.identity), stored: counts)
    }

    /// Every acknowledged record is stored once, and nothing else is.
    var isExact: Bool { missing.isEmpty && doubled.isEmpty && strange.isEmpty && repeated.isEmpty }

    private static func inOrder(_ left: AccountedRecord, _ right: AccountedRecord) -> Bool {
        (left.session, left.status, left.seconds) < (right.session, right.status, right.seconds)
    }
}

extension RecordComparison: CustomStringConvertible {
    /// Counts, and the first of each kind.
    var description: String {
        let parts = [("missing", missing), ("doubled", doubled), ("strange", strange), ("acknowledged twice", repeated)]
        let faults = parts.filter { !$0.1.isEmpty }.map { "\($0.1.count) \($0.0), such as \($0.1.prefix(3))" }
        return "\(acknowledgedCount) records acknowledged: " + (faults.isEmpty ? "each stored once" : faults.joined(separator: "; "))
    }
}
