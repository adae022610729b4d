internal import CLinux
import Glibc
import Synchronization

/// An append-only, checksummed, segmented log; one `fdatasync` makes many packets durable.
///
/// A worker appends a packet, keeps the returned sequence number beside the parked reply, and lets the reply go once `durableSequence`
/// has reached it. Numbers begin at 1, grow by one a record, and are never given twice, restarts included. A full or failing disk
/// refuses new records and is tried again four times a second.
public final class Journal: Sendable {
    /// Octets that may wait for the disk before appends are refused.
    static let pendingOctets = 16 << 20

    /// The folder that holds the segments.
    public let directory: String
    /// Tells this journal from any other, also from an earlier one in the same place. Positive.
    public let identity: Int64
    /// The last number that had been given when the journal was opened.
    public let recoveredSequence: UInt64
    private let writer: JournalWriter
    private let recovery: (tornOctets: Int, torn: UInt64)
    private let lockDescriptor: Int32
    private let thread = Mutex<pthread_t?>(nil)

    /// Opens or creates the journal in `directory`, whose parent must exist, and cuts a torn last record off.
    ///
    /// - Parameters:
    ///   - directory: the folder for the segments, this journal's alone.
    ///   - segmentBytes: a segment that has grown to this size is closed and the next begun; 64 KiB...1 GiB.
    /// - Returns: the journal, its writer thread running.
    /// - Throws: `JournalError`; `.locked` when another process has it open.
    public static func open(directory: String, segmentBytes: Int) throws(JournalError) -> Journal {
        try open(directory: directory, segmentBytes: segmentBytes, pendingOctets: pendingOctets, disk: .system)
    }

    static func open(directory: String, segmentBytes: Int, pendingOctets: Int, disk: JournalDisk) throws(JournalError) -> Journal {
        guard (65_536...1_073_741_824).contains(segmentBytes) else { throw .segmentBytes(segmentBytes) }
        let folder = JournalDirectory(path: directory)
        try folder.create()
        let lock = try folder.lock()
        do throws(JournalError) {
            let identity = try folder.identity()
            let recovery = try JournalRecovery(folder)
            let queue = JournalQueue(capacity: pendingOctets, nextSequence: recovery.nextSequence)
            let writer = JournalWriter(
                queue: queue, directory: folder, segments: JournalSegments(recovery.segments), segmentBytes: segmentBytes, disk: disk,
                durable: recovery.nextSequence - 1)
            let journal = Journal(directory: directory, writer: writer, recovery: recovery, identity: identity, lock: lock)
            try journal.start()
            return journal
        } catch {
            Glibc.close(lock)
            throw error
        }
    }

    private init(directory: String, writer: JournalWriter, recovery: JournalRecovery, identity: Int64, lock: Int32) {
        self.directory = directory
        self.identity = identity
        recoveredSequence = recovery.nextSequence - 1
        self.writer = writer
        self.recovery = (recovery.tornOctets, recovery.tornOctets > 0 ? 1 : 0)
        lockDescriptor = lock
    }

    private func start() throws(JournalError) {
        var created = pthread_t()
        let handle = Unmanaged.passRetained(writer)
        let problem = pthread_create(
            &created, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<JournalWriter>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, handle.toOpaque())
        guard problem == 0 else {
            handle.release()
            throw .system(operation: "start the writer of", path: directory, errno: problem)
        }
        let started = created
        thread.withLock { $0 = started }
    }

    /// Copies a packet into the journal's memory. Any thread; a short lock, no allocation, no system call but a wake-up.
    ///
    /// - Parameters:
    ///   - entry: when it came, from whom, and whose it is.
    ///   - packet: exactly the packet, at most 65535 octets.
    /// - Returns: the number that `durableSequence` must reach before the reply may leave; nil when the record is refused (disk full or
    ///   failing, too much pending, closed): send **no** reply, so that the NAS tries again.
    public func append(_ entry: JournalEntry, packet: Span<UInt8>) -> UInt64? {
        writer.queue.append(entry, packet: packet)
    }

    /// Appends the records of one batch of packets behind one lock, with one wake-up. Any thread.
    ///
    /// - Parameter body: copies and nothing else: other threads that append wait until it returns.
    /// - Returns: what `body` returns.
    @discardableResult
    public func appending<Result>(_ body: (inout JournalBatch) -> Result) -> Result {
        writer.queue.appending(body)
    }

    /// Every record up to this number is on disk. Any thread.
    public var durableSequence: UInt64 { writer.durable.load(ordering: .acquiring) }

    /// Has `eventFD` (from `lm_eventfd`) signalled after every commit, and when the disk begins to refuse.
    ///
    /// The descriptor must stay open until `removeListener` or `close` has returned.
    public func addListener(eventFD: Int32) {
        writer.queue.addListener(eventFD)
    }

    /// Ends what `addListener` began.
    public func removeListener(eventFD: Int32) {
        writer.queue.removeListener(eventFD)
    }

    /// Whether records are taken now. Any thread.
    public var state: JournalState { writer.queue.state }

    /// Counts since `open`. Any thread.
    public func statistics() -> JournalStatistics {
        let counts = writer.queue.counts
        let firsts = writer.segments.all
        var statistics = JournalStatistics()
        statistics.records = writer.records.load(ordering: .relaxed)
        statistics.octets = writer.octets.load(ordering: .relaxed)
        statistics.commits = writer.commits.load(ordering: .relaxed)
        statistics.syncNanoseconds = writer.syncNanoseconds.load(ordering: .relaxed)
        statistics.failures = writer.failures.load(ordering: .relaxed)
        let durable = durableSequence
        statistics.pending = counts.nextSequence > durable ? counts.nextSequence - 1 - durable : 0
        statistics.pendingOctets = UInt64(counts.waiting)
        statistics.refused = counts.refused
        statistics.tornOctets = UInt64(recovery.tornOctets)
        statistics.torn = recovery.torn
        statistics.segments = UInt64(firsts.count)
        statistics.oldestSequence = firsts.first ?? counts.nextSequence
        return statistics
    }

    /// Removes whole segments whose records all have numbers up to `sequence` and that nobody wrote to for `hours`.
    ///
    /// The newest segment always stays: it carries the numbering over a restart.
    /// - Returns: segments removed.
    @discardableResult
    public func retire(through sequence: UInt64, keepingHours hours: Int) -> Int {
        let firsts = writer.segments.all
        let folder = writer.directory
        var removed = 0
        for (first, following) in zip(firsts, firsts.dropFirst()) {
            guard following - 1 <= min(sequence, durableSequence) else { break }
            let path = folder.segmentPath(first)
            guard Self.ageSeconds(path) >= hours * 3600, unlink(path) == 0 || errno == ENOENT else { break }
            writer.segments.remove(first)
            removed += 1
        }
        if removed > 0 { _ = folder.synchronize() }
        return removed
    }

    /// Seconds since a file was last written to; negative when that lies in the future, 0 when it is absent.
    private static func ageSeconds(_ path: String) -> Int {
        var status = stat()
        guard stat(path, &status) == 0 else { return 0 }
        return Int(lm_realtime_nanoseconds() / 1_000_000_000) - status.st_mtim.tv_sec
    }

    /// Writes what is pending, ends the writer thread and frees the directory. Appends are refused from here on.
    ///
    /// On a disk that refuses, pending records are given up; none of them was acknowledged. A second call does nothing.
    public func close() {
        guard let running = thread.withLock({ running in running.take() }) else { return }
        writer.queue.close()
        pthread_join(running, nil)
        Glibc.close(lockDescriptor)
    }

    deinit { close() }
}
