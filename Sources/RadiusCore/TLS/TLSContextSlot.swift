internal import Synchronization

/// The context in force, which follows its files: conversations begin with `current`, and somebody calls `refresh` from time to time.
///
/// For any number of threads; a lock is held only to take or put the reference.
public final class TLSContextSlot: Sendable {
    /// What a look at the files came to.
    public enum Outcome: Sendable {
        case unchanged
        /// New files are in force.
        case replaced(TLSContext)
        /// The files changed and cannot be used; the context before stays in force. The next look tries again.
        case kept(TLSFileFailure)
    }

    private let context: Mutex<TLSContext>

    public init(_ context: TLSContext) { self.context = Mutex(context) }

    /// What new conversations begin with.
    public var current: TLSContext { context.withLock { $0 } }

    /// Looks at the files, and reads them when they changed. Blocks on the disk: not for a worker of the packet path.
    public func refresh() -> Outcome {
        do throws(TLSFileFailure) {
            guard let renewed = try current.renewed() else { return .unchanged }
            context.withLock { $0 = renewed }
            return .replaced(renewed)
        } catch {
            return .kept(error)
        }
    }
}
