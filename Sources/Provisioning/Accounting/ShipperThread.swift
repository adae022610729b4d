import Glibc
import RadiusCore
import Synchronization

/// A thread for blocking database work, which gives way to the packet path, with a signal that wakes it and a flag that ends it.
final class ShipperThread: Sendable {
    let wake = WakeSignal()
    private let stopping = Atomic<Bool>(false)
    private let running = Mutex<pthread_t?>(nil)

    /// The thread was told to end.
    var isStopping: Bool { stopping.load(ordering: .acquiring) }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts `body`, once. All signals are blocked on the thread. Whether the system gave one.
    func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        running.withLock { running in
            guard running == nil else { return true }
            var all = sigset_t()
            var previous = sigset_t()
            sigfillset(&all)
            pthread_sigmask(SIG_SETMASK, &all, &previous)
            defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
            var thread = pthread_t()
            let handle = Unmanaged.passRetained(Body(body))
            let problem = pthread_create(
                &thread, nil,
                { argument in
                    guard let argument else { return nil }
                    ThreadPriority.giveWay()
                    Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                    return nil
                }, handle.toOpaque())
            guard problem == 0 else {
                handle.release()
                return false
            }
            running = thread
            return true
        }
    }

    /// Asks the thread to end and waits for it. Once; later calls return at once.
    func stop() {
        stopping.store(true, ordering: .releasing)
        wake.signal()
        guard let thread = running.withLock({ running in running.take() }) else { return }
        pthread_join(thread, nil)
    }

    /// Waits for `milliseconds` unless the thread is told to end, whatever else wakes it.
    func pause(milliseconds: Int64) {
        let end = WallClock.monotonicMilliseconds + milliseconds
        while !isStopping {
            let left = end - WallClock.monotonicMilliseconds
            if left <= 0 { return }
            wake.wait(timeoutMilliseconds: Int(left))
        }
    }
}

extension WallClock {
    static var monotonicMilliseconds: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }
}
