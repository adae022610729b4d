/// Realms and who answers for them.
extension Noun {
    static let homeServer = Noun(
        name: "home-server", path: "home-servers", summary: "Other RADIUS servers that requests of a realm are forwarded to",
        fields: [
            Field("name", .text, "How you call it"),
            Field("address", .text, "Its IP address"),
            Field("dns_name", .text, "A name that DNS knows its address by, instead of address"),
            Field("transport", .text, "udp, tcp, tls or dtls"),
            Field("auth_port", .integer, "1812 unless given; over all but udp accounting goes there as well"),
            Field("acct_port", .integer, "1813 unless given"),
            Field("secret", .text, "The shared secret; 16 random characters or more"),
            Field("tls_name", .text, "The name that its certificate must have over tls and dtls; dns_name, or else address, unless given"),
            Field("radius_versions", .text, "Over tls: 1.0, 1.1, or 1.0,1.1 for whatever it speaks"),
            Field("response_milliseconds", .integer, "How long a reply is waited for; 4000"),
            Field("status_server", .flag, "Whether it is asked by Status-Server while it is silent"),
            Field("check_seconds", .integer, "From one Status-Server to the next; 10"),
            Field("zombie_seconds", .integer, "Silent so long, it is dead; 40"),
            Field("answers_to_revive", .integer, "Status-Servers in a row that it must answer; 3"),
            Field("revive_seconds", .integer, "One that never answered Status-Server is tried again after that; 120"),
            Field("require_message_authenticator", .flag, "Drops its replies to logins that have none; false only for old servers"),
            Field("max_outstanding", .integer, "Requests that may wait for its replies; 2048"),
            Field("enabled", .flag, "true or false"),
            Field("notes", .text, "For people"),
        ],
        columns: [Column("name"), Column("address"), Column("transport"), Column("auth_port"), Column("enabled")],
        example: "lastmile home-server create --name partner1 --address 192.0.2.10 --secret S")

    static let homeServerPool = Noun(
        name: "home-server-pool", path: "home-server-pools", summary: "Home servers that stand for each other",
        fields: [
            Field("name", .text, "How you call it"),
            Field("choice", .text, "failover, balance or keyed"),
            Field("servers", .list, "A home server, by name; the first is preferred", option: "server"),
            Field("notes", .text, "For people"),
        ],
        columns: [Column("name"), Column("choice"), Column("servers")],
        example: "lastmile home-server-pool create --name partner --server partner1 --server partner2")

    static let realm = Noun(
        name: "realm", path: "realms", summary: "User names that other RADIUS servers answer for",
        fields: [
            Field("name", .text, "How you call it"),
            Field(
                "kind", .text,
                "suffix (user@realm), prefix (REALM\\user, realm/user), pattern, null (no realm), default (any other), rule (policy rules say)"
            ),
            Field("realm", .text, "The realm, or a pattern such as '*@*.example.org'"),
            Field("priority", .integer, "Among patterns the lowest is tried first"),
            Field("pool", .text, "The home-server-pool that answers logins; without one this server does"),
            Field("accounting_pool", .text, "The home-server-pool that gets accounting too"),
            Field("strip", .flag, "Whether the home server is told the user without the realm"),
            Field("unanswered", .text, "When no home server answers: silent or reject"),
            Field("request_allow", .list, "An attribute that the home server may see; without any: all", option: "request-allow"),
            Field("request_remove", .list, "An attribute that it may not see", option: "request-remove"),
            Field("reply_allow", .list, "An attribute that it may answer; without any: all", option: "reply-allow"),
            Field("reply_remove", .list, "An attribute that is taken out of its answers", option: "reply-remove"),
            Field("request_set", .list, "An attribute that the home server is sent, as 'Name = value'", option: "request-set"),
            Field("reply_set", .list, "An attribute that the NAS is sent with an accept, as 'Name = value'", option: "reply-set"),
            Field("enabled", .flag, "true or false"),
            Field("notes", .text, "For people"),
        ],
        columns: [
            Column("name"), Column("kind"), Column("realm"), Column("pool"), Column("accounting_pool"), Column("enabled"),
        ],
        example: "lastmile realm create --name partner --realm partner.example --pool partner")
}
