public import Database
public import RadiusCore

/// A session that an operator named is not there, or not of that tenant, or over.
public enum SessionControlError: Error, Hashable, Sendable, CustomStringConvertible {
    case sessionNotFound(Int64)

    public var description: String {
        switch self {
        case .sessionNotFound(let id): "there is no open session \(id); list the open ones with `lastmile session list`"
        }
    }
}

/// How one session's request ended.
public struct SessionControlResult: Sendable {
    public let sessionID: Int64
    /// The row of `aaa.dynamic_authorization`.
    public let requestID: Int64
    /// What was sent: a Disconnect-Request also where CoA was wished and the vendor or the attributes do not allow it.
    public let kind: CoARequest.Kind
    public let outcome: CoAOutcome
    /// What happened and what to do, as it is stored.
    public let message: String
    /// The session's row was ended here: its NAS will not do that.
    public let isClosed: Bool
}

/// How many requests ended how.
public struct SessionControlSummary: Hashable, Sendable {
    public var acks = 0
    public var naks = 0
    public var timeouts = 0
    public var refused = 0

    public var total: Int { acks + naks + timeouts + refused }

    mutating func add(_ outcome: CoAOutcome) {
        switch outcome {
        case .ack: acks += 1
        case .nak: naks += 1
        case .timeout: timeouts += 1
        case .refused: refused += 1
        }
    }
}

/// What one session is to be sent.
struct SessionControlPlan: Sendable {
    let session: ControlledSession
    let kind: CoARequest.Kind
    /// Encoded attributes of a CoA-Request.
    let change: [UInt8]
    /// Encoded attributes of either kind that are hidden for the NAS's secret: what a home server sends besides.
    var relayed: (@Sendable (SharedSecret) throws(CoARequestError) -> [UInt8])?
    /// Where its NAS was deleted, nobody will account for the session any more, and it is closed here.
    var closesWithoutNAS = false

    /// Names the session as its NAS wants it.
    func request(for secret: SharedSecret) throws(CoARequestError) -> CoARequest {
        let own = try session.request(kind, change: change)
        guard let relayed else { return own }
        return try CoARequest(kind, attributes: own.attributes + relayed(secret))
    }
}

/// Ends running sessions and brings them to what the policy says now (RFC 5176).
///
/// Every request is recorded before it leaves and when it ends. A NAS that answers 503, session context not found, proves the
/// session dead: it is closed; not so what answers on a connection from a network of NAS, which may be a neighbour. Silence proves
/// nothing: the session stays as it is. One whose NAS was deleted is closed by `disconnect`. A value; any task may use it.
public struct SessionControl: Sendable {
    /// What the policy engine says to a running session: encoded attributes of a CoA-Request. Nil or empty when no CoA-Request can
    /// bring the session there, such as when the subscriber may not be online any more: then it is disconnected.
    public typealias AttributeProvider = @Sendable (_ tenant: Int64, _ session: ControlledSession) -> [UInt8]?

    private let pool: Pool
    private let client: CoAClient
    private let connections: ReverseCoA?
    private let open: @Sendable ([UInt8]) throws -> [UInt8]
    private let attributes: AttributeProvider
    private let limits: AttributeProvider
    private let defaultPort: UInt16
    private let concurrency: Int

    /// - Parameters:
    ///   - pool: of the database.
    ///   - client: sends and repeats.
    ///   - connections: of NAS that take requests there; nil: there are none.
    ///   - open: opens a sealed secret of a NAS.
    ///   - attributes: what a running session is told.
    ///   - limits: what it is told when nothing changed but what is left of a quota; nil for nothing.
    ///   - defaultPort: where a NAS takes requests when its record names no port (RFC 5176 §2.1).
    ///   - concurrency: sessions that `applyProfileChange` has in hand at once, 1...1024.
    public init(
        pool: Pool, client: CoAClient, connections: ReverseCoA? = nil, open: @escaping @Sendable ([UInt8]) throws -> [UInt8],
        attributes: @escaping AttributeProvider, limits: @escaping AttributeProvider = { _, _ in nil }, defaultPort: UInt16 = 3799,
        concurrency: Int = 64
    ) {
        self.pool = pool
        self.client = client
        self.connections = connections
        self.open = open
        self.attributes = attributes
        self.limits = limits
        self.defaultPort = defaultPort
        self.concurrency = max(1, min(1024, concurrency))
    }

