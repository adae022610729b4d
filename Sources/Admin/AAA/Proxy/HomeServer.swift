extension Resource {
    /// Another RADIUS server that requests are forwarded to.
    static let homeServer = Resource(
        "home_server", in: "aaa", table: "aaa.home_server", summary: "Another RADIUS server that requests of a realm are forwarded to",
        nameField: "name",
        fields: [
            .text("name", .required, .unique, .searchable, .octets(1...64)),
            .address("address", .any, .summary("Kept as DNS says where dns_name is given")),
            .text(
                "dns_name", .octets(1...253), .form(.dnsName), .clears(column: "dns_error"),
                .summary("Whose address is looked up; null: address stays")),
            .text("dns_error", .readOnly, .summary("Why the last look-up of dns_name brought nothing; null: it did")),
            .choice("transport", ["udp", "tcp", "tls", "dtls"], .initial("udp")),
            .integer("auth_port", .initial(1812), .range(1...65535), .summary("Over all but udp accounting goes there as well")),
            .integer("acct_port", .initial(1813), .range(1...65535)),
            .secret("secret", .required, .octets(1...128)),
            .text(
                "tls_name", .octets(1...253),
                .summary("The name that its certificate must have over tls and dtls; null: dns_name, without one its address")),
            .choice(
                "radius_versions", ["1.0", "1.0,1.1", "1.1"], .initial("1.0,1.1"),
                .summary("Which versions of RADIUS may be spoken over tls (dtls has 1.0 only); 1.1 is without MD5 (RFC 9765)")),
            .integer(
                "response_milliseconds", .initial(4000), .range(100...60_000),
                .summary("How long its reply to one request is waited for, a repetition included")),
            .boolean("status_server", .initial(true), .summary("Whether it is asked by Status-Server while it is silent")),
            .integer("check_seconds", .initial(10), .range(1...3600), .summary("From one Status-Server to the next")),
            .integer(
                "zombie_seconds", .initial(40), .range(1...3600), .summary("Silent so long, it is dead: asked no more until it revives")),
            .integer("answers_to_revive", .initial(3), .range(1...10), .summary("Status-Servers in a row that it must answer")),
            .integer("revive_seconds", .initial(120), .range(1...86_400), .summary("Without Status-Server it is tried again after that")),
            .boolean(
                "require_message_authenticator", .initial(true),
                .summary("Replies to logins, and its CoA, are dropped without one; false only for old servers")),
            .integer("max_outstanding", .initial(2048), .range(1...2048), .summary("Requests that may wait for its replies")),
            .boolean("enabled", .initial(true)),
            .text("notes", .initial(""), .lines, .searchable, .octets(0...10_000)),
            .timestamp("created_at", .required, .readOnly),
            .timestamp("updated_at", .required, .readOnly),
        ],
        list: ["name", "address", "transport", "auth_port", "enabled"],
        actions: [
            Action("status", on: .collection, summary: "How each home server does, as this node sees it", isWrite: false) { exchange, _ in
                .json(try await exchange.services.proxy.status(exchange.principal.tenant))
            }
        ],
        remedies: ["home_server_located": .member("address", "required", "give address, or dns_name")])
}

extension TextForm {
    /// A name of DNS, in ASCII, without a dot at its end (RFC 1035 §2.3.1, RFC 2181 §11).
    static let dnsName = TextForm(name: "dns-name") { text in
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        let isName = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || $0 == 0x2D || $0 == 0x5F }
        }
        guard isName else { return "a name such as gw1.example.net is expected; letters of other scripts in Punycode (xn--...)" }
        // What ends in a number is taken for an address.
        return labels.last?.allSatisfy(\.isNumber) == true ? "give an address as address" : nil
    }
}
