import Glibc

/// Reads a journal's records in order while it is being written to.
///
/// One thread. Records that are damaged on disk are stepped over and counted, and never stop the reader. Files are opened for the
/// length of one call, so retired segments are given up at once.
public struct JournalReader: Sendable {
    private let directory: JournalDirectory
    /// The number of the last record that was delivered, or that was found to be lost.
    public private(set) var lastSequence: UInt64
    private var segment: UInt64?
    private var offset = 0
    /// Records that the numbering promises and that no segment holds.
    public private(set) var lostRecords: UInt64 = 0
    /// Octets on disk that belonged to no record.
    public private(set) var damagedOctets: UInt64 = 0

    /// A record as it lies in the journal.
    public struct Record: ~Escapable {
        public let sequence: UInt64
        public let entry: JournalEntry
        public let packet: Span<UInt8>

        @_lifetime(copy packet)
        init(sequence: UInt64, entry: JournalEntry, packet: Span<UInt8>) {
            self.sequence = sequence
            self.entry = entry
            self.packet = packet
        }
    }

    /// - Parameters:
    ///   - directory: the journal's.
    ///   - sequence: reading begins with the record behind this number; 0 = at the oldest.
    public init(directory: String, after sequence: UInt64) {
        self.directory = JournalDirectory(path: directory)
        lastSequence = sequence
    }

    /// Delivers up to `limit` records whose numbers are at most `durable`, in order.
    ///
    /// - Parameters:
    ///   - durable: the journal's `durableSequence`, read before the call.
    ///   - limit: the most records of one call.
    ///   - body: is given each record, which lives until it returns.
    /// - Returns: records delivered; 0 when there are none.
    /// - Throws: `JournalError.system` when the directory or a segment cannot be opened.
    public mutating func read(
        through durable: UInt64, limit: Int, _ body: (borrowing Record) -> Void
    ) throws(JournalError) -> Int {
        var delivered = 0
        while delivered < limit, lastSequence < durable {
            if segment == nil { try choose(durable) }
            guard let current = segment else { break }
            delivered += try read(current, through: durable, limit: limit - delivered, body)
            guard delivered < limit, lastSequence < durable else { break }
            // The segment has no more up to `durable`: what is left stands in a later one, or is lost.
            guard try advance(beyond: current, durable) else { break }
        }
        return delivered
    }

    /// The last segment that may hold the record behind `lastSequence`.
    private mutating func choose(_ durable: UInt64) throws(JournalError) {
        let firsts = try directory.segments().filter { $0 <= durable }
        segment = firsts.last { $0 <= lastSequence + 1 } ?? firsts.first
        offset = 0
    }

    private mutating func advance(beyond current: UInt64, _ durable: UInt64) throws(JournalError) -> Bool {
        guard let next = try directory.segments().first(where: { $0 > current && $0 <= durable }) else { return false }
        segment = next
        offset = 0
        return true
    }

    private mutating func read(
        _ first: UInt64, through durable: UInt64, limit: Int, _ body: (borrowing Record) -> Void
    ) throws(JournalError) -> Int {
        let file: JournalSegmentFile
        do throws(JournalError) {
            file = try JournalSegmentFile(path: directory.segmentPath(first))
        } catch {
            if case .system(_, _, ENOENT) = error { return 0 }
            throw error
        }
        defer { file.close() }
        var scan = try JournalScan(file, from: offset)
        var delivered = 0
        while delivered < limit, lastSequence < durable, let location = scan.next() {
            guard location.sequence <= durable else { break }
            offset = scan.endOfLastRecord
            guard location.sequence > lastSequence else { continue }
            if lastSequence > 0 { lostRecords += location.sequence - lastSequence - 1 }
            lastSequence = location.sequence
            delivered += 1
            let octets = scan.record(location)
            let packet = UnsafeBufferPointer(
                start: (octets + location.headerCount).assumingMemoryBound(to: UInt8.self),
                count: location.size - location.headerCount)
            body(Record(sequence: location.sequence, entry: JournalFormat.entry(octets), packet: packet.span))
        }
        damagedOctets += UInt64(scan.damagedOctets)
        return delivered
    }
}
