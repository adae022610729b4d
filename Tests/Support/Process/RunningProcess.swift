internal import CLinux
internal import FoundationEssentials
internal import Glibc
internal import Synchronization

/// A program that a test started. It is killed when the test process ends.
public final class RunningProcess: Sendable {
    public let identifier: Int32
    /// Its command line, for messages.
    public let name: String
    private let status = Mutex<Int32?>(nil)

    private init(identifier: pid_t, name: String) {
        self.identifier = identifier
        self.name = name
    }

    /// Starts a program in a session of its own, in the root directory, without standard input.
    ///
    /// - Parameters:
    ///   - arguments: the program's absolute path first.
    ///   - environment: the whole environment, `NAME=value`.
    ///   - output: a file that standard output and standard error are appended to.
    ///   - deathSignal: what it gets when the test process dies; SIGKILL unless given.
    /// - Returns: the process, not necessarily past its first instruction.
    /// - Throws: `ProcessFailure` when it cannot be started.
    public static func start(
        _ arguments: [String], environment: [String], output: String, deathSignal: Int32? = nil
    ) async throws -> RunningProcess {
        let order = ChildThread.Order(arguments: arguments, environment: environment, output: output, deathSignal: deathSignal ?? SIGKILL)
        let process = RunningProcess(identifier: try await ChildThread.start(order), name: arguments.joined(separator: " "))
        process.reapAtItsEnd()
        return process
    }

    /// Its exit code, or 128 + signal; nil while it runs.
    public var exitStatus: Int32? { lookingAtIt { $0 } }

    /// Nobody else gives `body` another answer meanwhile, and its number stays its own.
    private func lookingAtIt<T>(_ body: (Int32?) -> T) -> T {
        status.withLock { status in
            var ended: Int32 = 0
            if status == nil, lm_process_ended(identifier, &ended) == 1 { status = ended }
            return body(status)
        }
    }

    /// Whether or not anybody asks for its status. A child that has ended and that nobody waited for hides the others from who waits for
    /// any child, as Swift Testing does for its exit tests, which then never end.
    private func reapAtItsEnd() {
        let descriptor = lm_process_descriptor(identifier)
        // It has ended and was waited for.
        guard descriptor >= 0 else { return }
        detachThread { [self] in
            while exitStatus == nil { _ = lm_wait([descriptor], 1, -1) }
            close(descriptor)
        }
    }

    /// Waits for its end.
    ///
    /// - Throws: `ProcessFailure` when it still runs after `seconds`; it is killed then.
    @discardableResult
    public func end(within seconds: Int = 60) async throws -> Int32 {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < deadline {
            if let exitStatus { return exitStatus }
            try await Task.sleep(for: .milliseconds(10))
        }
        signalGroup(SIGKILL)
        throw ProcessFailure("still running after \(seconds) s: \(name)")
    }

    /// Signals it, unless it has ended and its number may be another's.
    public func signal(_ number: Int32) {
        lookingAtIt { if $0 == nil { kill(identifier, number) } }
    }

    /// As `signal`, with all that it started and that stayed in its session's group.
    public func signalGroup(_ number: Int32) {
        lookingAtIt { if $0 == nil, kill(-identifier, number) != 0 { kill(identifier, number) } }
    }

    /// The variables of this process but ours, with `settings` on top: `NAME=value`.
    public static func environment(_ settings: [String: String] = [:]) -> [String] {
        var all = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("LASTMILE_") }
        all.merge(settings) { $1 }
        return all.map { "\($0.key)=\($0.value)" }.sorted()
    }
}

/// A program did not start, end or answer as it should; in words.
public struct ProcessFailure: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
