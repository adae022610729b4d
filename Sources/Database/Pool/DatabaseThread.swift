internal import CLinux
internal import Glibc

/// A thread of our own for libpq and child processes, which must never block Swift's cooperative pool.
///
/// `@unchecked Sendable`: immutable after `init`.
final class DatabaseThread: @unchecked Sendable {
    private final class Start {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    private let thread: pthread_t

    /// Starts `body` at once. All signals are blocked on the thread: they are the daemon's business. `name` is shown by
    /// `top -H`; 15 octets are kept.
    init(name: String, _ body: @escaping @Sendable () -> Void) throws(DatabaseError) {
        var thread = pthread_t()
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var all = sigset_t()
        var previous = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &previous)
        let problem = pthread_create(&thread, nil, DatabaseThread.main, start.toOpaque())
        pthread_sigmask(SIG_SETMASK, &previous, nil)
        guard problem == 0 else {
            start.release()
            throw DatabaseError(.clusterUnavailable, "cannot start a thread: \(String(cString: strerror(problem)))")
        }
        self.thread = thread
    }

    /// Waits for the end of the thread; once.
    func join() {
        pthread_join(thread, nil)
    }

    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        guard let argument else { return nil }
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        lm_name_thread(start.name)
        start.body()
        return nil
    }

    /// Runs blocking work on a thread made for it and resumes the caller with its result.
    static func run<T: Sendable>(name: String, _ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            do {
                let thread = try DatabaseThread(name: name) { continuation.resume(with: Result(catching: body)) }
                pthread_detach(thread.thread)
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}
