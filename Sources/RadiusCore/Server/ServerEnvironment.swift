import Synchronization

/// Limits and habits of the packet path.
public struct ServerSettings: Sendable {
    /// Octets of each worker's reply cache.
    public var replyCacheOctets = 16 << 20
    /// How long an Access-Reject is held back, in milliseconds; 0 sends it at once.
    public var rejectDelayMilliseconds = 1000
    /// Octets that the kernel may queue for one socket.
    public var receiveBufferOctets = 4 << 20

    /// Replies that each port of a worker may hold back, for the reject delay or until the journal is on disk.
    public var heldReplies = 1 << 16

    public init() {}
}

/// What all workers of a server share.
public final class ServerEnvironment: Sendable {
    public let settings: ServerSettings
    public let store: SnapshotStore
    public let journal: Journal
    public let slowChecks: SlowChecks
    /// Nil: a request with EAP-Message is refused.
    public let eap: EAPService?
    public let recorder: FlightRecorder
    /// Nil: every request is answered here.
    public let proxy: ProxyService?
    public let sessions: SessionCensus
    public let unknownClients = UnknownClients()

    public init(
        settings: ServerSettings, store: SnapshotStore, journal: Journal, slowChecks: SlowChecks, eap: EAPService? = nil,
        recorder: FlightRecorder = FlightRecorder(memoryOctets: 0, workers: 1), proxy: ProxyService? = nil,
        sessions: SessionCensus = SessionCensus()
    ) {
        self.settings = settings
        self.store = store
        self.journal = journal
        self.slowChecks = slowChecks
        self.eap = eap
        self.recorder = recorder
        self.proxy = proxy
        self.sessions = sessions
    }
}
