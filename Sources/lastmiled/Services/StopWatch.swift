@preconcurrency import Dispatch
import Glibc
import Logging
import ServiceLifecycle
import Synchronization

/// Follows a stop from outside the parts that end: says that it began, what it waits for, and that it is over.
///
/// A second signal ends the process at once, as does a step that stands still for a minute: what was acknowledged is in the
/// journal by then. Runs on a queue of its own, so that no part that blocks holds it up.
final class StopWatch: Sendable {
    /// A wrapper may pass on what the terminal has sent already.
    private static let echoSeconds = 1.0
    private static let reportSeconds = 5
    private static let standstillSeconds = 60.0

    private struct State {
        var beganAt: ContinuousClock.Instant?
        var step = "the services to end"
        var movedAt = ContinuousClock.now
        var progress: UInt64 = 0
        var sources = Sources(all: [])
    }

    /// `@unchecked Sendable`: set up before the first of them fires, and then only cancelled, which any thread may do.
    private struct Sources: @unchecked Sendable {
        let all: [any DispatchSourceProtocol]
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "stop")
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    /// Listens to the signals from now on; `progress` changes as long as a long step comes forward.
    func start(progress: @escaping @Sendable () -> UInt64) {
        let signals = [SIGTERM, SIGINT].map { number -> any DispatchSourceProtocol in
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { [self] in signalled() }
            return source
        }
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + .seconds(Self.reportSeconds), repeating: .seconds(Self.reportSeconds))
        timer.setEventHandler { [self] in look(progress()) }
        let sources = Sources(all: signals + [timer])
        state.withLock { $0.sources = sources }
        for source in sources.all { source.activate() }
    }

    /// What is waited for from now on, as words behind "waits for".
    func step(_ name: String) {
        state.withLock { state in
            state.step = name
            state.movedAt = .now
        }
    }

    /// Nothing is waited for any more.
    func end() {
        let beganAt = state.withLock { state in
            for source in state.sources.all { source.cancel() }
            state.sources = Sources(all: [])
            return state.beganAt
        }
        if let beganAt { logger.notice("ended", metadata: ["seconds": "\(Self.seconds(since: beganAt))"]) }
    }

    private func signalled() {
        let first = state.withLock { state -> ContinuousClock.Instant? in
            defer { state.beganAt = state.beganAt ?? .now }
            state.movedAt = state.beganAt == nil ? .now : state.movedAt
            return state.beganAt
        }
        guard let first else {
            return logger.notice("draining: what was received is answered and stored; a second signal ends the daemon at once")
        }
        if (ContinuousClock.now - first) / .seconds(1) >= Self.echoSeconds { abandon("a second signal came") }
    }

    private func look(_ progress: UInt64) {
        let (beganAt, step, still) = state.withLock { state in
            if state.progress != progress { (state.progress, state.movedAt) = (progress, .now) }
            return (state.beganAt, state.step, (ContinuousClock.now - state.movedAt) / .seconds(1))
        }
        guard let beganAt else { return }
        if still >= Self.standstillSeconds { abandon("nothing moved for \(Int(still)) seconds") }
        logger.notice("draining: waits for \(step)", metadata: ["seconds": "\(Self.seconds(since: beganAt))"])
    }

    private func abandon(_ reason: String) -> Never {
        let step = state.withLock { $0.step }
        logger.error("ended before its time: \(reason); it waited for \(step). The journal keeps what was acknowledged")
        _exit(1)
    }

    private static func seconds(since instant: ContinuousClock.Instant) -> Int { Int((ContinuousClock.now - instant) / .seconds(1)) }
}
