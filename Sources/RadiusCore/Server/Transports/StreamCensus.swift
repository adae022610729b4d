internal import Synchronization

/// Who is connected, and what happened to connections: shared by all threads that serve them. What changes with each connection stands
/// behind a lock, what changes with each packet in atomics.
public final class StreamCensus: Sendable {
    /// A refusal for the log.
    public struct Refusal: Sendable, Equatable {
        public let address: IPAddress
        public let transport: StreamTransport
        /// The NAS, when its address is one's.
        public let client: String?
        /// The word in metrics.
        public let reason: String
        public let sentence: String
        /// How often since the last `drain`.
        public var count = 1
    }

    /// Connections of a client.
    public struct Presence: Sendable, Hashable {
        public let client: Int64
        public let transport: StreamTransport
    }

    /// What is there now, and what was since the start.
    public struct Statistics: Sendable, Equatable {
        public var open: [Presence: Int] = [:]
        public var handshaking = 0
        /// By transport.
        public var accepted: [StreamTransport: UInt64] = [:]
        public var handshakes: UInt64 = 0
        /// Of them, by what was agreed on; nil: the peer knows no ALPN, and speaks RADIUS/1.0.
        public var versions: [RadiusVersions?: UInt64] = [:]
        /// By reason.
        public var refused: [StreamTransport: [String: UInt64]] = [:]
        /// Of connections that ended without a fault.
        public var closed: [StreamTransport: [String: UInt64]] = [:]
        /// Octets of TCP and UDP, TLS' own included.
        public var received: [StreamTransport: UInt64] = [:]
        public var sent: [StreamTransport: UInt64] = [:]
        /// Replies whose connection had gone.
        public var undeliverable: UInt64 = 0
        /// Datagrams that came to a port of DTLS and did nothing.
        public var dropped: [DTLSDrop: UInt64] = [:]
        /// ClientHellos of DTLS whose senders were asked for a cookie.
        public var helloVerifyRequests: UInt64 = 0
    }

    private struct State {
        var statistics = Statistics()
        var total = 0
        /// By client, all transports.
        var ofClient: [Int64: Int] = [:]
        var handshakesOfClient: [Int64: Int] = [:]
        /// Clients that have their quarter of handshakes, and the threads that had to refuse one more, until one of them ends.
        var crowded: [Int64: Set<Int>] = [:]
        var refusals: [String: Refusal] = [:]
    }

    /// Different refusals that are kept for the log; more are only counted.
    private static let refusalLimit = 256
    private let settings: StreamSettings
    private let state = Mutex(State())
    private let tcpOctets = StreamOctets()
    private let tlsOctets = StreamOctets()
    private let dtlsOctets = StreamOctets()
    let datagrams = DTLSCounts()
    private let undeliverable = Atomic<UInt64>(0)

    init(_ settings: StreamSettings) { self.settings = settings }

    public var statistics: Statistics {
        var statistics = state.withLock { $0.statistics }
        for transport in StreamTransport.allCases {
            statistics.received[transport] = octets(transport).received.load(ordering: .relaxed)
            statistics.sent[transport] = octets(transport).sent.load(ordering: .relaxed)
        }
        statistics.undeliverable = undeliverable.load(ordering: .relaxed)
        for drop in DTLSDrop.allCases { statistics.dropped[drop] = datagrams[drop] }
        statistics.helloVerifyRequests = datagrams.helloVerifyRequests
        return statistics
    }

    /// The refusals since the last call.
    public func drainRefusals() -> [Refusal] {
        state.withLock { state in
            let taken = state.refusals
            state.refusals = [:]
            return Array(taken.values)
        }
    }

    func countReceived(_ octets: Int, _ transport: StreamTransport) {
        self.octets(transport).received.add(UInt64(octets), ordering: .relaxed)
    }

    func countSent(_ octets: Int, _ transport: StreamTransport) {
        self.octets(transport).sent.add(UInt64(octets), ordering: .relaxed)
    }

