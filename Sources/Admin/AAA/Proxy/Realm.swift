import Database

extension Resource {
    /// Whose requests go to other servers.
    static let realm = Resource(
        "realm", in: "aaa", table: "aaa.realm", summary: "User names that other RADIUS servers answer for", nameField: "name",
        fields: [
            .text("name", .required, .unique, .searchable, .octets(1...64)),
            .choice(
                "kind", ["suffix", "prefix", "pattern", "null", "default", "rule"], .initial("suffix"),
                .summary(
                    "user@realm; REALM\\user or realm/user; a pattern of the whole name; names without a realm; all other realms; no name, "
                        + "but what policy rules forward to it")),
            .text(
                "realm", .initial(""), .searchable, .octets(0...253),
                .summary("The realm, or the pattern; empty for null, default and rule")),
            .integer("priority", .initial(0), .range(0...1_000_000), .summary("Among patterns the lowest is tried first")),
            .reference("pool", to: "home_server_pool", .summary("Who answers logins; null: this server does")),
            .reference("accounting_pool", to: "home_server_pool", .summary("Who gets accounting too; null: nobody else")),
            .boolean("strip", .initial(false), .summary("Whether the home server is told the user without the realm")),
            .choice(
                "unanswered", ["silent", "reject"], .initial("silent"),
                .summary("What a NAS hears when no home server answers: nothing, so that it asks its next server, or a reject")),
            .textList(
                "request_allow", .initial([]), .octets(1...253),
                .summary("Attributes that a home server may see: names, Vendor-Specific, vendor:NAME; empty: all")),
            .textList("request_remove", .initial([]), .octets(1...253), .summary("Attributes that it may not see")),
            .textList("reply_allow", .initial([]), .octets(1...253), .summary("Attributes that it may answer; empty: all")),
            .textList("reply_remove", .initial([]), .octets(1...253), .summary("Attributes that are taken out of its answers")),
            .textList(
                "request_set", .initial([]), .octets(3...600),
                .summary("Attributes that a home server is sent whatever the NAS sent of them, each as Name = value, such as Operator-Name")
            ),
            .textList(
                "reply_set", .initial([]), .octets(3...600),
                .summary("Attributes that a NAS is sent with Access-Accept whatever the home server answered of them, each as Name = value")
            ),
            .boolean("enabled", .initial(true)),
            .text("notes", .initial(""), .lines, .searchable, .octets(0...10_000)),
            .timestamp("created_at", .required, .readOnly),
            .timestamp("updated_at", .required, .readOnly),
        ],
        list: ["name", "kind", "realm", "pool", "accounting_pool", "enabled"],
        actions: [
            Action(
                "match", on: .collection, summary: "Which realm a user name belongs to, and which home servers would be asked",
                isWrite: false,
                parameters: [
                    ("username", "The user name, as the NAS would send it"),
                    ("nas", "The NAS that asks, for policy rules that forward; without it the first of the tenant"),
                ]
            ) { exchange, _ in
                let nas = try await exchange.nasName(exchange.parameter("nas"))
                return .json(try await exchange.services.proxy.match(exchange.principal.tenant, exchange.parameter("username") ?? "", nas))
            }
        ],
        constraints: ["realm_text_key": "realm"],
        remedies: [
            "realm_check": .member(
                "realm", "kind", "suffix, prefix and pattern need one; null, default and rule have none, so leave it out")
        ],
        rules: Rules(verify: { exchange, connection, id in
            let row = try connection.queryOne(
                """
                SELECT kind, realm, request_allow, request_remove, reply_allow, reply_remove, request_set, reply_set FROM aaa.realm
                WHERE id = $1
                """, [.int(id)])
            guard let row else { return [] }
            var faults: [Problem.Fault] = []
            let (kind, realm) = (try row.string(0), try row.string(1))
            if let mistake = exchange.services.proxy.checkRealm(kind, realm) { faults.append(.member("realm", "format", mistake)) }
            for (place, member) in ["request_allow", "request_remove", "reply_allow", "reply_remove"].enumerated() {
                for mistake in exchange.services.proxy.checkFilter(try row.strings(2 + place), member.hasSuffix("_remove")) {
                    faults.append(.member(member, "attribute", mistake))
                }
            }
            for (place, member) in ["request_set", "reply_set"].enumerated() {
                for mistake in exchange.services.proxy.checkAttributes(try row.strings(6 + place)) {
                    faults.append(.member(member, "attribute", mistake))
                }
            }
            return faults
        }))
}
