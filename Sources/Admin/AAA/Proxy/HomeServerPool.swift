import Database

extension Resource {
    /// Home servers that stand for each other.
    static let homeServerPool = Resource(
        "home_server_pool", in: "aaa", table: "aaa.home_server_pool", summary: "Home servers that stand for each other",
        nameField: "name",
        fields: [
            .text("name", .required, .unique, .searchable, .octets(1...64)),
            .choice(
                "choice", ["failover", "balance", "keyed"], .initial("failover"),
                .summary("The first that lives; the one that will answer first; the same one for the same station")),
            .textList("servers", .required, .octets(1...64), .summary("Names of home servers, in the order of preference")),
            .text("notes", .initial(""), .lines, .searchable, .octets(0...10_000)),
            .timestamp("created_at", .required, .readOnly),
            .timestamp("updated_at", .required, .readOnly),
        ],
        list: ["name", "choice", "servers"],
        rules: Rules(
            check: { _, members, _ in
                guard let names = members.first(where: { $0.name == "servers" })?.value.elements else { return [] }
                if names.isEmpty { return [.member("servers", "range", "a pool needs at least one home server")] }
                if names.count > 32 { return [.member("servers", "range", "a pool holds at most 32 home servers")] }
                let texts = names.compactMap(\.text)
                return Set(texts).count == texts.count ? [] : [.member("servers", "unique", "a home server is named twice")]
            },
            verify: { _, connection, id in
                try connection.queryAll(
                    """
                    SELECT n FROM aaa.home_server_pool p, unnest(p.servers) n
                    WHERE p.id = $1 AND NOT EXISTS (SELECT 1 FROM aaa.home_server s WHERE s.tenant_id = p.tenant_id AND s.name = n)
                    """, [.int(id)]
                ) { row in .member("servers", "not_found", "there is no home-server called “\(try row.string(0))”; create it first") }
            }))
}
