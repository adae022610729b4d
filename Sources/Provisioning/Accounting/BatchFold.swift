import RadiusCore

/// One line of `aaa.accounting_record`.
struct RecordLine {
    let record: AccountingRecord
    let entry: JournalEntry
    let sequence: UInt64
    /// Index into the batch's rows, if it is about a session.
    let row: Int?
    let upload: UInt64
    let download: UInt64
}

/// Who used how much within one quarter of an hour; every time zone begins its days on such a quarter.
struct UsageSlot: Hashable {
    static let seconds: Int64 = 900
    let tenant: Int64
    let subscriber: Int64
    let slot: Int64
}

struct Usage: Equatable {
    var upload: UInt64 = 0
    var download: UInt64 = 0
    var seconds: UInt64 = 0
}

/// Folds the records of one batch into the sessions that the database holds of them. Pure; the database comes before and after.
struct BatchFold {
    private(set) var rows: [SessionRow]
    private(set) var lines: [RecordLine] = []
    private(set) var usage: [UsageSlot: Usage] = [:]
    private(set) var refused: [(JournalledRecord, String)] = []
    /// Accounting-On and -Off, whose sessions that no record of the batch names are closed by the database.
    private(set) var restarts: [JournalledRecord] = []
    private(set) var counts: [SessionEffect.Kind: Int] = [:]
    private(set) var skewed = 0
    /// Rows of each key, oldest session first.
    private var places: [SessionKey: [Int]] = [:]
    private let subscribers: [Int64: [String: Int64]]
    private let profiles: [Int64: Int64]

    /// - Parameters:
    ///   - rows: sessions that the database has under the batch's keys.
    ///   - subscribers: by tenant and user name, of those that the journal did not know.
    ///   - profiles: by subscriber.
    init(rows: [SessionRow], subscribers: [Int64: [String: Int64]], profiles: [Int64: Int64]) {
        self.rows = rows
        self.subscribers = subscribers
        self.profiles = profiles
        for place in rows.indices.sorted(by: { rows[$0].fold.startedMicroseconds < rows[$1].fold.startedMicroseconds }) {
            places[rows[place].key, default: []].append(place)
        }
    }

    /// Gives the rows that are new the numbers `ids`, in order.
    mutating func number(_ ids: [Int64]) {
        var left = ids[...]
        for place in rows.indices where rows[place].isNew { rows[place].id = left.popFirst() ?? 0 }
    }

    mutating func apply(_ journalled: JournalledRecord) {
        switch journalled.content {
        case .refused(let reason): refused.append((journalled, reason))
        case .record(let record):
            if record.time.isSkewed { skewed += 1 }
            if let key = journalled.key {
                applySession(record, journalled, key)
            } else {
                if record.status == .accountingOn || record.status == .accountingOff { restart(record, journalled) }
                note(record, journalled, row: nil)
            }
        }
    }

    private mutating func applySession(_ record: AccountingRecord, _ journalled: JournalledRecord, _ key: SessionKey) {
        for place in (places[key] ?? []).reversed() {
            let latest = rows[place].fold.updatedMicroseconds
            let effect = rows[place].fold.apply(record)
            if effect.kind == .older { continue }
            rows[place].isChanged = true
            if effect.kind == .reopened { break }
            if record.time.microseconds >= latest { rows[place].identity.merge(record, from: journalled.entry.peer) }
            // Under one key only the newest session can be open.
            if place != places[key]?.last { endOld(place) }
            return note(record, journalled, row: place, effect)
        }
        open(record, journalled, key)
    }

    private mutating func open(_ record: AccountingRecord, _ journalled: JournalledRecord, _ key: SessionKey) {
        let (fold, effect) = SessionFold.opened(by: record)
        let entry = journalled.entry
        var row = SessionRow(
            id: 0, tenant: entry.tenant, key: key, subscriber: subscriber(of: record, entry), profile: 0, fold: fold, isNew: true,
            isChanged: true)
        row.profile = profiles[row.subscriber] ?? 0
        row.identity.merge(record, from: journalled.entry.peer)
        row.nasIdentifier = row.identity.nasIdentifier
        row.nasAddress = row.identity.nasAddress
        let place = rows.count
        rows.append(row)
        let known = places[key] ?? []
        let order = known.firstIndex { rows[$0].fold.startedMicroseconds > fold.startedMicroseconds } ?? known.count
        places[key, default: []].insert(place, at: order)
        if order < known.count { endOld(place) } else if let before = known.last { endOld(before) }
        note(record, journalled, row: place, effect)
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
        restarts.append(journalled)
        let event = record.time.microseconds
        for place in rows.indices
        where rows[place].key.nas == journalled.entry.nas && rows[place].fold.isOpen && rows[place].fold.startedMicroseconds < event
            && rows[place].isHeld(byNASOf: record)
        {
            rows[place].fold.close(atMicroseconds: event, by: .accountingOn, cause: .nasReboot)
            rows[place].isChanged = true
        }
    }

    /// Writes the record down once, and its usage where it belongs.
    private mutating func note(_ record: AccountingRecord, _ journalled: JournalledRecord, row: Int?, _ effect: SessionEffect? = nil) {
        if let effect {
            counts[effect.kind, default: 0] += 1
            if effect.kind == .duplicate { return }
        }
        let fold = row.map { rows[$0].fold }
        lines.append(
            RecordLine(
                record: record, entry: journalled.entry, sequence: journalled.sequence, row: row,
                upload: fold?.upload.total ?? 0, download: fold?.download.total ?? 0))
        guard let effect, let row, rows[row].subscriber != 0 else { return }
        guard effect.upload > 0 || effect.download > 0 || effect.seconds > 0 else { return }
        // Usage is of the time before its record: one of exactly midnight belongs to the day that ends there.
        let slot = (record.time.microseconds - 1) / 1_000_000 / UsageSlot.seconds
        var sum = usage[UsageSlot(tenant: rows[row].tenant, subscriber: rows[row].subscriber, slot: slot)] ?? Usage()
        sum.upload += effect.upload
        sum.download += effect.download
        sum.seconds += effect.seconds
        usage[UsageSlot(tenant: rows[row].tenant, subscriber: rows[row].subscriber, slot: slot)] = sum
    }
}
