extension Resource {
    /// A session of a subscriber, open or closed.
    static let session = Resource(
        "session", in: "aaa", table: "aaa.session_record",
        summary: "A session with its usage; stale: open, but silent for three interim intervals", order: ["-id"], verbs: [.list, .get],
        isVersioned: false,
        fields: [
            .choice("state", ["open", "stale", "closed"], .required, .readOnly),
            .text("username", .required, .readOnly, .searchable, .dataClass(.personal)),
            .reference("subscriber", to: "subscriber", .readOnly, .loose, .summary("null: it logged in without being known here")),
            .reference("nas", to: "nas", .required, .readOnly, .loose),
            .reference("profile", to: "profile", .readOnly, .loose),
            .reference(
                "forwarded_realm", to: "realm", .readOnly, .loose,
                .summary("The realm that a policy rule chose for it; null: its username says whose it is")),
            .address("framed_ipv4", .ipv4, .readOnly),
            .address("framed_ipv6", .ipv6, .readOnly),
            .prefix("framed_ipv6_prefix", .ipv6, .readOnly),
            .prefix("delegated_ipv6_prefix", .ipv6, .readOnly),
            .hardwareAddress("mac", .readOnly, .dataClass(.personal), .summary("calling_station_id where it is a hardware address")),
            .text("calling_station_id", .readOnly, .searchable, .dataClass(.personal)),
            .text("called_station_id", .readOnly),
            .text("acct_session_id", .required, .readOnly),
            .text("multi_session_id", .readOnly),
            .text("nas_identifier", .readOnly),
            .address("nas_address", .any, .readOnly),
            .text(
                "operator_nas_identifier", .computed("encode(t.operator_nas_identifier, 'hex')"),
                .summary("What a proxy before us calls the NAS, in hexadecimal digits; CoA and Disconnect carry it back")),
            .integer("nas_port", .readOnly),
            .text("nas_port_id", .readOnly),
            .timestamp("started_at", .required, .readOnly),
            .timestamp(
                "updated_at", .required, .readOnly,
                .summary("When its last accounting record was made, by the NAS's clock where that may be right")),
            .timestamp("stopped_at", .readOnly),
            .text("ended_by", .readOnly),
            .text("terminate_cause", .readOnly),
            .integer("session_seconds", .required, .readOnly),
            .integer("download_octets", .required, .readOnly, .summary("To the subscriber")),
            .integer("upload_octets", .required, .readOnly, .summary("From the subscriber")),
        ],
        list: [
            "id", "username", "nas", "framed_ipv4", "mac", "state", "started_at", "session_seconds", "download_octets", "upload_octets",
        ],
        actions: [SessionActions.disconnect, SessionActions.coa],
        shortcuts: [
            Shortcut("user", .filter(field: "username", .equal), summary: "The username"),
            Shortcut(
                "ip",
                .condition(
                    "t.framed_ipv4 = ? OR t.framed_ipv6 = ? OR t.framed_ipv6_prefix >>= ? OR t.delegated_ipv6_prefix >>= ?",
                    field: .address("ip", .any)),
                summary: "An address that the session has or that lies in one of its prefixes"),
            Shortcut("since", .filter(field: "started_at", .atLeast), summary: "Begun from then on: a time, or an age such as 2h"),
        ])
}
