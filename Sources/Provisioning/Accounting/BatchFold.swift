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

/// Folds the records of one batch into the sessions that are known of them. Pure; the database comes before and after.
struct BatchFold {
    private(set) var rows: [SessionRow]
    private(set) var lines: [RecordLine] = []
    /// What is to be booked; the rest stays with the rows.
    private(set) var usage: [UsageDay: Usage] = [:]
    private(set) var refused: [(JournalledRecord, String)] = []
    /// Accounting-On and -Off, whose sessions that no record of the batch names are closed by the database.
    private(set) var restarts: [(record: AccountingRecord, nas: Int64)] = []
    /// Keys of which a row from memory alone does not say enough; read them, and fold the batch again.
    private(set) var unsettled: Set<SessionKey> = []
    private(set) var counts = EffectCounts()
    private(set) var skewed = 0
    /// Samples of octet counters that no router can have counted; see `Counters64`.
    private(set) var absurd = 0
    /// Rows of each key, oldest session first.
    private var places: [SessionKey: Places] = [:]
    private let subscribers: [Int64: [String: Int64]]
    private let days: TenantDays
    private let scratch: DecodingScratch

    /// Most keys have one row.
    private enum Places {
        case one(Int)
        case many([Int])

        var all: [Int] {
            switch self {
            case .one(let place): [place]
            case .many(let places): places
            }
        }
    }

    /// - Parameters:
    ///   - rows: sessions that the database has under the batch's keys, read or remembered.
    ///   - subscribers: by tenant and user name, of those that the journal did not know.
    ///   - days: has learnt the records' slots.
    ///   - scratch: to decode with.
    init(rows: [SessionRow], subscribers: [Int64: [String: Int64]], days: TenantDays, scratch: DecodingScratch) {
        self.rows = rows
        self.subscribers = subscribers
        self.days = days
        self.scratch = scratch
        places.reserveCapacity(rows.count * 2)
        for place in rows.indices { add(place) }
    }

    /// Gives the rows that are new the numbers `ids`, in order.
    mutating func number(_ ids: some Sequence<Int64>) {
        var left = ids.makeIterator()
        for place in rows.indices where rows[place].isNew { rows[place].id = left.next() ?? 0 }
    }

    mutating func apply(_ journalled: JournalledRecord) {
        switch journalled.content {
        case .refused(let reason): refused.append((journalled, reason))
        case .record(let record):
            if record.time.isSkewed { skewed += 1 }
            absurd += record.absurdCounters
            if let key = journalled.key {
                applySession(record, journalled, key)
            } else {
                if record.status == .accountingOn || record.status == .accountingOff { restart(record, journalled) }
                note(record, journalled, row: nil)
            }
        }
    }

    private mutating func applySession(_ record: AccountingRecord, _ journalled: JournalledRecord, _ key: SessionKey) {
        switch places[key] {
        case .one(let place):
            if offer(record, journalled, to: place, isNewest: true) == .taken { return }
            if rows[place].isAlone {
                unsettled.insert(key)
                return
            }
        case .many(let known):
            for place in known.reversed() {
                let answer = offer(record, journalled, to: place, isNewest: place == known.last)
                if answer == .taken { return }
                if answer == .isNewer { break }
            }
        case nil: break
        }
        open(record, journalled, key)
    }

    private enum Answer {
        case taken, isNewer, isOlder
    }

    private mutating func offer(_ record: AccountingRecord, _ journalled: JournalledRecord, to place: Int, isNewest: Bool) -> Answer {
        let latest = rows[place].fold.updatedMicroseconds
        let effect = rows[place].fold.apply(record)
        if effect.kind == .older { return .isOlder }
        rows[place].isChanged = true
        if effect.kind == .reopened { return .isNewer }
        if record.time.microseconds >= latest, journalled.naming != rows[place].namingDigest, let whole = journalled.whole(scratch) {
            rows[place].name(whole, from: journalled.entry.peer, digest: journalled.naming)
        }
        // Under one key only the newest session can be open.
        if !isNewest { endOld(place) }
        note(record, journalled, row: place, effect)
        return .taken
    }

    private mutating func open(_ record: AccountingRecord, _ journalled: JournalledRecord, _ key: SessionKey) {
        guard let whole = journalled.whole(scratch) else { return }
        let (fold, effect) = SessionFold.opened(by: record)
        let entry = journalled.entry
        var row = SessionRow(
            id: 0, tenant: entry.tenant, key: key, subscriber: subscriber(of: whole, entry), fold: fold, isNew: true, isChanged: true)
        row.name(whole, from: entry.peer, digest: journalled.naming)
        rows.append(row)
        let place = rows.count - 1
        add(place)
        // If it is the newest, the one before it is over; else it is over itself.
        let known = places[key]?.all ?? []
        if known.last != place { endOld(place) } else if known.count > 1 { endOld(known[known.count - 2]) }
        note(record, journalled, row: place, effect)
    }

    /// Puts a row in its place among those of its key.
    private mutating func add(_ place: Int) {
        let key = rows[place].key
        guard let known = places[key]?.all else {
            places[key] = .one(place)
            return
        }
        let started = rows[place].fold.startedMicroseconds
        var ordered = known
        ordered.insert(place, at: known.firstIndex { rows[$0].fold.startedMicroseconds > started } ?? known.count)
        places[key] = .many(ordered)
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
    private mutating func restart(_ record: AccountingRecord, _ journalled: JournalledRecord) {
        guard let whole = journalled.whole(scratch) else { return }
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

    /// Writes the record down once, and its usage where it belongs.
    private mutating func note(_ record: AccountingRecord, _ journalled: JournalledRecord, row: Int?, _ effect: SessionEffect? = nil) {
        if let effect {
            counts[effect.kind] += 1
            if effect.kind == .duplicate { return }
        }
        lines.append(
            RecordLine(
                entry: journalled.entry, sequence: journalled.sequence, status: record.status.rawValue,
                eventMicroseconds: record.time.microseconds, seconds: record.sessionSeconds, row: row,
                upload: row.map { rows[$0].fold.upload.total } ?? 0, download: row.map { rows[$0].fold.download.total } ?? 0,
                packet: record.absurdCounters > 0 ? journalled.packet : nil))
        guard let effect, let row, rows[row].subscriber != 0 else { return }
        guard effect.upload > 0 || effect.download > 0 || effect.seconds > 0 else { return }
        use(effect, rows[row].tenant, row, day: days.day(of: UsageSlot(tenant: rows[row].tenant, before: record.time.microseconds)))
    }

    /// Adds to what the row has of its day; another day's goes where it is booked.
    private mutating func use(_ effect: SessionEffect, _ tenant: Int64, _ row: Int, day: Int32) {
        let subscriber = rows[row].subscriber
        var kept = rows[row].unbooked ?? UnbookedUsage(day: day)
        if day < kept.day {
            usage[UsageDay(tenant: tenant, subscriber: subscriber, day: day), default: Usage()].add(effect)
            return
        }
        if day > kept.day {
            let ended = kept
            kept = UnbookedUsage(day: day)
            usage[UsageDay(tenant: tenant, subscriber: subscriber, day: ended.day), default: Usage()].add(ended.usage)
        }
        kept.usage.add(effect)
        rows[row].unbooked = kept
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
