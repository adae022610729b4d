import Database

extension Resource {
    /// A speed and session plan.
    static let profile = Resource(
        "profile", in: "aaa", table: "aaa.profile", summary: "What subscribers of a plan are answered: rates, timeouts, attributes",
        nameField: "name",
        fields: [
            .text("name", .required, .unique, .searchable, .octets(1...64)),
            .rate("download", .initial(0), .range(0...10_000_000_000_000), .summary("To the subscriber; 0: no limit")),
            .rate("upload", .initial(0), .range(0...10_000_000_000_000), .summary("From the subscriber; 0: no limit")),
            .rate("download_burst", .range(1...10_000_000_000_000)),
            .rate("upload_burst", .range(1...10_000_000_000_000)),
            .integer("burst_seconds", .range(1...3600)),
            .integer("priority", .range(1...8)),
            .text("download_policy", .octets(1...200), .summary("Name of a policy that the NAS holds")),
            .text("upload_policy", .octets(1...200), .summary("Name of a policy that the NAS holds")),
            .integer("session_timeout", .range(1...2_147_483_647), .summary("Seconds")),
            .integer("idle_timeout", .range(1...2_147_483_647), .summary("Seconds")),
            .integer("interim_interval", .range(60...86400), .summary("Seconds between interim accounting records")),
            .reference("pool", to: "address_pool", .summary("Framed-IP-Address of subscribers without one of their own")),
            .reference("pool6", to: "address_pool", .summary("The same for Framed-IPv6-Prefix")),
            .reference("delegated_pool", to: "address_pool", .summary("The same for Delegated-IPv6-Prefix")),
            .integer("session_limit", .range(1...64), .summary("Places that a subscriber may be online from at once")),
            .choice("on_session_limit", ["reject", "replace"], .initial("reject"), .summary("One more is refused, or ends the oldest")),
            .reference("quota", to: "quota", .summary("What its subscribers may use who have none of their own")),
            .textList("filters", .initial([]), .octets(1...253), .summary("Filter-Id, in order")),
            .attributes("attributes", .initial([]), .summary("Further reply attributes, in order")),
            .timestamp("created_at", .required, .readOnly),
            .timestamp("updated_at", .required, .readOnly),
        ],
        list: ["name", "download", "upload", "session_timeout"],
        actions: [
            Action("apply", summary: "Gives all live sessions of this profile its current rates") { exchange, subject in
                .json(try await SessionActions.apply(exchange, subject.id))
            }
        ],
        rules: Rules(verify: { _, connection, id in try PoolReferences.faults(connection, id) }, apply: SessionActions.apply))
}

/// The pools that a profile names are of the kinds that it names them for.
enum PoolReferences {
    static func faults(_ connection: Connection, _ profile: Int64) throws -> [Problem.Fault] {
        var faults: [Problem.Fault] = []
        try connection.query(
            """
            SELECT n.member, n.kind, q.name, q.kind FROM aaa.profile p
            CROSS JOIN LATERAL (VALUES ('pool', p.pool_id, 'ipv4'), ('pool6', p.pool6_id, 'ipv6-prefix'),
                ('delegated_pool', p.delegated_pool_id, 'delegated-prefix')) n(member, pool, kind)
            JOIN aaa.address_pool q ON q.id = n.pool AND q.kind <> n.kind
            WHERE p.id = $1
            """, [.int(profile)]
        ) { row in
            let (member, kind, name, actual) = (try row.string(0), try row.string(1), try row.string(2), try row.string(3))
            faults.append(.member(member, "kind", "“\(name)” is a pool of the kind \(actual); one of \(kind) is expected here"))
        }
        return faults
    }
}