    /// Asks the NAS to end the session. The session's row is closed by the NAS's own Accounting-Stop; here where the NAS was deleted.
    ///
    /// Errors: `SessionControlError`, `DatabaseError`. How the NAS took it is in the result.
    public func disconnect(tenant: Int64, session: Int64, by actor: String) async throws -> SessionControlResult {
        let found = try await find(session, tenant: tenant)
        let plan = SessionControlPlan(session: found, kind: .disconnect, change: [], closesWithoutNAS: true)
        return try await carryOut(plan, tenant: tenant, by: actor)
    }

    /// Brings the session to what the policy says now: rate, filters, timeouts.
    ///
    /// A Disconnect-Request, so that the subscriber logs in anew, where the vendor changes no running session.
    /// Errors: `SessionControlError`, `DatabaseError`. How the NAS took it is in the result.
    public func reauthorize(tenant: Int64, session: Int64, by actor: String) async throws -> SessionControlResult {
        let found = try await find(session, tenant: tenant)
        return try await carryOut(plan(found, tenant), tenant: tenant, by: actor)
    }

    /// Tells the session's NAS what is left of the subscriber's quota, and nothing else.
    ///
    /// Nil, and nothing is sent, where the NAS takes no such thing while a session runs: the session goes on with what its log-in brought.
    /// The same where the subscriber may not be online any more: what decided so ends the session.
    /// Errors: `SessionControlError`, `DatabaseError`. How the NAS took it is in the result.
    public func renewLimit(tenant: Int64, session: Int64, by actor: String) async throws -> SessionControlResult? {
        let found = try await find(session, tenant: tenant)
        guard let limit = limits(tenant, found) else { return nil }
        return try await carryOut(SessionControlPlan(session: found, kind: .coa, change: limit), tenant: tenant, by: actor)
    }

    /// Asks the NAS for what a home server asks for; `realm` says what crosses.
    ///
    /// Errors: `DatabaseError`. How the NAS took it is in the result.
    func relay(
        _ request: RelayedRequest, to session: ControlledSession, through realm: Realm, _ dictionary: RadiusDictionary, tenant: Int64
    ) async throws -> SessionControlResult {
        let plan = SessionControlPlan(session: session, kind: request.kind, change: []) { secret throws(CoARequestError) in
            try request.attributes(through: realm, dictionary, to: secret)
        }
        return try await carryOut(plan, tenant: tenant, by: "home server " + request.serverName(in: tenant))
    }

    /// Reauthorizes all open sessions of a profile, some at a time.
    ///
    /// - Parameters:
    ///   - tenant: owner of the profile.
    ///   - profile: whose sessions.
    ///   - actor: for the record: a user's name, or the daemon's part that asks.
    ///   - each: hears of every session as it ends, for a progress display.
    /// - Returns: how many ended how.
    /// - Throws: `DatabaseError`; `CancellationError` between two chunks, when what was begun is finished.
    public func applyProfileChange(
        tenant: Int64, profile: Int64, by actor: String, each: @Sendable (SessionControlResult) async -> Void = { _ in }
    ) async throws -> SessionControlSummary {
        var summary = SessionControlSummary()
        var last: Int64 = 0
        while true {
            try Task.checkCancellation()
            let start = last
            let chunk = try await pool.transaction(.tenant(tenant), readOnly: true) {
                try SessionControlStore.sessions(ofProfile: profile, tenant: tenant, after: start, limit: Self.chunkSize, on: $0)
            }
            guard let end = chunk.last?.id else { return summary }
            last = end
            let plans = chunk.map { plan($0, tenant) }
            try await run(plans, tenant: tenant, by: actor) { result in
                summary.add(result.outcome)
                await each(result)
            }
        }
    }

    private static let chunkSize = 500

    private func plan(_ session: ControlledSession, _ tenant: Int64) -> SessionControlPlan {
        guard VendorRates.canChangeByCoA(session.vendor), let change = attributes(tenant, session), !change.isEmpty else {
            return SessionControlPlan(session: session, kind: .disconnect, change: [])
        }
        return SessionControlPlan(session: session, kind: .coa, change: change)
    }

    private func find(_ id: Int64, tenant: Int64) async throws -> ControlledSession {
        let found = try await pool.transaction(.tenant(tenant), readOnly: true) {
            try SessionControlStore.session(id, tenant: tenant, on: $0)
        }
        guard let found else { throw SessionControlError.sessionNotFound(id) }
        return found
    }

    private func carryOut(_ plan: SessionControlPlan, tenant: Int64, by actor: String) async throws -> SessionControlResult {
        let requests = try await begin([plan], tenant: tenant, by: actor)
        guard let request = requests[plan.session.id] else { throw SessionControlError.sessionNotFound(plan.session.id) }
        return try await execute(plan, request: request, tenant: tenant)
    }

