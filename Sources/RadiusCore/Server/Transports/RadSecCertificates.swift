internal import Synchronization

/// The TLS context of RadSec, and of DTLS where that is on, of one side, which may come into being after the start and follow their files.
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

    private struct Slots {
        let streams: TLSContextSlot
        let datagrams: TLSContextSlot?
    }

    private let settings: TLSSettings
    private let hasDatagrams: Bool
    private let slots = Mutex<Slots?>(nil)
    private let broken = Atomic<Bool>(false)

    /// - Parameters:
    ///   - settings: for TLS.
    ///   - hasDatagrams: whether there shall be a context for DTLS, too, of the same files. It has no preshared keys.
    public init(_ settings: TLSSettings, hasDatagrams: Bool = false) {
        self.settings = settings
        self.hasDatagrams = hasDatagrams
    }

    /// What new conversations begin with; nil without certificates.
    public var current: TLSContext? { slots.withLock { $0 }?.streams.current }
    /// What new conversations of DTLS begin with; nil without certificates, and where DTLS is off.
    public var currentForDatagrams: TLSContext? { slots.withLock { $0 }?.datagrams?.current }

    /// Whether the last look found files that cannot be used.
    public var isBroken: Bool { broken.load(ordering: .relaxed) }

    /// Looks at the files, and reads them when they changed. Blocks on the disk: not for a worker.
    @discardableResult
    public func refresh() -> Outcome {
        let outcome = look()
        if case .failed = outcome { broken.store(true, ordering: .relaxed) } else { broken.store(false, ordering: .relaxed) }
        return outcome
    }

    private func look() -> Outcome {
        guard let slots = slots.withLock({ $0 }) else { return begin() }
        let outcome = Self.outcome(of: slots.streams)
        guard let datagrams = slots.datagrams else { return outcome }
        // Of the same files, but each is read by itself: what one says and the other does not is said, too.
        switch (outcome, Self.outcome(of: datagrams)) {
        case (.failed, _): return outcome
        case (_, .failed(let failure, let isServing)): return .failed(failure, isServing: isServing)
        case (.unchanged, let other): return other
        default: return outcome
        }
    }

    private static func outcome(of slot: TLSContextSlot) -> Outcome {
        switch slot.refresh() {
        case .unchanged: .unchanged
        case .replaced(let context): .replaced(context)
        case .kept(let failure): .failed(failure, isServing: true)
        }
    }

    private func begin() -> Outcome {
        do throws(TLSFileFailure) {
            let context = try TLSContext(settings)
            let datagrams = try hasDatagrams ? TLSContextSlot(TLSContext(forDatagrams)) : nil
            slots.withLock { $0 = Slots(streams: TLSContextSlot(context), datagrams: datagrams) }
            return .ready(context)
        } catch {
            return .failed(error, isServing: false)
        }
    }

    private var forDatagrams: TLSSettings {
        var settings = settings
        settings.isDatagram = true
        settings.presharedKeyPath = nil
        settings.applicationProtocols = ApplicationProtocols.possible(settings.applicationProtocols, over: .tls12)
        return settings
    }
}
