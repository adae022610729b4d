public import Logging
import Synchronization

/// Keeps what is logged at a level and above it.
public final class KeptLog: LogHandler, Sendable {
    public struct Line: Sendable {
        /// `level: message`.
        public let text: String
        public let metadata: Logger.Metadata
    }

    private let level: Logger.Level
    private let kept = Mutex<[Line]>([])
    public var lines: [Line] { kept.withLock { $0 } }
    public var logger: Logger { Logger(label: "tests", factory: { [self] _ in self }) }

    public init(_ level: Logger.Level) { self.level = level }

    public var logLevel: Logger.Level {
        get { level }
        set {}
    }
    public var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    public func log(event: LogEvent) {
        kept.withLock { $0.append(Line(text: "\(event.level): \(event.message)", metadata: event.metadata ?? [:])) }
    }
}
