internal import CLinux
import Glibc
import Synchronization

/// The one thread that writes: it takes what workers filled in, makes it durable, and says so.
///
/// `@unchecked Sendable`: `file` and `directoryIsDirty` belong to the writer thread; everything else is atomic, constant, or guards itself.
final class JournalWriter: @unchecked Sendable {
    /// Between two attempts on a disk that refuses.
    static let retryMilliseconds = 250
    /// A segment is filled with zeros so far ahead of its records: a sync of octets that the file has already moves no metadata.
    static let aheadOctets = 4 << 20
    private static let zeros = 1 << 16

    let queue: JournalQueue
    let directory: JournalDirectory
    let segments: JournalSegments
    private let segmentBytes: Int
    private let disk: JournalDisk
    let durable: Atomic<UInt64>
    let records = Atomic<UInt64>(0)
    let octets = Atomic<UInt64>(0)
    let commits = Atomic<UInt64>(0)
    let syncNanoseconds = Atomic<UInt64>(0)
    let failures = Atomic<UInt64>(0)

    /// The segment that is being written: where it ends, and what of it is durable.
    private struct Active {
        let descriptor: Int32
        let firstSequence: UInt64
        var durableCount: Int
        /// Octets that the file has, zeros at its end included.
        var filledCount: Int
    }

    private var file: Active?

    init(
        queue: JournalQueue, directory: JournalDirectory, segments: JournalSegments, segmentBytes: Int, disk: JournalDisk, durable: UInt64
    ) {
        self.queue = queue
        self.directory = directory
        self.segments = segments
        self.segmentBytes = segmentBytes
        self.disk = disk
        self.durable = Atomic(durable)
    }

    /// Writer thread: until the queue is closed.
    func run() {
        lm_name_thread("journal")
        while let batch = queue.take() {
            JournalFormat.seal(batch.bytes, count: batch.count)
            guard persist(batch) else { break }
            publish(batch)
        }
        finish()
    }

    /// Cuts the zeros off that no record took, and closes the segment.
    private func finish() {
        guard let file else { return }
        if file.filledCount > file.durableCount { ftruncate(file.descriptor, off_t(file.durableCount)) }
        Glibc.close(file.descriptor)
        self.file = nil
    }

    /// Tries until the disk takes the batch; false when the journal was closed before it did.
    private func persist(_ batch: JournalQueue.Batch) -> Bool {
        while true {
            let problem = attempt(batch)
            if problem == 0 { break }
            failures.add(1, ordering: .relaxed)
            queue.refuse(problem)
            queue.forEachListener { lm_eventfd_signal($0) }
            if queue.pause(milliseconds: Self.retryMilliseconds) { return false }
        }
        queue.refuse(0)
        return true
    }

    private func publish(_ batch: JournalQueue.Batch) {
        durable.store(batch.lastSequence, ordering: .releasing)
        records.add(batch.lastSequence - batch.firstSequence + 1, ordering: .relaxed)
        octets.add(UInt64(batch.count), ordering: .relaxed)
        commits.add(1, ordering: .relaxed)
        queue.forEachListener { lm_eventfd_signal($0) }
    }

    /// Writes and syncs the batch once. Returns 0, or the errno that stopped it; the segment's durable part is then as it was before.
    private func attempt(_ batch: JournalQueue.Batch) -> Int32 {
        if let file, file.durableCount >= segmentBytes { finish() }
        if file == nil {
            let problem = begin(at: batch.firstSequence)
            if problem != 0 { return problem }
        }
        guard let active = file else { return EIO }
        var problem = write(batch.bytes, batch.count, to: active.descriptor, at: active.durableCount)
        if problem == 0 {
            fillAhead(batch.count)
            problem = synchronize(active.descriptor)
        }
        if problem == 0 {
            file?.durableCount += batch.count
        } else {
            abandon(active)
        }
        return problem
    }

    /// Writes zeros behind the `count` octets that were just written when those reach beyond what is filled. The sync of those octets
    /// makes the zeros durable, too. A disk that has no room for zeros may still have room for records, so then none stay.
    private func fillAhead(_ count: Int) {
        guard let active = file, active.durableCount + count > active.filledCount else { return }
        let start = active.durableCount + count
        let end = min(start + Self.aheadOctets, max(segmentBytes, start))
        var place = start
        withUnsafeTemporaryAllocation(byteCount: Self.zeros, alignment: 16) { buffer in
            guard let base = buffer.baseAddress else { return }
            memset(base, 0, Self.zeros)
            while place < end, write(base, min(Self.zeros, end - place), to: active.descriptor, at: place) == 0 {
                place += min(Self.zeros, end - place)
            }
        }
        if place < end {
            ftruncate(active.descriptor, off_t(start))
            place = start
        }
        file?.filledCount = place
    }

    /// Starts a segment and makes its name durable. Returns 0 or an errno.
    private func begin(at sequence: UInt64) -> Int32 {
        let path = directory.segmentPath(sequence)
        // A file of this name can only hold what never became durable.
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return errno }
        var header = InlineArray<32, UInt8>(repeating: 0)
        var span = header.mutableSpan
        let problem = span.withUnsafeMutableBytes { bytes -> Int32 in
            guard let base = bytes.baseAddress else { return EIO }
            JournalFormat.writeSegmentHeader(base, firstSequence: sequence)
            return write(base, bytes.count, to: descriptor, at: 0)
        }
        let directoryProblem = problem == 0 ? directory.synchronize() : problem
        guard directoryProblem == 0 else {
            Glibc.close(descriptor)
            unlink(path)
            return directoryProblem
        }
        let count = JournalFormat.segmentHeaderCount
        file = Active(descriptor: descriptor, firstSequence: sequence, durableCount: count, filledCount: count)
        segments.add(sequence)
        return 0
    }

    /// Leaves a segment whose last write failed: after a failed sync nobody knows which of its dirty pages reached the disk.
    private func abandon(_ active: Active) {
        ftruncate(active.descriptor, off_t(active.durableCount))
        Glibc.close(active.descriptor)
        if active.durableCount == JournalFormat.segmentHeaderCount {
            unlink(directory.segmentPath(active.firstSequence))
            segments.remove(active.firstSequence)
        }
        file = nil
    }

    private func write(_ bytes: UnsafeMutableRawPointer, _ count: Int, to descriptor: Int32, at offset: Int) -> Int32 {
        var done = 0
        while done < count {
            let written = disk.write(descriptor, UnsafeRawPointer(bytes) + done, count - done, offset + done)
            if written > 0 {
                done += written
            } else if written == 0 {
                return ENOSPC
            } else if written != -Int(EINTR) {
                return Int32(-written)
            }
        }
        return 0
    }

    private func synchronize(_ descriptor: Int32) -> Int32 {
        let began = lm_monotonic_nanoseconds()
        let problem = disk.synchronize(descriptor)
        syncNanoseconds.add(lm_monotonic_nanoseconds() - began, ordering: .relaxed)
        return problem
    }
}

/// First sequence numbers of the segments that exist, ascending.
final class JournalSegments: Sendable {
    private let firsts: Mutex<[UInt64]>

    init(_ firsts: [UInt64]) {
        self.firsts = Mutex(firsts)
    }

    var all: [UInt64] { firsts.withLock { $0 } }

    func add(_ first: UInt64) {
        firsts.withLock { list in
            if list.last != first { list.append(first) }
        }
    }

    func remove(_ first: UInt64) {
        firsts.withLock { list in list.removeAll { $0 == first } }
    }
}
