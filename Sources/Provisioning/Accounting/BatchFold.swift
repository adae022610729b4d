import RadiusCore

/// One line of `aaa.accounting_record`.
struct RecordLine {
    let entry: JournalEntry
    let sequence: UInt64
    let status: UInt32
    let eventMicroseconds: Int64
    let seconds: UInt32?
    /// Index into the batch's rows, if it is about a session.
    let row: Int?
    let upload: UInt64
    let download: UInt64
    /// The packet, where a counter in it is not believed.
    let packet: [UInt8]?
}

/// Folds the records of one batch into the sessions that are known of them; the database comes before and after.
struct BatchFold {
    private(set) var rows: [SessionRow]
    private(set) var lines: [RecordLine] = []
    /// What is to be booked; the rest stays with the rows.
    private(set) var usage: [UsageDay: Usage] = [:]
    /// What the records raised counters by, for quotas.
    private(set) var growths: [UsageGrowth] = []
    private(set) var refused: [(JournalledRecord, String)] = []
    /// Accounting-On and -Off, whose sessions that no record of the batch names are closed by the database.
    private(set) var restarts: [(record: AccountingRecord, nas: Int64)] = []
    /// A row from memory alone did not say enough of its session; read all of them, and fold the batch again.
    private(set) var isUnsettled = false
    private(set) var counts = EffectCounts()
    private(set) var skewed = 0
    /// Samples of octet counters that no router can have counted; see `Counters64`.
    private(set) var absurd = 0
    private let sessions: BatchSessions
    /// Rows of each session's key, oldest first.
    private var places: [Places]
    private let subscribers: [Int64: [String: Int64]]
    private let days: TenantDays
    private var lastDay: (slot: UsageSlot, day: Int32)
    private let batch: RecordBatch
    private let realms: RecordRealms?

    /// Most keys have one row.
    private enum Places {
        case none
        case one(Int)
        case many([Int])

        var all: [Int] {
            switch self {
            case .none: []
            case .one(let place): [place]
            case .many(let places): places
            }
        }
    }

    /// - Parameters:
    ///   - sessions: of the batch.
    ///   - rows: what the database has under their keys, read or remembered; changed in place.
    ///   - subscribers: by tenant and user name, of those that the journal did not know.
    ///   - days: has learnt the records' slots.
    ///   - batch: has the records' packets.
    ///   - realms: says where policy rules forward new sessions; nil: nowhere.
    init(
        sessions: BatchSessions, rows: [SessionRow], subscribers: [Int64: [String: Int64]], days: TenantDays, batch: RecordBatch,
        realms: RecordRealms?
    ) {
        self.sessions = sessions
        self.rows = rows
        self.subscribers = subscribers
        self.days = days
        let slot = UsageSlot(tenant: 0, slot: 0)
        lastDay = (slot, days.day(of: slot))
        self.batch = batch
        self.realms = realms
        places = Array(repeating: .none, count: sessions.keys.count)
        lines.reserveCapacity(sessions.numbers.count)
        for place in rows.indices { add(place) }
    }

    /// Gives the rows that are new the numbers `ids`, in order.
    mutating func number(_ ids: some Sequence<Int64>) {
        var left = ids.makeIterator()
        for place in rows.indices where rows[place].isNew { rows[place].id = left.next() ?? 0 }
    }

    /// Takes in the record at `position` of the part of the batch.
    mutating func apply(_ journalled: JournalledRecord, at position: Int) {
        switch journalled.content {
        case .refused(let place): refused.append((journalled, batch.reasons[place]))
        case .record(let record):
            if record.time.isSkewed { skewed += 1 }
            absurd += record.absurdCounters
            let session = sessions.numbers[position]
            if session >= 0 {
                applySession(record, journalled, session)
            } else {
                if record.status == .accountingOn || record.status == .accountingOff { restart(record, journalled) }
                note(record, journalled, row: nil)
            }
        }
    }

    private mutating func applySession(_ record: AccountingProgress, _ journalled: JournalledRecord, _ session: Int) {
        switch places[session] {
        case .one(let place):
            if rows[place].isAlone, rows[place].isSuccessor, rows[place].fold.isPerhapsOfTheOneBefore(record) {
                isUnsettled = true
                return
            }
            if offer(record, journalled, to: place, isNewest: true) == .taken { return }
            if rows[place].isAlone {
                isUnsettled = true
                return
            }
        case .many(let known):
            if let place = placeBefore(record, known), offer(record, journalled, to: place, isNewest: false) == .taken { return }
            for place in known.reversed() {
                let answer = offer(record, journalled, to: place, isNewest: place == known.last)
                if answer == .taken { return }
                if answer == .isNewer { break }
            }
        case .none: break
        }
        open(record, journalled, session)
    }

    /// Where a record belongs that the newest session's Start has overtaken.
    private func placeBefore(_ record: AccountingProgress, _ known: [Int]) -> Int? {
        guard let newest = known.last.map({ rows[$0].fold }), newest.isPerhapsOfTheOneBefore(record) else { return nil }
        return known.dropLast().last { rows[$0].fold.claims(record, before: newest) }
    }

    private enum Answer {
        case taken, isNewer, isOlder
    }

