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
    /// When they were, in microseconds since 1970.
    var countedAt = Int64.min

    init(
        id: Int64, tenant: Int64, name: String, _ source: Source, _ dictionary: RadiusDictionary, zones: String
    ) throws(LoginCondition.Fault) {
        self.id = id
        self.tenant = tenant
        self.source = source
        var zone = ZoneOffsets.utc
        var problem: String?
        do { zone = try ZoneOffsets.load(source.zone, directory: zones) } catch { problem = "the hook \(name) goes by UTC: \(error)" }
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

    /// The hooks in force of all tenants, and what is wrong with them. Those of `known` that are whole and that nobody edited are not
    /// compiled again. In a transaction of scope `system`.
    static func inForce(
        _ connection: Connection, _ dictionary: RadiusDictionary, known: [PostAuthHook], zones: String = ZoneOffsets.directory
    ) throws -> (hooks: [PostAuthHook], problems: [String]) {
        let before = Dictionary(uniqueKeysWithValues: known.map { ($0.id, $0) })
        var hooks: [PostAuthHook] = []
        var problems: [String] = []
        try connection.query(sql) { row in
            let (id, tenant, name) = (try row.int64(0), try row.int64(1), try row.string(2))
            let (outcome, waiting) = (Outcome(rawValue: try row.string(3)), try row.int64(6))
            let countedAt = try row.int64(7)
            let source = Source(condition: try row.string(4), zone: try row.string(5))
            var hook: PostAuthHook
            if let same = before[id], same.source == source, same.problem == nil {
                hook = same
            } else {
                do { hook = try PostAuthHook(id: id, tenant: tenant, name: name, source, dictionary, zones: zones) } catch {
                    return problems.append("the hook \(name) is told of nothing: \(error)")
                }
            }
            hook.outcome = outcome ?? .both
            // While nobody counts, what this node adds is all that is known.
            if hook.countedAt != countedAt { (hook.waiting, hook.countedAt) = (waiting, countedAt) }
            if let problem = hook.problem { problems.append(problem) }
            hooks.append(hook)
        }
        return (hooks, problems)
    }

    private static let sql = """
        -- hooks.in_force
        SELECT h.id, h.tenant_id, h.name, h.outcome, h.condition, o.time_zone, p.waiting_events,
            (extract(epoch FROM p.counted_at) * 1000000)::bigint
        FROM aaa.post_auth_hook h JOIN tenancy.tenant o ON o.id = h.tenant_id JOIN aaa.post_auth_progress p ON p.hook_id = h.id
        WHERE h.enabled ORDER BY h.id
        """
}
