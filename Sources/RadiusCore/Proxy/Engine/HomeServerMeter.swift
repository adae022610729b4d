import Synchronization

/// What is counted of each home server.
public enum HomeServerCounter: Int, CaseIterable, Sendable {
    case accessRequests, accountingRequests, repetitions
    case accepts, rejects, challenges, accountingResponses
    /// Requests that found no answer in time.
    case timeouts
    /// Replies dropped: from another address or port than was asked, with a digest that does not verify, without the
    /// Message-Authenticator that they must have, malformed, or to nothing that is waited for (mostly too late).
    case wrongSource, badAuthenticator, messageAuthenticatorMissing, malformed, unmatched
    /// Replies without our Proxy-State behind the others, or with a refusal to process (Protocol-Error).
    case proxyStateMissing, protocolErrors
    case statusServers, statusAnswers
    /// The system refused to send, or a connection failed.
    case sendFailures, connectionFailures
    /// Datagrams of DTLS dropped: damaged, repeated, or of another association.
    case noRecord
    /// Of CoA and Disconnect that it asks of us: requests, their repetitions, and what came of them. The last two are requests for
    /// sessions that are not there or not its own, and requests that were not taken to a NAS for another reason.
    case coaRequests, disconnectRequests, coaRepetitions, coaACKs, coaNAKs, coaTimeouts, coaNotFound, coaRefused
    /// Dropped: a digest that does not verify, without the Message-Authenticator that it must have, an Event-Timestamp that is off by more
    /// than five minutes, or malformed.
    case coaBadAuthenticator, coaMessageAuthenticatorMissing, coaStale, coaMalformed

    /// The name in metrics.
    public var name: String {
        switch self {
        case .accessRequests: "access_requests"
        case .accountingRequests: "accounting_requests"
        case .repetitions: "repetitions"
        case .accepts: "access_accepts"
        case .rejects: "access_rejects"
        case .challenges: "access_challenges"
        case .accountingResponses: "accounting_responses"
        case .timeouts: "timeouts"
        case .wrongSource: "dropped_wrong_source"
        case .badAuthenticator: "dropped_bad_authenticator"
        case .messageAuthenticatorMissing: "dropped_no_message_authenticator"
        case .malformed: "dropped_malformed"
        case .unmatched: "dropped_unmatched"
        case .proxyStateMissing: "proxy_state_missing"
        case .protocolErrors: "protocol_errors"
        case .statusServers: "status_servers"
        case .statusAnswers: "status_answers"
        case .sendFailures: "send_failures"
        case .connectionFailures: "connection_failures"
        case .noRecord: "dropped_no_record"
        default: reversePathName
        }
    }

    /// The name in metrics of what goes from the home server to a NAS.
    private var reversePathName: String {
        switch self {
        case .coaRequests: "coa_requests"
        case .disconnectRequests: "disconnect_requests"
        case .coaRepetitions: "coa_repetitions"
        case .coaACKs: "coa_acks"
        case .coaNAKs: "coa_naks"
        case .coaTimeouts: "coa_timeouts"
        case .coaNotFound: "coa_not_found"
        case .coaRefused: "coa_refused"
        case .coaBadAuthenticator: "coa_dropped_bad_authenticator"
        case .coaMessageAuthenticatorMissing: "coa_dropped_no_message_authenticator"
        case .coaStale: "coa_dropped_stale"
        default: "coa_dropped_malformed"
        }
    }

    /// Replies that were dropped; the last came too late, most likely.
    public static let droppedReplies: [HomeServerCounter] = [
        .messageAuthenticatorMissing, .badAuthenticator, .wrongSource, .malformed, .noRecord, .unmatched,
    ]

    /// CoA and Disconnect that were taken up, and those that were dropped.
    public static let dynamicAuthorizations: [HomeServerCounter] = [.coaRequests, .disconnectRequests]
    public static let droppedDynamicAuthorizations: [HomeServerCounter] = [
        .coaBadAuthenticator, .coaMessageAuthenticatorMissing, .coaStale, .coaMalformed,
    ]
}

/// Counts and state of one home server: written by the proxy's thread, read by anyone.
public final class HomeServerMeter: @unchecked Sendable {
    // Guard: each cell is an atomic, and its memory lives as long as the object; the rest are atomics and a mutex.
    private let cells: UnsafeMutablePointer<Atomic<UInt64>>
    private let stateNumber = Atomic<UInt8>(0)
    private let latency = Atomic<UInt64>(0)
    private let waiting = Atomic<Int>(0)
    private let failure = Mutex<String?>(nil)
    private let versionNumber = Atomic<UInt8>(0)

    init() {
        cells = .allocate(capacity: HomeServerCounter.allCases.count)
        for cell in HomeServerCounter.allCases.indices { (cells + cell).initialize(to: Atomic(0)) }
    }

    deinit {
        HomeServerCounter.allCases.indices.forEach { (cells + $0).deinitialize(count: 1) }
        cells.deallocate()
    }

    public subscript(counter: HomeServerCounter) -> UInt64 { cells[counter.rawValue].load(ordering: .relaxed) }
    public var state: HomeServerLiveness.State { HomeServerLiveness.State(rawValue: stateNumber.load(ordering: .relaxed)) ?? .alive }
    /// Smoothed time to a reply; 0 before the first.
    public var latencyMicroseconds: UInt64 { latency.load(ordering: .relaxed) }
    /// Requests that wait for replies.
    public var outstanding: Int { waiting.load(ordering: .relaxed) }
    /// What its connection speaks; nil without a connection, as over UDP.
    public var version: RadiusVersions? {
        let number = versionNumber.load(ordering: .relaxed)
        return number == 0 ? nil : RadiusVersions(rawValue: number)
    }

    /// Why most replies were dropped, those aside that came too late, unless there are no others; nil without any.
    public var mostDropped: HomeServerCounter? {
        let told = HomeServerCounter.droppedReplies.dropLast().filter { self[$0] > 0 }
        return told.max { self[$0] < self[$1] } ?? (self[.unmatched] > 0 ? .unmatched : nil)
    }

    /// Why there is no connection, a sentence without its full stop; nil while there is one, and over UDP.
    public var connectionFailure: String? { failure.withLock { $0 } }

    func add(_ counter: HomeServerCounter) { cells[counter.rawValue].add(1, ordering: .relaxed) }

    func add(_ counter: HomeServerCounter, _ count: Int) {
        if count > 0 { cells[counter.rawValue].add(UInt64(count), ordering: .relaxed) }
    }

    func setConnectionFailure(_ reason: String?) { failure.withLock { $0 = reason } }

    func set(_ state: HomeServerLiveness.State, latencyMicroseconds: UInt64, outstanding: Int, _ version: RadiusVersions?) {
        stateNumber.store(state.rawValue, ordering: .relaxed)
        latency.store(latencyMicroseconds, ordering: .relaxed)
        waiting.store(outstanding, ordering: .relaxed)
        versionNumber.store(version?.rawValue ?? 0, ordering: .relaxed)
    }
}

extension HomeServerReply.Refusal {
    var counter: HomeServerCounter {
        switch self {
        case .malformed: .malformed
        case .badAuthenticator: .badAuthenticator
        case .messageAuthenticatorMissing: .messageAuthenticatorMissing
        }
    }
}
