import CLinux
import Glibc

/// A thread of the system, for work that may block or that owns a processor.
public enum Thread {
    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void

        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Starts a detached thread called `name` (15 octets are kept), which the daemon cannot do without.
    public static func start(name: String, _ run: @escaping @Sendable () -> Void) {
        let status = create(name, run)
        precondition(status == 0, "the system refuses a thread (errno \(status)); raise the limit of tasks")
    }

    /// Starts a detached thread; false, and nothing runs, when the system refuses one.
    public static func startIfPossible(name: String, _ run: @escaping @Sendable () -> Void) -> Bool { create(name, run) == 0 }

    private static func create(_ name: String, _ run: @escaping @Sendable () -> Void) -> Int32 {
        let body = Unmanaged.passRetained(Body(name: name, run: run))
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let body = Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
                lm_name_thread(body.name)
                body.run()
                return nil
            }, body.toOpaque())
        if status == 0 { pthread_detach(thread) } else { body.release() }
        return status
    }
}

/// A flag that threads sleep on; each signal wakes one of them.
final class WaitFlag: @unchecked Sendable {
    // Guard: the semaphore is its own guard.
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func signal() { sem_post(semaphore) }

    func wait() {
        while sem_wait(semaphore) != 0 && errno == EINTR {}
    }
}

/// How the threads beside the packet path share a full machine with it.
public enum ThreadPriority {
    /// Lets the calling thread alone give way to those that answer: niceness 10, a ninth of the share of a thread that answers at once.
    /// Needs no privilege. So log-ins that are answered at once keep nine tenths of a processor that handshakes could fill.
    public static func giveWay() { lm_yield_priority(10) }
}
