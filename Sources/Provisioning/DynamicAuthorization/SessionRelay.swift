public import Database
public import Logging
public import RadiusCore

/// Takes CoA and Disconnect of home servers to the NAS that have the sessions (RFC 8559, RFC 5176).
///
/// A home server reaches the sessions whose log-ins it answers for, and no other: the realm that a policy rule chose for the session,
/// or else that of its User-Name, has it in its pool, and the session is of no subscriber of ours. All else is told that there is no such
/// session. A value; one task runs it.
public struct SessionRelay: Sendable {
    private let pool: Pool
    private let control: SessionControl
    private let store: SnapshotStore
    private let port: DynamicAuthorizationPort
    private let logger: Logger

    /// Sessions that one request's identification may fit before the rest of it is looked at: session ids of many NAS can be the same.
    private static let candidateLimit = 1000

    public init(pool: Pool, control: SessionControl, store: SnapshotStore, port: DynamicAuthorizationPort, logger: Logger) {
        self.pool = pool
        self.control = control
        self.store = store
        self.port = port
        self.logger = logger
    }

    /// Opens the port's door and works until the task is cancelled; each request goes its way beside the others.
    ///
    /// What is with a NAS by then ends with its answer, its silence, or the CoA client.
    public func run() async {
        let (requests, arrivals) = AsyncStream.makeStream(of: RelayedRequest.self)
        port.start { arrivals.yield($0) }
        await withDiscardingTaskGroup { group in
            for await request in requests {
                group.addTask { port.answer(request, await outcome(of: request)) }
            }
        }
    }

    private func outcome(of request: RelayedRequest) async -> RelayOutcome {
        let snapshot = store.snapshot
        guard let plan = snapshot.proxy else { return .notFound }
        var outcome = RelayOutcome.notFound
        do {
            for tenant in request.tenants {
                switch request.route(in: tenant, plan) {
                case .nowhere: break
                case .refused(let cause): outcome = .refused(cause)
                case .search(let search):
                    let found = try await sessions(search, of: request, tenant: tenant, plan)
                    guard let (session, realm) = found.first else { continue }
                    guard found.count == 1 else { return .refused(.multipleSessionSelectionUnsupported) }
                    let result = try await control.relay(request, to: session, through: realm, snapshot.dictionary, tenant: tenant)
                    return Self.told(result.outcome, request, realm, snapshot.dictionary)
                }
            }
        } catch {
            logger.warning("home server \(request.serverName(in: 0)): its \(request.kind.name) was not taken to a NAS: \(error)")
            return .refused(.resourcesUnavailable)
        }
        return outcome
    }

    /// Those of `tenant` that the request names and that are the home server's.
    private func sessions(
        _ search: RelayedRequest.Search, of request: RelayedRequest, tenant: Int64, _ plan: ProxyPlan
    ) async throws -> [(session: ControlledSession, realm: Realm)] {
        let candidates = try await pool.transaction(.tenant(tenant), readOnly: true) {
            try SessionControlStore.sessions(search, tenant: tenant, limit: Self.candidateLimit, on: $0)
        }
        return candidates.compactMap { session in
            request.realm(of: session.identity, chosen: session.forwardedRealmID, tenant: tenant, plan).map { (session, $0) }
        }
    }

    private static func told(
        _ outcome: CoAOutcome, _ request: RelayedRequest, _ realm: Realm, _ dictionary: RadiusDictionary
    ) -> RelayOutcome {
        switch outcome {
        case .ack(let attributes): .acknowledged(attributes: request.answer(attributes, through: realm, dictionary))
        case .nak(let cause): .refusedByNAS(cause.map { ErrorCause(rawValue: $0) })
        case .timeout: .unanswered
        case .refused(let refusal): .refused(cause(of: refusal))
        }
    }

    private static func cause(of refusal: CoARefusal) -> ErrorCause {
        switch refusal {
        case .queueFull, .shutDown, .connectionFull: .resourcesUnavailable
        case .transport, .unprepared, .notConnected: .requestNotRoutable
        case .connectionLost: .otherProxyProcessingError
        case .invalid(.unidentified): .requestNotRoutable
        case .invalid(.hiddenValue), .invalid(.valueTooLong), .invalid(.packetTooLong): .invalidAttributeValue
        case .invalid(.forbiddenAttribute): .unsupportedAttribute
        case .invalid(.malformedAttributes): .invalidRequest
        }
    }
}