    /// Records and runs `plans`, at most `concurrency` at once.
    private func run(
        _ plans: [SessionControlPlan], tenant: Int64, by actor: String, each: (SessionControlResult) async -> Void
    ) async throws {
        let requests = try await begin(plans, tenant: tenant, by: actor)
        try await withThrowingTaskGroup(of: SessionControlResult.self) { group in
            var waiting = plans.makeIterator()
            func startNext() {
                guard let plan = waiting.next(), let request = requests[plan.session.id] else { return }
                group.addTask { try await execute(plan, request: request, tenant: tenant) }
            }
            for _ in 0..<concurrency { startNext() }
            while let result = try await group.next() {
                await each(result)
                startNext()
            }
        }
    }

    private func begin(_ plans: [SessionControlPlan], tenant: Int64, by actor: String) async throws -> [Int64: Int64] {
        try await pool.transaction(.tenant(tenant)) { try SessionControlStore.begin(plans, tenant: tenant, by: actor, on: $0) }
    }

    private func execute(_ plan: SessionControlPlan, request id: Int64, tenant: Int64) async throws -> SessionControlResult {
        var outcome: CoAOutcome
        var message: String
        var closing: SessionCloser.Reason?
        do {
            outcome = try await send(plan)
            message = plan.session.usesConnection ? outcome.messageOfConnection : outcome.message
        } catch {
            outcome = .refused(error.refusal)
            message = error.message
            if case .nasDeleted = error {
                if plan.closesWithoutNAS { closing = .operatorRequest } else { message += " `lastmile session disconnect` closes it here." }
            }
        }
        // Where another gateway of the network has the address now, it speaks of its own sessions.
        let isProof = !(plan.session.usesConnection && plan.session.isOfNetwork)
        if isProof, outcome == .nak(errorCause: ErrorCause.sessionContextNotFound.rawValue) { closing = .contextNotFound }
        if closing != nil { message += " The session was closed here." }
        let (ended, words, reason) = (outcome, message, closing)
        // The outcome is stored even when whoever asked has gone meanwhile.
        try await Task {
            try await pool.transaction(.tenant(tenant)) { connection in
                if let reason { _ = try SessionCloser.close(plan.session.id, reason: reason, on: connection) }
                try SessionControlStore.finish(id, ended, message: words, tenant: tenant, on: connection)
            }
        }.value
        return SessionControlResult(
            sessionID: plan.session.id, requestID: id, kind: plan.kind, outcome: outcome, message: message, isClosed: closing != nil)
    }

    private func send(_ plan: SessionControlPlan) async throws(SessionControlRefusal) -> CoAOutcome {
        let session = plan.session
        if session.usesConnection { return try await sendOverConnection(plan) }
        guard session.sealedSecret != nil else { throw .nasDeleted }
        guard let address = session.address else { throw .addressUnknown }
        let peer = CoAPeer(
            address: address, port: session.port ?? defaultPort, secret: try secret(of: session),
            sendsMessageAuthenticator: session.sendsMessageAuthenticator)
        let request = try Self.request(plan, peer.secret)
        return await client.send(request, to: peer)
    }

    /// Sends over the newest connection of the NAS to this node; without one it does not wait for another.
    private func sendOverConnection(_ plan: SessionControlPlan) async throws(SessionControlRefusal) -> CoAOutcome {
        let session = plan.session
        guard let connections else { throw .hasNoConnections }
        if session.isOfNetwork, session.source == nil { throw .sourceUnknown }
        let source = session.isOfNetwork ? session.source : nil
        guard let connection = connections.connection(of: session.nasID, from: source) else { return .refused(.notConnected) }
        let request = try Self.request(plan, connection.secret)
        return await connections.send(request, over: connection, signed: session.sendsMessageAuthenticator)
    }

    private func secret(of session: ControlledSession) throws(SessionControlRefusal) -> SharedSecret {
        guard let sealed = session.sealedSecret else { throw .nasDeleted }
        do { return SharedSecret(try open(sealed)) } catch { throw .secretClosed("\(error)") }
    }

    private static func request(_ plan: SessionControlPlan, _ secret: SharedSecret) throws(SessionControlRefusal) -> CoARequest {
        do { return try plan.request(for: secret) } catch { throw .request(error) }
    }
}

extension SessionControlRefusal {
    /// As `CoAOutcome` has it.
    fileprivate var refusal: CoARefusal {
        switch self {
        case .request(let error): .invalid(error)
        case .hasNoConnections, .sourceUnknown: .notConnected
        case .nasDeleted, .addressUnknown, .secretClosed: .unprepared
        }
    }
}
