import Database
import Provisioning

extension Resource {
    /// Where subscribers' addresses come from that have none of their own.
    static let addressPool = Resource(
        "address_pool", in: "aaa", table: "aaa.address_pool", summary: "Addresses or prefixes that profiles hand out", nameField: "name",
        fields: [
            .text("name", .required, .unique, .searchable, .octets(1...64)),
            .choice(
                "kind", ["ipv4", "ipv6-prefix", "delegated-prefix"], .required, .fixed,
                .summary("Framed-IP-Address, Framed-IPv6-Prefix or Delegated-IPv6-Prefix")),
            .textList(
                "ranges", .required, .octets(1...100),
                .summary("Networks, and for ipv4 also first-last: 192.0.2.0/24, 192.0.2.10-192.0.2.99, 2001:db8::/40")),
            .integer("prefix_length", .range(1...128), .fixed, .summary("Of one prefix, such as 56; not for ipv4")),
            .integer("quarantine", .initial(300), .range(0...2_592_000), .summary("Seconds that an address rests after a session")),
            .integer(
                "offer_time", .initial(120), .range(5...3600),
                .summary("Seconds that a session may take to begin after its Access-Accept")),
            .choice("on_exhausted", ["reject", "accept"], .initial("reject"), .summary("accept: without an address")),
            .boolean("enabled", .initial(true), .summary("false: nothing is handed out, and nodes give back what they hold")),
            .text("notes", .initial(""), .lines, .searchable, .octets(0...10_000)),
            .timestamp("created_at", .required, .readOnly),
            .timestamp("updated_at", .required, .readOnly),
        ],
        list: ["name", "kind", "ranges", "prefix_length", "enabled"],
        rules: Rules(
            check: { _, members, isCreation in
                guard isCreation, let kind = members.first(where: { $0.name == "kind" })?.value else { return [] }
                let length = members.first { $0.name == "prefix_length" }?.value
                let hasLength = length.map { $0 != .null } ?? false
                if kind == .string("ipv4") {
                    return hasLength ? [.member("prefix_length", "refused", "an ipv4 pool hands out single addresses; leave it out")] : []
                }
                return hasLength ? [] : [.member("prefix_length", "required", "say how long one prefix is, such as 56")]
            },
            verify: { _, connection, id in
                try AddressRanges(connection).settle(id).map { fault in
                    .init(.body("/ranges" + (fault.place.map { "/\($0)" } ?? "")), "range", fault.detail)
                }
            },
            refuseRemoval: { connection, id in try AddressRanges(connection).refusal(toRemove: id) }))

    /// Who has an address of a pool, or had it last.
    static let addressLease = Resource(
        "address_lease", in: "aaa", table: "aaa.address_lease_list",
        summary: "An address of a pool with the session that has it, or whoever had it last", order: ["-id"], verbs: [.list, .get],
        isVersioned: false,
        fields: [
            .reference("pool", to: "address_pool", .required, .readOnly, .loose),
            .prefix("address", .any, .required, .readOnly),
            .choice(
                "state", ["in_use", "conflict", "quarantine", "free"], .required, .readOnly,
                .summary("conflict: several sessions have it")),
            .text("username", .required, .readOnly, .searchable, .dataClass(.personal)),
            .text("also_used_by", .readOnly, .dataClass(.personal), .summary("Of a conflict: the users of its other sessions")),
            .reference("subscriber", to: "subscriber", .readOnly, .loose),
            .reference("nas", to: "nas", .readOnly, .loose),
            .reference("session", to: "session", .readOnly, .loose),
            .text("calling_station_id", .readOnly, .searchable, .dataClass(.personal)),
            .timestamp("confirmed_at", .required, .readOnly, .summary("When a session was first seen with it")),
            .timestamp("released_at", .readOnly),
            .timestamp("rests_until", .readOnly, .summary("Nobody else gets it before")),
        ],
        list: ["id", "address", "state", "username", "also_used_by", "nas", "calling_station_id", "confirmed_at", "rests_until"],
        actions: [
            Action("release", summary: "Ends the rest of an address, or takes it from sessions that are no longer open") {
                exchange, subject in
                let released = try await exchange.services.pool.transaction(.tenant(exchange.principal.tenant)) { connection in
                    try AddressLeases.release(subject.id, connection)
                }
                guard released else { throw Problem.conflict("an open session has the address; end that first (session disconnect)") }
                return .json("{\"id\":\(subject.id),\"outcome\":\"ack\",\"released\":true}")
            }
        ])
}
