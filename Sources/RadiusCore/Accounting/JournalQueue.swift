import Glibc

/// Two buffers of fixed size: workers fill one while the writer drains the other.
///
/// `@unchecked Sendable`: `mutex` guards everything but `draining`, which belongs to the writer thread between two calls of `take`.
final class JournalQueue: @unchecked Sendable {
    /// Records in the order of their sequence numbers, not yet on disk.
    struct Batch {
        let bytes: UnsafeMutableRawPointer
        let count: Int
        let firstSequence: UInt64
        let lastSequence: UInt64
    }

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let filled = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let capacity: Int
    private var filling: UnsafeMutableRawPointer
    private var draining: UnsafeMutableRawPointer
    private var fillingCount = 0
    private var firstSequence: UInt64
    private var nextSequence: UInt64
    private var refusal: Int32 = 0
    private var isClosed = false
    private var refusedCount: UInt64 = 0
    private var listeners: [Int32] = []

    init(capacity: Int, nextSequence: UInt64) {
        self.capacity = capacity
        self.nextSequence = nextSequence
        firstSequence = nextSequence
        filling = .allocate(byteCount: capacity, alignment: 16)
        draining = .allocate(byteCount: capacity, alignment: 16)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(filled, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(filled)
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
        filled.deallocate()
        filling.deallocate()
        draining.deallocate()
    }

    /// Copies a record in; nil when records are refused now.
    func append(_ entry: JournalEntry, packet: Span<UInt8>) -> UInt64? {
        appending { $0.append(entry, packet: packet) }
    }

    /// Lets `body` append any number of records behind one lock, and wakes the writer once.
    func appending<Result>(_ body: (inout JournalBatch) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        let wasEmpty = fillingCount == 0
        var batch = JournalBatch(queue: self)
        let result = body(&batch)
        let isFilled = wasEmpty && fillingCount > 0
        pthread_mutex_unlock(mutex)
        if isFilled { pthread_cond_signal(filled) }
        return result
    }

    /// Holder of the lock.
    fileprivate func put(_ entry: JournalEntry, _ packet: Span<UInt8>) -> UInt64? {
        let size = JournalFormat.recordHeaderCount + packet.count
        guard refusal == 0, !isClosed, packet.count <= JournalFormat.longestPacket, size <= capacity - fillingCount else {
            refusedCount += 1
            return nil
        }
        let sequence = nextSequence
        JournalFormat.write(entry, sequence: sequence, packet: packet, to: filling + fillingCount)
        fillingCount += size
        nextSequence += 1
        return sequence
    }

    /// Writer: waits for records and takes all of them; nil once the queue is closed and empty.
    func take() -> Batch? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while fillingCount == 0 {
            if isClosed { return nil }
            pthread_cond_wait(filled, mutex)
        }
        swap(&filling, &draining)
        let batch = Batch(bytes: draining, count: fillingCount, firstSequence: firstSequence, lastSequence: nextSequence - 1)
        fillingCount = 0
        firstSequence = nextSequence
        return batch
    }

    /// Writer: records are refused from here on, for the reason `problem`; 0 takes them again.
    func refuse(_ problem: Int32) {
        locked { refusal = problem }
    }

    /// Writer: waits before a retry. Returns whether the queue was closed.
    func pause(milliseconds: Int) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let nanoseconds = deadline.tv_nsec + milliseconds * 1_000_000
        deadline.tv_sec += nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        while !isClosed {
            if pthread_cond_timedwait(filled, mutex, &deadline) == ETIMEDOUT { break }
        }
        return isClosed
    }

    func close() {
        locked {
            isClosed = true
            pthread_cond_broadcast(filled)
        }
    }

    func addListener(_ descriptor: Int32) {
        locked { listeners.append(descriptor) }
    }

    func removeListener(_ descriptor: Int32) {
        locked { listeners.removeAll { $0 == descriptor } }
    }

    /// Runs `body` for each listener; none is removed meanwhile.
    func forEachListener(_ body: (Int32) -> Void) {
        locked { listeners.forEach(body) }
    }

    var state: JournalState {
        locked { isClosed ? .closed : refusal == 0 ? .healthy : .refusing(errno: refusal) }
    }

    /// Refused appends, the sequence number that the next record gets, and the octets that no write has taken yet.
    var counts: (refused: UInt64, nextSequence: UInt64, waiting: Int) {
        locked { (refusedCount, nextSequence, fillingCount) }
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}

/// The journal, open for the records of one batch of packets. Lives inside `Journal.appending`; other threads wait meanwhile.
public struct JournalBatch: ~Copyable {
    fileprivate let queue: JournalQueue

    /// Copies a packet in; parameters and result are those of `Journal.append`.
    public mutating func append(_ entry: JournalEntry, packet: Span<UInt8>) -> UInt64? {
        queue.put(entry, packet)
    }
}
