public import Database
public import Logging
import RadiusCore
import Synchronization

/// Tells hooks what waits for them (Standard Webhooks): what was answered, to whom and why. It asks nothing: all is decided by then.
///
/// One thread with one connection; over all nodes one at a time has the turn, as long as its connection lives and somebody
/// answers. A hook gets one message at a time, and in their order; a message that was on its way when its node died goes again, under the
/// same id.
public final class HookService: Sendable {
    /// What this node knows now.
    public struct State: Sendable {
        public var hasTurn = false
        /// Messages that receivers took from this node.
        public var delivered: UInt64 = 0
        /// Attempts that have to be repeated, whoever is to blame.
        public var failed: UInt64 = 0
        /// Messages that were left out because their receivers refused them again and again.
        public var dropped: UInt64 = 0
        /// Hooks that were switched off because nothing got through for days.
        public var disabled: UInt64 = 0
        /// How hooks do, over all nodes.
        public var figures: [HookFigure] = []
        public var lastError: String?
    }

    let configuration: DatabaseConfiguration
    let open: @Sendable (_ sealed: [UInt8]) throws -> [UInt8]
    let reach: WebhookReach
    let logger: Logger
    let thread = ShipperThread()
    private let current = Mutex(State())

    /// - Parameters:
    ///   - configuration: one connection is opened to it.
    ///   - open: opens the secrets of hooks.
    ///   - reach: where messages may go.
    ///   - logger: is told of hooks that are given up, and when the database is away.
    public init(
        configuration: DatabaseConfiguration, open: @escaping @Sendable (_ sealed: [UInt8]) throws -> [UInt8], reach: WebhookReach,
        logger: Logger
    ) {
        self.configuration = configuration
        self.open = open
        self.reach = reach
        self.logger = logger
    }

    deinit { thread.stop() }

    /// Any thread.
    public var state: State { current.withLock { $0 } }

    /// Starts the thread; the database may be away.
    ///
    /// - Throws: `DatabaseError` when the system gives no thread.
    public func start() throws {
        let isStarted = thread.start { [self] in
            guard let transfers = WebhookTransfers(wake: thread.wake) else {
                return logger.error("hooks are told of nothing: libcurl cannot be used")
            }
            HookLoop(self, transfers).run()
        }
        guard isStarted else {
            throw DatabaseError("53000", "the system gives no thread for hooks", hint: "raise the limit of processes")
        }
    }

    /// Ends the thread. What is under way goes again when a node has the turn next. Blocks.
    public func stop() { thread.stop() }

    func note(_ change: (inout State) -> Void) { current.withLock { change(&$0) } }
}
