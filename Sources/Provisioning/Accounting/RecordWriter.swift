import Database
import RadiusCore

/// Writes a batch's records and usage, inside the shipper's transaction.
struct RecordWriter {
    let connection: Connection
    let nodeID: String

    /// Blocks straight into the partitions of the days of arrival, which must be there: they carry no row-level security (see the
    /// migration `accounting_scale`), so COPY may write to them.
    func insert(_ fold: BatchFold) throws {
        let days = days(of: fold.lines)
        let order = RecordOrder(fold)
        for day in days {
            try connection.copyIn(
                "COPY aaa.accounting_block_\(day.name) (\(RecordBlock.columns)) FROM STDIN (FORMAT binary)"
            ) { writer in
                var block = RecordBlock(node: Array(nodeID.utf8))
                for place in order.places {
                    let line = fold.lines[place.line]
                    guard days.count == 1 || UTCDay(microseconds: line.entry.receivedMicroseconds) == day else { continue }
                    if !block.takes(line) { try block.flush(to: &writer) }
                    block.append(line, session: place.session, subscriber: place.subscriber)
                }
                try block.flush(to: &writer)
            }
        }
    }

    private func days(of lines: [RecordLine]) -> Set<UTCDay> {
        var days: Set<UTCDay> = []
        var latest: UTCDay?
        for line in lines {
            let day = UTCDay(microseconds: line.entry.receivedMicroseconds)
            if day != latest { days.insert(day) }
            latest = day
        }
        return days
    }

    func book(_ usage: [UsageDay: Usage]) throws {
        guard !usage.isEmpty else { return }
        let ordered = usage.sorted { $0.key < $1.key }
        try connection.copyIn("COPY pg_temp.shipper_usage FROM STDIN (FORMAT binary)") { writer in
            for (key, used) in ordered {
                try writer.row(columns: 6)
                try writer.int8(key.tenant)
                try writer.int8(key.subscriber)
                try writer.int4(key.day)
                try writer.int8(Int64(clamping: used.upload))
                try writer.int8(Int64(clamping: used.download))
                try writer.int8(Int64(clamping: used.seconds))
            }
        }
        try connection.execute(
            "-- usage.book\n" + UsageDay.booking("SELECT tenant, subscriber, day, upload, download, seconds FROM pg_temp.shipper_usage"))
    }

    /// Puts a record aside, `packet` as it came.
    func reject(_ record: JournalledRecord, _ packet: [UInt8], _ reason: String) throws {
        try connection.execute(
            """
            -- accounting.reject
            INSERT INTO aaa.accounting_reject (tenant_id, node_id, sequence, received_at, nas_id, reason, packet)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            [
                .int(record.entry.tenant), .text(nodeID), .int(Int64(clamping: record.sequence)),
                .timestamp(microsecondsSinceUnixEpoch: record.entry.receivedMicroseconds), .int(record.entry.nas), .text(reason),
                .text(Hexadecimal.text(packet)),
            ])
    }
}

/// A day in UTC, as partitions are named.
struct UTCDay: Hashable {
    let daysSince1970: Int64

    init(microseconds: Int64) {
        let length: Int64 = 86_400_000_000
        daysSince1970 = (microseconds - (microseconds % length + length) % length) / length
    }

    /// Year, month and day, such as 20260301; in the proleptic Gregorian calendar, in eras of 400 years that begin on 1 March.
    var name: String {
        let day = daysSince1970 + 719_468
        let era = (day >= 0 ? day : day - 146_096) / 146_097
        let dayOfEra = day - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let number = month < 10 ? month + 3 : month - 9
        return String((yearOfEra + era * 400 + (number <= 2 ? 1 : 0)) * 10_000 + number * 100 + dayOfYear - (153 * month + 2) / 5 + 1)
    }
}
