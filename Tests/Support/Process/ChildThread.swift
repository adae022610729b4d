internal import CLinux
internal import Glibc
internal import Synchronization

/// Starts children from one thread that lives as long as the test process, since the kernel sends a child its death signal when
/// the thread that started it ends: no child outlives the tests, however they end.
enum ChildThread {
    /// What to start, and where its output goes.
    struct Order: Sendable {
        let arguments: [String]
        let environment: [String]
        /// A file that is appended to.
        let output: String
        let deathSignal: Int32
    }

    /// - Throws: `ProcessFailure` that names the step that failed.
    static func start(_ order: Order) async throws -> pid_t {
        try await withCheckedThrowingContinuation { continuation in
            shared.append { continuation.resume(with: Result { try launch(order) }) }
        }
    }

    private static let shared = WorkQueue()

    private static func launch(_ order: Order) throws -> pid_t {
        let output = open(order.output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw ProcessFailure("cannot write \(order.output): \(String(cString: strerror(errno)))") }
        defer { close(output) }
        let arguments: [UnsafeMutablePointer<CChar>?] = order.arguments.map { strdup($0) } + [nil]
        let environment: [UnsafeMutablePointer<CChar>?] = order.environment.map { strdup($0) } + [nil]
        defer { (arguments + environment).forEach { free($0) } }
        var stage: UnsafePointer<CChar>?
        let identifier = arguments.withUnsafeBufferPointer { arguments in
            environment.withUnsafeBufferPointer { environment in
                var process = lm_process(
                    path: arguments[0], arguments: arguments.baseAddress, environment: environment.baseAddress, user: 0, group: 0,
                    change_user: 0, output: output, held: -1, niceness: 0, death_signal: order.deathSignal)
                return lm_process_start(&process, &stage)
            }
        }
        guard identifier > 0 else {
            let step = stage.map { String(cString: $0) } ?? ""
            throw ProcessFailure("cannot start \(order.arguments[0]): \(step): \(String(cString: strerror(-identifier)))")
        }
        return identifier
    }
}

/// A thread without end that does one piece of work after the other.
private final class WorkQueue: Sendable {
    private let waiting = Mutex<[@Sendable () -> Void]>([])
    private let signal: Int32

    init() {
        signal = lm_eventfd()
        let queue = Unmanaged.passRetained(self)
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<WorkQueue>.fromOpaque(argument).takeUnretainedValue().work() }
                return nil
            }, queue.toOpaque())
        pthread_detach(thread)
    }

    func append(_ body: @escaping @Sendable () -> Void) {
        waiting.withLock { $0.append(body) }
        lm_eventfd_signal(signal)
    }

    private func work() -> Never {
        while true {
            _ = lm_wait([signal], 1, -1)
            lm_eventfd_drain(signal)
            let bodies = waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            for body in bodies { body() }
        }
    }
}
