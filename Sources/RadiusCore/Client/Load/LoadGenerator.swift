import CLinux
import Glibc
import Synchronization

/// Runs a load plan on its own threads.
public final class LoadGenerator: Sendable {
    private let plan: LoadPlan
    private let meters: [LoadMeter]
    private let isStopping = Atomic<Bool>(false)
    private let running: Atomic<Int>
    private let histograms = Mutex<LatencyHistogram>(LatencyHistogram())
    private let started = Atomic<UInt64>(0)
    private let ended = Atomic<UInt64>(0)

    /// - Parameter plan: one whose `fault` is nil.
    public init(_ plan: LoadPlan) {
        precondition(plan.fault == nil)
        self.plan = plan
        meters = (0..<plan.threads).map { _ in LoadMeter() }
        running = Atomic(plan.threads)
    }

    /// Why the load cannot begin.
    public struct SocketFault: Error, Sendable {
        /// Of the system call.
        public let errno: Int32
    }

    /// Opens the sockets and starts the threads.
    ///
    /// - Throws: when the system refuses a socket; nothing runs then.
    public func start() throws(SocketFault) {
        var sockets: [[Int32]] = []
        for _ in 0..<plan.threads {
            var own: [Int32] = []
            for _ in 0..<plan.sockets {
                let fd = open()
                guard fd >= 0 else {
                    for opened in sockets.joined() + own { close(opened) }
                    throw SocketFault(errno: -fd)
                }
                own.append(fd)
            }
            sockets.append(own)
        }
        for index in 0..<plan.threads { launch(index, sockets[index]) }
    }

    private func open() -> Int32 {
        var peer = plan.target.datagramAddress(port: plan.port)
        return lm_load_open(&peer, 4 << 20)
    }

    private func launch(_ index: Int, _ sockets: [Int32]) {
        Thread.start(name: "load-\(index)") { [self] in
            if let processor = plan.processor { _ = lm_pin_thread(Int32(clamping: processor + index)) }
            var worker = LoadWorker(plan, share(index), sockets: sockets, meter: meters[index])
            // Requests that were prepared do not count as time of the run.
            _ = started.compareExchange(expected: 0, desired: lm_monotonic_nanoseconds(), ordering: .relaxed)
            worker.run { isStopping.load(ordering: .relaxed) }
            let own = worker.histogram
            histograms.withLock { $0.merge(own) }
            for socket in sockets { close(socket) }
            if running.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
                ended.store(lm_monotonic_nanoseconds(), ordering: .releasing)
            }
        }
    }

    private func share(_ index: Int) -> LoadWorker.Share {
        func part(_ whole: Int) -> Int { whole / plan.threads + (index < whole % plan.threads ? 1 : 0) }
        return LoadWorker.Share(
            index: index, threads: plan.threads, outstanding: part(plan.outstanding), open: part(plan.open ?? plan.outstanding),
            count: plan.count.map(part))
    }

    /// Begins no more requests; those in flight are waited for, open accounting sessions get their Stop.
    public func stop() { isStopping.store(true, ordering: .relaxed) }

    /// Every thread has ended.
    public var isDone: Bool { ended.load(ordering: .acquiring) != 0 }

    /// All threads' counts so far.
    public var tally: LoadTally {
        var sum = LoadTally()
        for meter in meters { sum.add(meter.tally) }
        return sum
    }

    /// Latencies; complete once `isDone`.
    public var histogram: LatencyHistogram { histograms.withLock { $0 } }

    /// Nanoseconds from the first thread's first request until the last thread ended, or until now.
    public var elapsed: UInt64 {
        let end = ended.load(ordering: .acquiring)
        let start = started.load(ordering: .relaxed)
        guard start != 0 else { return 0 }
        return (end == 0 ? lm_monotonic_nanoseconds() : end) &- start
    }
}