    private mutating func offer(_ record: AccountingProgress, _ journalled: JournalledRecord, to place: Int, isNewest: Bool) -> Answer {
        let row = rows[place]
        let latest = row.fold.updatedMicroseconds
        let effect = row.fold.apply(record)
        if effect.kind == .older { return .isOlder }
        row.isChanged = true
        if effect.kind == .reopened { return .isNewer }
        if record.time.microseconds >= latest, journalled.naming != row.namingDigest, let whole = batch.whole(journalled) {
            row.name(whole, from: journalled.entry.peer, digest: journalled.naming)
        }
        // Under one key only the newest session can be open.
        if !isNewest { endOld(place) }
        note(record, journalled, row: place, effect, since: latest)
        return .taken
    }

    private mutating func open(_ record: AccountingProgress, _ journalled: JournalledRecord, _ session: Int) {
        guard let whole = batch.whole(journalled) else { return }
        let (fold, effect) = SessionFold.opened(by: record)
        let entry = journalled.entry
        let subscriber = subscriber(of: whole, entry)
        // Those of subscribers of ours are nobody else's business.
        let realm = subscriber == 0 ? realms?.realm(of: batch.packet(of: journalled), entry, name: whole.userName) : nil
        let row = SessionRow(
            opened: fold, tenant: entry.tenant, key: sessions.keys[session], subscriber: subscriber, profile: entry.profile,
            forwardedRealm: realm ?? 0, session: session)
        row.name(whole, from: entry.peer, digest: journalled.naming)
        rows.append(row)
        let place = rows.count - 1
        add(place)
        // If it is the newest, the one before it is over; else it is over itself.
        let known = places[session].all
        if known.last != place { endOld(place) } else if known.count > 1 { endOld(known[known.count - 2]) }
        note(record, journalled, row: place, effect, since: fold.startedMicroseconds)
    }

    /// Puts a row in its place among those of its key.
    private mutating func add(_ place: Int) {
        let session = rows[place].session
        guard case let known = places[session].all, !known.isEmpty else {
            places[session] = .one(place)
            return
        }
        let started = rows[place].fold.startedMicroseconds
        var ordered = known
        ordered.insert(place, at: known.firstIndex { rows[$0].fold.startedMicroseconds > started } ?? known.count)
        for place in ordered.dropFirst() { rows[place].isSuccessor = true }
        places[session] = .many(ordered)
    }

    private mutating func endOld(_ place: Int) {
        guard rows[place].fold.isOpen else { return }
        rows[place].fold.close(atMicroseconds: rows[place].fold.updatedMicroseconds, by: .replaced, cause: .nasReboot)
        rows[place].isChanged = true
    }

    private func subscriber(of record: AccountingRecord, _ entry: JournalEntry) -> Int64 {
        entry.subscriber != 0 ? entry.subscriber : subscribers[entry.tenant]?[StorableText.of(record.userName)] ?? 0
    }

    /// RFC 2866 §5.1: the NAS begins or ends accounting as a whole, so none of its earlier sessions lives.
    private mutating func restart(_ record: AccountingProgress, _ journalled: JournalledRecord) {
        guard let whole = batch.whole(journalled) else { return }
        restarts.append((whole, journalled.entry.nas))
        let event = record.time.microseconds
        for place in rows.indices
        where rows[place].key.nas == journalled.entry.nas && rows[place].fold.isOpen && rows[place].fold.startedMicroseconds < event
            && rows[place].isHeld(byNASOf: whole)
        {
            rows[place].fold.close(atMicroseconds: event, by: .accountingOn, cause: .nasReboot)
            rows[place].isChanged = true
        }
    }

    /// Writes the record down once, and its usage where it belongs; `since` is the time of the session's record before.
    private mutating func note(
        _ record: AccountingProgress, _ journalled: JournalledRecord, row: Int?, _ effect: SessionEffect? = nil, since: Int64 = 0
    ) {
        if let effect {
            counts[effect.kind] += 1
            if effect.kind == .duplicate { return }
        }
        lines.append(
            RecordLine(
                entry: journalled.entry, sequence: journalled.sequence, status: record.status.rawValue,
                eventMicroseconds: record.time.microseconds, seconds: record.sessionSeconds, row: row,
                upload: row.map { rows[$0].fold.upload.total } ?? 0, download: row.map { rows[$0].fold.download.total } ?? 0,
                packet: record.absurdCounters > 0 ? batch.packet(of: journalled) : nil))
        guard let effect, let place = row, case let row = rows[place], row.subscriber != 0 else { return }
        let growth = Usage(upload: effect.upload, download: effect.download, seconds: effect.seconds)
        if growth.upload | growth.download != 0 {
            let until = record.time.microseconds
            growths.append(
                UsageGrowth(
                    tenant: row.tenant, subscriber: row.subscriber, since: min(since, until), until: until, upload: growth.upload,
                    download: growth.download, isDoubtful: record.time.isSkewed))
        }
        guard let due = row.use(growth, on: day(of: row.tenant, record)), due.usage != Usage() else { return }
        usage[UsageDay(tenant: row.tenant, subscriber: row.subscriber, day: due.day), default: Usage()].add(due.usage)
    }

    /// The day of the tenant's to which the time before `record` belongs.
    private mutating func day(of tenant: Int64, _ record: AccountingProgress) -> Int32 {
        let slot = UsageSlot(tenant: tenant, before: record.time.microseconds)
        if slot != lastDay.slot { lastDay = (slot, days.day(of: slot)) }
        return lastDay.day
    }
}

/// How often a batch had which effect.
struct EffectCounts {
    private var numbers = [Int](repeating: 0, count: 16)

    subscript(kind: SessionEffect.Kind) -> Int {
        get { numbers[Int(kind.rawValue)] }
        set { numbers[Int(kind.rawValue)] = newValue }
    }
}
