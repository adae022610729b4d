internal import CLinux
internal import Glibc

/// State behind a mutex that threads can wait on. `Synchronization.Mutex` has no condition variable, hence pthreads.
///
/// `@unchecked Sendable`: `state` is touched only between lock and unlock of `mutex`.
final class Monitor<State>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var state: State

    init(_ state: State) {
        self.state = state
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func withLock<R>(_ body: (inout State) throws -> R) rethrows -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Wakes one waiting thread.
    func signal() { pthread_cond_signal(condition) }

    /// Wakes all waiting threads.
    func broadcast() { pthread_cond_broadcast(condition) }

    /// Waits until `body` gives a value; nil once `deadline` (monotonic nanoseconds) has passed.
    func wait<R>(until deadline: UInt64? = nil, _ body: (inout State) -> R?) -> R? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let value = body(&state) { return value }
            guard let deadline else {
                pthread_cond_wait(condition, mutex)
                continue
            }
            if lm_monotonic_nanoseconds() >= deadline { return nil }
            var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
            pthread_cond_timedwait(condition, mutex, &time)
        }
    }
}

/// Instants on the monotonic clock, in nanoseconds.
enum Clock {
    static var now: UInt64 { lm_monotonic_nanoseconds() }

    static func after(seconds: Double) -> UInt64 {
        now + UInt64(max(0, seconds) * 1_000_000_000)
    }
}
