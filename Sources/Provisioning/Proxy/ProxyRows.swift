import Database
import RadiusCore

/// Reads realms, pools and home servers. Statements run in a transaction of scope `system`.
struct ProxyRows {
    let dictionary: RadiusDictionary
    let secrets: SecretBox
    /// What could not be taken up, and why.
    private(set) var problems: [String] = []

    init(dictionary: RadiusDictionary, secrets: SecretBox) {
        self.dictionary = dictionary
        self.secrets = secrets
    }

    /// All of all tenants: there are few. Nil where there is no realm.
    mutating func plan(_ connection: Connection) throws -> ProxyPlan? {
        var servers: [HomeServer] = []
        try connection.query(Self.serverSQL) { row in
            if let server = try server(row) { servers.append(server) }
        }
        let pools = try pools(connection, servers)
        var realms: [Realm] = []
        try connection.query(Self.realmSQL) { row in
            if let realm = try realm(row, pools) { realms.append(realm) }
        }
        return realms.isEmpty && servers.isEmpty ? nil : ProxyPlan(servers: servers, realms: realms)
    }

    private static let serverSQL = """
        SELECT id, tenant_id, name, host(address), transport, auth_port, acct_port, secret, coalesce(tls_name, dns_name),
               response_milliseconds, status_server, check_seconds, zombie_seconds, answers_to_revive, revive_seconds,
               require_message_authenticator, max_outstanding, radius_versions
        FROM aaa.home_server WHERE enabled AND address IS NOT NULL ORDER BY id
        """

    private mutating func server(_ row: Row) throws -> HomeServer? {
        let name = try row.string(2)
        guard let address = IPAddress(text: try row.string(3)) else { return nil }
        // Nothing stands in for it: what was meant to be encrypted may not go in clear.
        guard let transport = HomeServer.Transport(rawValue: try row.string(4)) else {
            problems.append("home server \(name): the transport '\(try row.string(4))' is of a newer version, so it is left out")
            return nil
        }
        guard let versions = RadiusVersions(text: try row.string(17)) else {
            problems.append("home server \(name): the versions '\(try row.string(17))' are of a newer version, so it is left out")
            return nil
        }
        let secret: [UInt8]
        do { secret = try secrets.open(try row.bytes(7)) } catch {
            problems.append("home server \(name): \(error)")
            return nil
        }
        var timing = HomeServer.Timing()
        timing.responseMilliseconds = try row.int(9)
        timing.checkSeconds = try row.int(11)
        timing.zombieSeconds = try row.int(12)
        timing.answersToRevive = try row.int(13)
        timing.reviveSeconds = try row.int(14)
        return HomeServer(
            id: try row.int64(0), tenant: try row.int64(1), name: name, address: address,
            transport: transport, accessPort: UInt16(clamping: try row.int(5)),
            accountingPort: UInt16(clamping: try row.int(6)), secret: SharedSecret(secret), timing: timing,
            usesStatusServer: try row.bool(10), requiresMessageAuthenticator: try row.bool(15), outstandingLimit: try row.int(16),
            tlsName: try row.optionalString(8), versions: versions)
    }

    private mutating func pools(_ connection: Connection, _ servers: [HomeServer]) throws -> [Int64: HomeServerPool] {
        var pools: [Int64: HomeServerPool] = [:]
        try connection.query("SELECT id, tenant_id, name, choice, servers FROM aaa.home_server_pool ORDER BY id") { row in
            let (id, tenant) = (try row.int64(0), try row.int64(1))
            // One that is switched off is left out of its pools.
            let members = try row.strings(4).compactMap { name in servers.first { $0.tenant == tenant && $0.name == name } }
            pools[id] = HomeServerPool(
                id: id, tenant: tenant, name: try row.string(2), kind: HomeServerPool.Kind(rawValue: try row.string(3)) ?? .failover,
                servers: members)
        }
        return pools
    }

    private static let realmSQL = """
        SELECT id, tenant_id, name, kind, realm, priority, pool_id, accounting_pool_id, strip, unanswered, request_allow, request_remove,
               reply_allow, reply_remove, request_set, reply_set
        FROM aaa.realm WHERE enabled ORDER BY id
        """

    private mutating func realm(_ row: Row, _ pools: [Int64: HomeServerPool]) throws -> Realm? {
        let name = try row.string(2)
        var found: [String] = []
        let requests = AttributeFilter(
            allow: try row.strings(10), remove: try row.strings(11), set: try row.strings(14), dictionary: dictionary, problems: &found)
        let replies = AttributeFilter(
            allow: try row.strings(12), remove: try row.strings(13), set: try row.strings(15), dictionary: dictionary, problems: &found)
        problems += found.map { "realm \(name): \($0)" }
        let realm = Realm(
            id: try row.int64(0), tenant: try row.int64(1), name: name, kind: Realm.Kind(rawValue: try row.string(3)) ?? .suffix,
            text: try row.string(4), priority: try row.int(5), accessPool: try row.optionalInt64(6).flatMap { pools[$0] },
            accountingPool: try row.optionalInt64(7).flatMap { pools[$0] }, strips: try row.bool(8),
            rejectsUnanswered: try row.string(9) == "reject", requestFilter: requests, replyFilter: replies)
        if realm == nil { problems.append("realm \(name): '\(try row.string(4))' is no pattern, so the realm is left out") }
        return realm
    }
}
