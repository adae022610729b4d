/// A CoA-Request or Disconnect-Request of a home server, verified, on its way to the NAS that has the session (RFC 8559 §2).
public struct RelayedRequest: Sendable {
    /// Where its answer goes, and from which of our addresses.
    struct ReturnPath: Sendable {
        let peer: IPAddress
        let port: UInt16
        let scope: UInt32
        let local: IPAddress
        let interface: UInt32
    }

    /// By what its session is looked for.
    public struct Search: Hashable, Sendable {
        /// Acct-Session-Id; nil: by the names alone.
        public let sessionID: [UInt8]?
        /// What the NAS may have called the user, realm included, in any case; empty: by the session's id alone.
        public let userNames: [[UInt8]]
        /// `aaa.nas.id`; nil: any of the tenant.
        public let nas: Int64?
    }

    /// Where the request leads in one tenant.
    public enum Route: Hashable, Sendable {
        case search(Search)
        /// No session of the tenant is the asking server's.
        case nowhere
        case refused(ErrorCause)
    }

    /// Those at its source address with whose secret it is signed; never empty.
    public let servers: [HomeServer]
    let request: DynamicAuthorizationServer.Request
    let returnPath: ReturnPath
    /// Nil: every Operator-NAS-Identifier is somebody else's.
    let identifiers: OperatorNASIdentifiers?

    public var kind: CoARequest.Kind { request.kind }

    /// Whose sessions it may be about.
    public var tenants: [Int64] {
        servers.reduce(into: []) { tenants, server in if !tenants.contains(server.tenant) { tenants.append(server.tenant) } }
    }

    /// By which of our names for it the asking server is known in `tenant`.
    public func serverName(in tenant: Int64) -> String { servers.first { $0.tenant == tenant }?.name ?? servers[0].name }

    /// Where to look for the session in `tenant`.
    public func route(in tenant: Int64, _ plan: ProxyPlan) -> Route {
        var nas: Int64?
        if case .nas(let number) = reading(in: tenant) { nas = number }
        let given = filled(AttributeNumber.userName)
        let session = filled(AttributeNumber.acctSessionID)
        guard given != nil || session != nil else { return .refused(.missingAttribute) }
        let realms = plan.realms.filter { $0.tenant == tenant && asks($0) }
        guard !realms.isEmpty else { return .nowhere }
        // A rule may have forwarded any name there, now or once, and what was stripped from such a name cannot be known.
        let isAnybody = session != nil && realms.contains(where: \.strips)
        let names = isAnybody ? [] : given.map { Self.names(of: $0, in: realms) } ?? []
        return .search(Search(sessionID: session, userNames: names, nas: nas))
    }

    /// The realm through which a session of `tenant` is the asking server's, if it is, and every attribute that names it fits.
    ///
    /// A session is the business of those who answer for its log-ins, and of nobody else; that its accounting is forwarded gives no say.
    /// `chosen` is the realm that a policy rule chose for it, and then its name has no say either.
    public func realm(of session: SessionIdentity, chosen: Int64? = nil, tenant: Int64, _ plan: ProxyPlan) -> Realm? {
        // A log-in without a name is not forwarded.
        guard let name = session.userName, !name.isEmpty,
            let (realm, forwardedName) = plan.realm(tenant: tenant, userName: name, chosen: chosen), asks(realm)
        else { return nil }
        switch reading(in: tenant) {
        case .foreign: if let own = session.operatorNAS, own != operatorNAS { return nil }
        // Another daemon like this one, nearer the NAS, makes them, too; then the session has the same octets.
        case .forged: if session.operatorNAS != operatorNAS { return nil }
        case .nas, nil: break
        }
        var identity = session
        if request.value(AttributeNumber.userName) == Array(forwardedName.utf8) { identity.userName = forwardedName }
        return request.mismatch(with: identity) == nil ? realm : nil
    }

    /// What its Operator-NAS-Identifier is in `tenant`; nil without one.
    func reading(in tenant: Int64) -> OperatorNASIdentifiers.Reading? {
        operatorNAS.map { identifiers?.read($0, tenant: tenant) ?? .foreign }
    }

    private var operatorNAS: [UInt8]? { OperatorNASIdentifiers.value(in: request.attributes.span) }

    /// Whether the asking server is one of those that answer for the log-ins of `realm`.
    private func asks(_ realm: Realm) -> Bool {
        realm.accessPool?.servers.contains { member in servers.contains { $0.id == member.id } } == true
    }

    private func filled(_ number: UInt8) -> [UInt8]? { request.value(number).flatMap { $0.isEmpty ? nil : $0 } }

    /// `given`, and what it was before one of `realms` was stripped from it.
    private static func names(of given: [UInt8], in realms: [Realm]) -> [[UInt8]] {
        realms.filter(\.strips).reduce(into: [given]) { names, realm in
            let text = Array(realm.text.utf8)
            switch realm.kind {
            case .suffix: names.append(given + [UInt8(ascii: "@")] + text)
            case .prefix: names += [text + [UInt8(ascii: "\\")] + given, text + [UInt8(ascii: "/")] + given]
            case .pattern, .null, .other, .rule: break
            }
        }
    }
}
