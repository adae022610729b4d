internal import RadiusCore

extension Resource {
    /// A router or switch that asks by RADIUS.
    ///
    /// - Parameter vendors: the words that `vendor` takes.
    /// - Returns: the resource.
    static func nas(vendors: [String]) -> Resource {
        Resource(
            "nas", in: "aaa", table: "aaa.nas", summary: "A router or switch, or a network of them, that asks by RADIUS", path: "nas",
            nameField: "name",
            fields: [
                .text("name", .required, .unique, .searchable, .octets(1...64)),
                .prefix("address", .any, .summary("Where its packets come from; kept as DNS says where dns_name is given")),
                .text(
                    "dns_name", .octets(1...253), .form(.dnsName), .clears(column: "dns_error"),
                    .summary("Whose address is looked up; null: address stays")),
                .text("dns_error", .readOnly, .summary("Why the last look-up of dns_name brought nothing; null: it did")),
                .text(
                    "nas_identifier", .octets(1...253), .searchable,
                    .summary(
                        "The NAS-Identifier of all its packets, where several NAS share the address; null: any that no other there has")),
                .secret("secret", .required, .octets(1...128)),
                .text("huntgroup", .octets(1...64), .searchable, .summary("The group of NAS that it is of, for policy rules; null: none")),
                .choice("vendor", vendors, .initial("generic"), .summary("Whose attributes it understands")),
                .address("coa_address", .any, .summary("Where CoA and Disconnect go; null: where its packets come from")),
                .integer("coa_port", .range(1...65535)),
                .choice(
                    "coa_over", ["udp", "connection"], .initial("udp"),
                    .summary("connection: CoA and Disconnect go over the connections of TLS and DTLS that the NAS has opened to us")),
                .choice(
                    "require_message_authenticator", ["no", "yes", "auto"],
                    .summary("auto: from the first request on that brought one; null: as the configuration says")),
                .choice("limit_proxy_state", ["no", "yes", "auto"], .summary("null: as the configuration says")),
                .boolean("send_message_authenticator", .initial(true)),
                .integer(
                    "rate_limit_per_second", .range(0...1_000_000),
                    .summary("Access-Requests that a node looks at in a second; 0: no limit; null: as the configuration says")),
                .text(
                    "tls_identity", .octets(1...1000), .form(.tlsIdentity),
                    .summary("Whom its certificate must name over TLS: DNS names, addresses, sha256:...; null: any that is trusted")),
                .boolean("enabled", .initial(true)),
                .text("notes", .initial(""), .lines, .searchable, .octets(0...10_000)),
                .timestamp("created_at", .required, .readOnly),
                .timestamp("updated_at", .required, .readOnly),
            ],
            list: ["name", "address", "vendor", "enabled"],
            actions: NASActions.all,
            remedies: [
                "nas_address_key": .member(
                    "address", "unique",
                    "a NAS has it, perhaps another tenant's; several share an address when all but one have a nas_identifier, each its own"),
                "nas_located": .member("address", "required", "give address, or dns_name"),
                "nas_connected": .member(
                    "coa_over", "nas_identifier",
                    "connections are of a NAS by its address alone: one that has a nas_identifier can be told at a port only, by udp"),
            ], rules: Rules(verify: { _, connection, id in try NASActions.verify(connection, id) }))
    }
}

extension TextForm {
    /// Whom a certificate must name, as the daemon reads it.
    static let tlsIdentity = TextForm(name: "tls-identity") { TLSIdentity.flaw(in: $0) }
}
