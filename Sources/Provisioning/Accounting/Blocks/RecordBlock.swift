import Database
import RadiusCore

/// One row of `aaa.accounting_block` in the making: records of one tenant that arrived on one day, column by column.
struct RecordBlock {
    /// A page of PostgreSQL's takes so many; see decision 0061.
    static let mostRecords = 96
    /// Octets of a row that a page takes (MaxHeapTupleSize), less what is neither a record nor the node's name: the row's header, the other
    /// columns, and of ten arrays the headers, with the places of nulls in three of them.
    private static let roomOctets = 8160 - 400
    /// Nine numbers of eight octets and one of four.
    private static let recordOctets = 76

    private let node: [UInt8]
    private let limit: Int
    private var tenant: Int64 = 0
    private var lowest: Int64 = 0
    private var highest: Int64 = 0
    private var earliest: Int64 = .max
    private var sequences: [Int64] = []
    private var received: [Int64] = []
    private var events: [Int64] = []
    private var nases: [Int64] = []
    private var sessions: [Int64] = []
    private var subscribers: [Int64] = []
    private var statuses: [Int32] = []
    private var seconds: [Int64] = []
    private var uploads: [Int64] = []
    private var downloads: [Int64] = []
    private var packet: [UInt8]?

    init(node: [UInt8]) {
        self.node = node
        limit = max(1, min(Self.mostRecords, (Self.roomOctets - node.count) / Self.recordOctets))
    }

    var isEmpty: Bool { sequences.isEmpty }

    /// Whether `line` may join the records that are here. One with a packet stays alone.
    func takes(_ line: RecordLine) -> Bool {
        isEmpty || (line.entry.tenant == tenant && sequences.count < limit && packet == nil && line.packet == nil)
    }

    /// `session` is 0 for none, and not lower than that of the record before; `subscriber` is 0 for none.
    mutating func append(_ line: RecordLine, session: Int64, subscriber: Int64) {
        tenant = line.entry.tenant
        if lowest == 0 { lowest = session }
        highest = session
        earliest = min(earliest, line.entry.receivedMicroseconds)
        sequences.append(Int64(clamping: line.sequence))
        received.append(line.entry.receivedMicroseconds)
        events.append(line.eventMicroseconds)
        nases.append(line.entry.nas)
        sessions.append(session)
        subscribers.append(subscriber)
        statuses.append(Int32(clamping: line.status))
        seconds.append(line.seconds.map { Int64($0) } ?? -1)
        uploads.append(Int64(clamping: line.upload))
        downloads.append(Int64(clamping: line.download))
        packet = line.packet
    }

    static let columns = """
        tenant_id, node_id, received_at, lowest_session, highest_session, sequences, received, events, nas_ids, session_ids, subscriber_ids,
        statuses, session_seconds, upload_octets, download_octets, packet
        """

    /// Writes the row and begins the next one.
    mutating func flush(to writer: inout CopyWriter) throws {
        guard !isEmpty else { return }
        try writer.row(columns: 16)
        try writer.int8(tenant)
        try writer.bytes(node)
        try writer.timestamp(microsecondsSinceUnixEpoch: earliest)
        try writer.numberOrNull(lowest)
        try writer.numberOrNull(highest)
        try writer.int8Array(sequences)
        try writer.timestampArray(microsecondsSinceUnixEpoch: received)
        try writer.timestampArray(microsecondsSinceUnixEpoch: events)
        try writer.int8Array(nases)
        try writer.int8Array(sessions, null: 0)
        try writer.int8Array(subscribers, null: 0)
        try writer.int4Array(statuses)
        try writer.int8Array(seconds, null: -1)
        try writer.int8Array(uploads)
        try writer.int8Array(downloads)
        if let packet { try writer.bytes(packet) } else { try writer.null() }
        clear()
    }

    private mutating func clear() {
        (lowest, highest, earliest, packet) = (0, 0, .max, nil)
        sequences.removeAll(keepingCapacity: true)
        received.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
        nases.removeAll(keepingCapacity: true)
        sessions.removeAll(keepingCapacity: true)
        subscribers.removeAll(keepingCapacity: true)
        statuses.removeAll(keepingCapacity: true)
        seconds.removeAll(keepingCapacity: true)
        uploads.removeAll(keepingCapacity: true)
        downloads.removeAll(keepingCapacity: true)
    }
}
