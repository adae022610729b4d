import Synchronization

/// What a worker counts besides the reasons of `DecodeError`.
public enum ServerCounter: Int, CaseIterable, Sendable {
    case accessRequests, accessAccepts, accessRejects, accessChallenges
    case accountingRequests, accountingResponses
    case statusRequests
    case duplicates, duplicatesInWork
    case unknownClients
    case rateLimited, shed
    case parked, parkedRefused, parkedExpired
    case eapRequests, eapRefused
    /// Access-Requests that went to home servers, and those that none of them answered.
    case proxied, proxyUnanswered
    case journalRefused, heldFull, rejectsUndelayed
    case sendFailures
    /// Sockets that the kernel would not send runs of replies from, and that have sent each by itself since.
    case replyRunsRefused
    case truncatedDatagrams
    /// Log-ins that were not answered because this node had no address left for a moment.
    case addressesAwaited
    /// Log-ins let in from a station, or a line, that their subscriber is not bound to.
    case macMismatches, lineMismatches
    /// Requests over RADIUS/1.1 that were not processed, and their peers told so.
    case protocolErrors

    /// The name in metrics.
    public var name: String {
        switch self {
        case .accessRequests: "access_requests"
        case .accessAccepts: "access_accepts"
        case .accessRejects: "access_rejects"
        case .accessChallenges: "access_challenges"
        case .accountingRequests: "accounting_requests"
        case .accountingResponses: "accounting_responses"
        case .statusRequests: "status_requests"
        case .duplicates: "duplicates_answered"
        case .duplicatesInWork: "duplicates_in_work"
        case .unknownClients: "unknown_clients"
        case .rateLimited: "rate_limited"
        case .shed: "shed"
        case .parked: "slow_checks"
        case .parkedRefused: "slow_checks_refused"
        case .parkedExpired: "slow_checks_expired"
        case .eapRequests: "eap_requests"
        case .eapRefused: "eap_refused"
        case .proxied: "proxied"
        case .proxyUnanswered: "proxy_unanswered"
        case .journalRefused: "journal_refused"
        case .heldFull: "held_replies_full"
        case .rejectsUndelayed: "rejects_undelayed"
        case .sendFailures: "send_failures"
        case .replyRunsRefused: "reply_runs_refused"
        case .truncatedDatagrams: "truncated_datagrams"
        case .addressesAwaited: "addresses_awaited"
        case .macMismatches: "mac_mismatches"
        case .lineMismatches: "line_mismatches"
        case .protocolErrors: "protocol_errors"
        }
    }
}

/// One worker's counters: written by that worker alone, read by anyone.
public final class WorkerCounters: @unchecked Sendable {
    // Guard: each cell is an atomic; the memory lives as long as the object.
    private let cells: UnsafeMutablePointer<Atomic<UInt64>>
    public let latency = LatencyCells()
    private static let dropBase = ServerCounter.allCases.count
    private static let reasonBase = dropBase + DecodeError.allCases.count
    private static let size = reasonBase + Int(AccessReason.allCases.map(\.rawValue).max() ?? 0) + 1

    public init() {
        cells = .allocate(capacity: Self.size)
        for cell in 0..<Self.size { (cells + cell).initialize(to: Atomic(0)) }
    }

    deinit {
        (0..<Self.size).forEach { (cells + $0).deinitialize(count: 1) }
        cells.deallocate()
    }

    public subscript(counter: ServerCounter) -> UInt64 { cells[counter.rawValue].load(ordering: .relaxed) }
    public subscript(drop: DecodeError) -> UInt64 { cells[Self.dropBase + Int(drop.rawValue)].load(ordering: .relaxed) }
    public subscript(reason: AccessReason) -> UInt64 { cells[Self.reasonBase + Int(reason.rawValue)].load(ordering: .relaxed) }

    func add(_ counter: ServerCounter) { bump(counter.rawValue) }
    func add(_ counter: ServerCounter, _ count: UInt64) {
        let cell = counter.rawValue
        cells[cell].store(cells[cell].load(ordering: .relaxed) &+ count, ordering: .relaxed)
    }
    func add(_ drop: DecodeError) { bump(Self.dropBase + Int(drop.rawValue)) }
    func add(_ reason: AccessReason) { bump(Self.reasonBase + Int(reason.rawValue)) }

    /// One writer: a plain load and store is enough, without a locked instruction.
    private func bump(_ cell: Int) {
        cells[cell].store(cells[cell].load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }
}
