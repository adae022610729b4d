internal import RadiusCore

extension Resource {
    /// What was answered to whom and why.
    static let authLog = Resource(
        "auth_log", in: "aaa", table: "aaa.auth_log", summary: "What each login was answered and why", path: "auth-log",
        order: ["-at", "-id"], verbs: [.list], isVersioned: false,
        fields: [
            .timestamp("at", .required, .readOnly),
            .text("username", .required, .readOnly, .searchable, .dataClass(.personal)),
            .reference("subscriber", to: "subscriber", .readOnly, .loose),
            .reference("nas", to: "nas", .readOnly, .loose),
            .choice("outcome", ["accept", "reject", "challenge", "silence"], .required, .readOnly),
            .text("reason", .required, .readOnly, .searchable, .form(.accessReason)),
            .text("method", .required, .readOnly, .form(.authenticationMethod)),
            .reference("profile", to: "profile", .readOnly, .loose),
            .reference("home_server", to: "home_server", .readOnly, .loose),
            .text("calling_station_id", .readOnly, .searchable, .dataClass(.personal)),
            .text("nas_port_id", .readOnly),
            .choice("binding", ["mac", "line", "mac_and_line"], .readOnly, .summary("What the subscriber is not bound to")),
            .text("circuit_id", .readOnly, .summary("Of subscribers that are bound to a line")),
            .text("remote_id", .readOnly),
            .integer("duration_microseconds", .required, .readOnly),
        ],
        list: ["at", "username", "nas", "outcome", "reason", "method"],
        actions: [Trace.action],
        shortcuts: [
            Shortcut("user", .filter(field: "username", .equal), summary: "The username"),
            Shortcut("since", .filter(field: "at", .atLeast), summary: "From then on: a time, or an age such as 15m"),
        ])
}

extension TextForm {
    /// The name of a reason that logins are answered for.
    static let accessReason = TextForm(name: "access-reason") { text in
        AccessReason.allCases.contains { $0.name == text }
            ? nil : "there is no reason of this name; there are such as wrong_password, unknown_subscriber, status_suspended, session_limit"
    }

    /// The name of a method that logins come by.
    static let authenticationMethod = TextForm(name: "authentication-method") { text in
        AuthenticationMethod.allCases.contains { $0.name == text }
            ? nil : "there is no method of this name; there are \(AuthenticationMethod.allCases.map(\.name).joined(separator: ", "))"
    }
}
