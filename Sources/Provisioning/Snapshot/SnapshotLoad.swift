import Database
import RadiusCore
import Synchronization

/// A full load under way, on a thread and a connection of its own: meanwhile the feed goes on following changes.
final class SnapshotLoad: Sendable {
    struct Cancelled: Error {}

    /// Why a load came to nothing without the database's doing.
    enum Failure: Error, CustomStringConvertible {
        case noThread, anotherServer

        var description: String {
            switch self {
            case .noThread: "the system gives no thread for it; raise the limit of tasks"
            case .anotherServer: "the server that it was read from is not the one that is followed, or has another history"
            }
        }
    }

    private let result = Mutex<Result<SnapshotReplica, any Error>?>(nil)
    private let isCancelled = Atomic<Bool>(false)
    private let began = ContinuousClock.now
    let dictionary: RadiusDictionary

    /// Starts to load, with a compiler that has read nothing yet; whether it gives way to those who answer is for the caller to say.
    /// `progress` is told now and then, on the load's thread, how many subscribers were read; `done` is signalled at the end.
    init(
        _ compiler: SnapshotCompiler, _ configuration: DatabaseConfiguration, givesWay: Bool, progress: @escaping @Sendable (Int) -> Void,
        done: WakeSignal
    ) {
        dictionary = compiler.dictionary
        let hasBegun = Thread.startIfPossible(name: "snapshot-load") { [self] in
            if givesWay { ThreadPriority.giveWay() }
            let ended = Result { try run(compiler, configuration, progress) }
            result.withLock { $0 = ended }
            done.signal()
        }
        if !hasBegun { result.withLock { $0 = .failure(Failure.noThread) } }
    }

    private func run(_ compiler: SnapshotCompiler, _ configuration: DatabaseConfiguration, _ progress: (Int) -> Void) throws
        -> SnapshotReplica
    {
        let connection = try Connection.open(configuration)
        defer { connection.close() }
        if isCancelled.load(ordering: .acquiring) { throw Cancelled() }
        return try SnapshotReplica(loading: compiler, connection) { count in
            if isCancelled.load(ordering: .acquiring) { throw Cancelled() }
            progress(count)
        }
    }

    /// How long ago it began.
    var age: Duration { ContinuousClock.now - began }

    /// What came of it; nil until it has ended.
    var ended: Result<SnapshotReplica, any Error>? { result.withLock { $0 } }

    /// Lets it break off soon.
    func cancel() { isCancelled.store(true, ordering: .releasing) }
}
