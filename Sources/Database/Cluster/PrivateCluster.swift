internal import CLinux
internal import Glibc
public import Logging

/// A PostgreSQL cluster that the daemon creates, runs and watches by itself: the database of whoever names none.
///
/// It answers only on a unix socket that its account (and root) may enter. As root it runs under an unprivileged account. It is
/// restarted when it dies, and dies with the daemon, however the daemon ends. What an operator may tune is `postgresql.conf` in the directory.
public final class PrivateCluster: Sendable {
    public let directory: String
    private let state = Monitor(ClusterState())
    private let stopDescriptor: Int32
    private let logger: Logger
    private let settings: [String: String]

    /// Starts nothing yet. `directory` is made when missing and holds `data`, `socket`, `postgresql.conf`, `postgres.log`;
    /// `settings` are PostgreSQL's and override the file, such as `["fsync": "off"]` in tests.
    public init(directory: String, logger: Logger, settings: [String: String] = [:]) throws {
        self.directory = directory
        self.logger = logger
        self.settings = settings
        let descriptor = lm_eventfd()
        guard descriptor >= 0 else { throw DatabaseError(.clusterUnavailable, "cannot make an eventfd: error \(-descriptor)") }
        stopDescriptor = descriptor
    }

    deinit {
        stopBlocking()
        closeDescriptor(stopDescriptor)
    }

    /// How to connect as the owner of the database `lastmile`; empty until `start()` has returned.
    public var conninfo: String { state.withLock { $0.conninfo } }

    /// As the superuser, for tests and repairs.
    package var superuserConninfo: String { state.withLock { $0.superuserConninfo } }

    /// The running server's process; nil while there is none.
    public var postmaster: Int32? { state.withLock { $0.postmaster } }

    /// How often the server died and was started again.
    public var restarts: Int { state.withLock { $0.restarts } }

    /// Creates the cluster if need be, starts it, and returns when it answers.
    ///
    /// - Parameter progress: called with one line for each step that may take long.
    /// - Throws: `clusterUnavailable` with what to do: programs missing, directory in use or foreign, server refused to start.
    public func start(progress: @escaping @Sendable (String) -> Void = { _ in }) async throws {
        try startAllowed()
        do {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                do {
                    try startThread(progress) { continuation.resume(with: $0) }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        } catch {
            await stop()
            throw error
        }
    }

    /// Ends the server: its clients are cut off, what is committed is kept. Returns when it has ended.
    public func stop() async {
        try? await DatabaseThread.run(name: "database-stop") { self.stopBlocking() }
    }

    /// As `stop()`, for callers without a task; blocks for up to a minute.
    public func stopBlocking() {
        lm_eventfd_signal(stopDescriptor)
        let thread = state.withLock { state in
            defer { state.thread = nil }
            return state.thread
        }
        thread?.join()
    }

    /// Stops the server and removes the whole directory; for tests.
    package func erase() {
        stopBlocking()
        FileSystem.removeTree(directory)
    }

    private func startAllowed() throws {
        let isRunning = state.withLock { $0.thread != nil }
        if isRunning { throw DatabaseError(.clusterUnavailable, "the private cluster was started already") }
    }

    private func startThread(
        _ progress: @escaping @Sendable (String) -> Void, _ started: @escaping @Sendable (Result<Void, any Error>) -> Void
    ) throws {
        let supervisor = ClusterSupervisor(
            directory: directory, settings: settings, logger: logger, stopDescriptor: stopDescriptor, state: state, progress: progress)
        lm_eventfd_drain(stopDescriptor)
        try state.withLock { state in
            guard state.thread == nil else { throw DatabaseError(.clusterUnavailable, "the private cluster is being started already") }
            state.thread = try DatabaseThread(name: "database-server") { supervisor.run(started) }
        }
    }
}

/// What the supervisor tells the cluster's users.
struct ClusterState {
    var thread: DatabaseThread?
    var conninfo = ""
    var superuserConninfo = ""
    var postmaster: pid_t?
    var restarts = 0
}
