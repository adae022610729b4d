extension Resource {
    /// A CoA or Disconnect that was sent, and how it ended.
    static let dynamicAuthorization = Resource(
        "dynamic_authorization", in: "aaa", table: "aaa.dynamic_authorization",
        summary: "A CoA or Disconnect (RFC 5176) and how it ended; no outcome: on its way, or not known", order: ["-id"],
        verbs: [.list, .get],
        isVersioned: false,
        fields: [
            .integer("session_id", .required, .readOnly),
            .reference("nas", to: "nas", .required, .readOnly, .loose),
            .text("username", .readOnly, .initial(""), .searchable, .dataClass(.personal)),
            .choice("kind", ["disconnect", "coa"], .required, .readOnly),
            .text("requested_by", .required, .readOnly),
            .timestamp("requested_at", .required, .readOnly),
            .timestamp("finished_at", .readOnly),
            .choice("outcome", ["ack", "nak", "timeout", "refused"], .readOnly),
            .integer("error_cause", .readOnly, .summary("RFC 5176 §3.5")),
            .text("message", .readOnly, .initial("")),
            .integer("attempts", .readOnly),
        ],
        list: ["requested_at", "username", "nas", "kind", "outcome", "message"],
        shortcuts: [
            Shortcut("user", .filter(field: "username", .equal), summary: "The username"),
            Shortcut("since", .filter(field: "requested_at", .atLeast), summary: "From then on: a time, or an age such as 2h"),
        ])
}