    func countUndeliverable(_ replies: Int) { undeliverable.add(UInt64(replies), ordering: .relaxed) }

    func countAccepted(_ transport: StreamTransport) { state.withLock { $0.statistics.accepted[transport, default: 0] += 1 } }

    /// Takes one more connection of `client` in, unless a bound is reached; `leave` then goes with it.
    func enter(_ client: Int64, _ transport: StreamTransport) -> StreamRefusal? {
        state.withLock { state in
            guard state.total < settings.connections else { return .tooManyConnections }
            guard state.ofClient[client, default: 0] < settings.connectionsPerClient else { return .tooManyOfClient }
            if transport.isProtected {
                guard state.handshakesOfClient[client, default: 0] < max(1, settings.handshakes / 4) else { return .tooManyHandshakes }
                state.handshakesOfClient[client, default: 0] += 1
                state.statistics.handshaking += 1
            } else {
                state.statistics.open[Presence(client: client, transport: transport), default: 0] += 1
            }
            state.total += 1
            state.ofClient[client, default: 0] += 1
            return nil
        }
    }

    /// A handshake of `client` found no place, and `thread` had none of its own that could give way to it.
    func askForPlace(for client: Int64, by thread: Int) {
        state.withLock { state in
            if state.handshakesOfClient[client] != nil { state.crowded[client, default: []].insert(thread) }
        }
    }

    /// Clients to whose new handshakes one that `thread` has should give way, as others have none that could.
    func crowded(for thread: Int) -> [Int64] {
        state.withLock { state in state.crowded.filter { !$0.value.subtracting([thread]).isEmpty }.map(\.key) }
    }

    /// A connection's handshake has ended well, with that version of RADIUS.
    func establish(_ client: Int64, _ transport: StreamTransport, _ version: RadiusVersions?) {
        state.withLock { state in
            Self.endHandshake(client, &state)
            state.statistics.handshakes += 1
            state.statistics.versions[version, default: 0] += 1
            state.statistics.open[Presence(client: client, transport: transport), default: 0] += 1
        }
    }

    func leave(_ client: Int64, _ transport: StreamTransport, wasHandshaking: Bool) {
        state.withLock { state in
            state.total -= 1
            Self.decrease(&state.ofClient[client])
            if wasHandshaking {
                Self.endHandshake(client, &state)
            } else {
                Self.decrease(&state.statistics.open[Presence(client: client, transport: transport)])
            }
        }
    }

    func countClosed(_ transport: StreamTransport, _ end: StreamEnd) {
        state.withLock { $0.statistics.closed[transport, default: [:]][end.rawValue, default: 0] += 1 }
    }

    func refuse(_ refusal: StreamRefusal, _ address: IPAddress, _ transport: StreamTransport, client: String?) {
        let word = refusal.word
        state.withLock { state in
            state.statistics.refused[transport, default: [:]][word, default: 0] += 1
            let key = "\(address.text) \(transport.name) \(word)"
            if state.refusals[key] != nil {
                state.refusals[key]?.count += 1
            } else if state.refusals.count < Self.refusalLimit {
                state.refusals[key] = Refusal(
                    address: address, transport: transport, client: client, reason: word, sentence: refusal.sentence)
            }
        }
    }

    private func octets(_ transport: StreamTransport) -> StreamOctets {
        switch transport {
        case .tcp: tcpOctets
        case .tls: tlsOctets
        case .dtls: dtlsOctets
        }
    }

    private static func endHandshake(_ client: Int64, _ state: inout State) {
        decrease(&state.handshakesOfClient[client])
        state.crowded[client] = nil
        state.statistics.handshaking -= 1
    }

    /// One less; none is nil, so that a table holds only who is there.
    private static func decrease(_ count: inout Int?) {
        guard let before = count else { return }
        count = before > 1 ? before - 1 : nil
    }
}

/// Octets of one transport.
private final class StreamOctets: Sendable {
    let received = Atomic<UInt64>(0)
    let sent = Atomic<UInt64>(0)
}
