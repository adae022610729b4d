import Database
import RadiusCore

/// Who is told of which logins.
struct PostAuthHook: Sendable {
    /// Which answers: the words of `aaa.post_auth_hook.outcome`.
    enum Outcome: String, Sendable {
        case accept, reject, both
    }

    /// What its condition is made of: both may be edited.
    struct Source: Equatable, Sendable {
        let condition: String
        /// Of the tenant.
        let zone: String
    }

    let id: Int64
    let tenant: Int64
    let source: Source
    let condition: LoginCondition
    /// Why its hours go by UTC; nil when they go by the tenant's zone.
    let problem: String?
    var outcome = Outcome.both
    /// Events that it is still to be told; it grows with what is added since they were counted.
    var waiting: Int64 = 0

    init(id: Int64, tenant: Int64, name: String, _ source: Source, _ dictionary: RadiusDictionary) throws(LoginCondition.Fault) {
        self.id = id
        self.tenant = tenant
        self.source = source
        var zone = ZoneOffsets.utc
        var problem: String?
        do { zone = try ZoneOffsets.load(source.zone) } catch { problem = "the hook \(name) goes by UTC: \(error)" }
        self.problem = problem
        condition = try LoginCondition(source.condition, dictionary: dictionary, zone: zone)
    }

    /// Whether it is to be told of a login.
    func wants(_ login: AuthEventRing.Entry, in snapshot: Snapshot) -> Bool {
        guard login.event.tenant == tenant else { return false }
        switch (login.event.outcome, outcome) {
        case (.accept, .accept), (.accept, .both), (.reject, .reject), (.reject, .both): return condition.holds(for: login, in: snapshot)
        default: return false
        }
    }

    /// The hooks in force of all tenants, and what is wrong with them; what waits for each is counted up to `limit`. Those of `known` that
    /// nobody edited are not compiled again. In a transaction of scope `system`.
    static func inForce(
        _ connection: Connection, _ dictionary: RadiusDictionary, known: [PostAuthHook], countingTo limit: Int64
    ) throws -> (hooks: [PostAuthHook], problems: [String]) {
        let before = Dictionary(uniqueKeysWithValues: known.map { ($0.id, $0) })
        var hooks: [PostAuthHook] = []
        var problems: [String] = []
        try connection.query(sql, [.int(limit)]) { row in
            let (id, tenant, name) = (try row.int64(0), try row.int64(1), try row.string(2))
            let (outcome, waiting) = (Outcome(rawValue: try row.string(3)), try row.int64(6))
            let source = Source(condition: try row.string(4), zone: try row.string(5))
            var hook: PostAuthHook
            if let same = before[id], same.source == source {
                hook = same
            } else {
                do { hook = try PostAuthHook(id: id, tenant: tenant, name: name, source, dictionary) } catch {
                    return problems.append("the hook \(name) is told of nothing: \(error)")
                }
            }
            (hook.outcome, hook.waiting) = (outcome ?? .both, waiting)
            if let problem = hook.problem { problems.append(problem) }
            hooks.append(hook)
        }
        return (hooks, problems)
    }

    private static let sql = """
        -- hooks.in_force
        SELECT h.id, h.tenant_id, h.name, h.outcome, h.condition, o.time_zone,
            (SELECT count(*) FROM (SELECT FROM aaa.post_auth_event e WHERE e.hook_id = h.id LIMIT $1) w)
        FROM aaa.post_auth_hook h JOIN tenancy.tenant o ON o.id = h.tenant_id WHERE h.enabled ORDER BY h.id
        """
}
