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

/// Addresses that sent packets and are no client, for the operator who wonders why a router gets no answer.
public final class UnknownClients: Sendable {
    private let seen = Mutex<[IPAddress: UInt64]>([:])
    /// Packets that may still be noted before the next `drain`: a flood costs one load a packet.
    private let credit = Atomic<Int>(UnknownClients.creditLimit)
    private static let creditLimit = 4096
    /// Addresses kept; later ones are only counted.
    public static let limit = 256

    public init() {}

    /// Never waits: while somebody reads, or after many since the last reading, the address is not noted.
    func note(_ address: IPAddress) {
        guard credit.load(ordering: .relaxed) > 0 else { return }
        credit.subtract(1, ordering: .relaxed)
        _ = seen.withLockIfAvailable { seen in
            if seen[address] != nil || seen.count < Self.limit { seen[address, default: 0] += 1 }
        }
    }

    /// Addresses and packets since the last call; in a flood, at least as many packets.
    public func drain() -> [IPAddress: UInt64] {
        credit.store(Self.creditLimit, ordering: .relaxed)
        return seen.withLock { seen in
            let taken = seen
            seen = [:]
            return taken
        }
    }
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
