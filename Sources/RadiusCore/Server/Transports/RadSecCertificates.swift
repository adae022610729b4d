internal import Synchronization

/// The TLS context of RadSec, which may come into being after the start and follows its files.
///
/// For any number of threads.
public final class RadSecCertificates: Sendable {
    /// What a look at the files came to.
    public enum Outcome: Sendable {
        case unchanged
        /// There is a context now, where there was none.
        case ready(TLSContext)
        /// New files are in force for new connections.
        case replaced(TLSContext)
        /// There is none yet, or the one before stays in force.
        case failed(TLSFileFailure, isServing: Bool)
    }

    private let settings: TLSSettings
    private let slot = Mutex<TLSContextSlot?>(nil)

    public init(_ settings: TLSSettings) { self.settings = settings }

    /// What new conversations begin with; nil without certificates.
    public var current: TLSContext? { slot.withLock { $0 }?.current }

    /// Looks at the files, and reads them when they changed. Blocks on the disk: not for a worker.
    @discardableResult
    public func refresh() -> Outcome {
        guard let slot = slot.withLock({ $0 }) else { return begin() }
        switch slot.refresh() {
        case .unchanged: return .unchanged
        case .replaced(let context): return .replaced(context)
        case .kept(let failure): return .failed(failure, isServing: true)
        }
    }

    private func begin() -> Outcome {
        do throws(TLSFileFailure) {
            let context = try TLSContext(settings)
            slot.withLock { $0 = TLSContextSlot(context) }
            return .ready(context)
        } catch {
            return .failed(error, isServing: false)
        }
    }
}
