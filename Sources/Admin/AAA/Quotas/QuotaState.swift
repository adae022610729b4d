import Database

extension Resource {
    /// How far subscribers have come in the window of their quota.
    static let quotaState = Resource(
        "quota_state", in: "aaa", table: "aaa.quota_state_list",
        summary: "What a subscriber has used of its quota in the present window, and what holds it", key: "", order: ["subscriber_id"],
        verbs: [.list], isVersioned: false,
        fields: [
            .reference("subscriber", to: "subscriber", .required, .readOnly, .loose),
            .reference("quota", to: "quota", .required, .readOnly, .loose),
            .timestamp("window_start", .required, .readOnly),
            .timestamp("window_end", .required, .readOnly),
            .integer("used_octets", .required, .readOnly),
            .integer("limit_octets", .required, .readOnly, .summary("The quota's, with the top-ups that count in the window")),
            .integer("remaining_octets", .required, .readOnly),
            .integer("top_up_octets", .required, .readOnly, .summary("Taken from top-ups in the window")),
            .integer("percent", .required, .readOnly),
            .choice(
                "action", ["none", "throttle", "captive", "block", "unlocked"], .required, .readOnly,
                .summary("unlocked: captive or block, and its lock was taken away by hand")),
            .reference("profile", to: "profile", .readOnly, .loose, .summary("Answered instead of the subscriber's own")),
            .boolean(
                "estimated", .required, .readOnly,
                .summary("Accounting is late, or nobody knows in which window some was used; no such octet restricts anybody")),
        ],
        list: ["subscriber", "quota", "used_octets", "limit_octets", "percent", "action", "window_end", "estimated"])

    /// What quotas did: notices are sent from here.
    static let quotaEvent = Resource(
        "quota_event", in: "aaa", table: "aaa.quota_event",
        summary: "What a quota did, each once in a window: whoever sends notices reads them by rising id", order: ["-id"],
        verbs: [.list, .get], isVersioned: false,
        fields: [
            .timestamp("at", .required, .readOnly),
            .reference("subscriber", to: "subscriber", .required, .readOnly, .loose),
            .reference("quota", to: "quota", .required, .readOnly, .loose),
            .choice("action", ["notify", "throttle", "captive", "block", "restored"], .required, .readOnly),
            .integer("percent", .readOnly, .summary("Of the threshold")),
            .integer("used_octets", .required, .readOnly),
            .integer("limit_octets", .required, .readOnly),
            .boolean("estimated", .required, .readOnly),
            .timestamp("window_start", .required, .readOnly),
            .timestamp("window_end", .required, .readOnly),
        ],
        list: ["id", "at", "subscriber", "quota", "action", "percent", "used_octets", "limit_octets"],
        shortcuts: [Shortcut("since", .filter(field: "at", .atLeast), summary: "From then on: a time, or an age such as 15m")])
}

/// A subscriber's quota in one answer.
enum QuotaActions {
    static let report = Action(
        "quota", summary: "What the subscriber may use and has used, its thresholds and top-ups, and what holds it", isWrite: false
    ) { exchange, subject in
        .json(try await text(exchange, subject.id))
    }

    /// `{"quota":...}`, null where the subscriber has none.
    static func text(_ exchange: Exchange, _ subscriber: Int64) async throws -> String {
        let report = try await exchange.services.pool.transaction(.tenant(exchange.principal.tenant), readOnly: true) { connection in
            try connection.queryOne("SELECT aaa.quota_report($1, clock_timestamp())::text", [.int(subscriber)])?.optionalString(0)
        }
        return "{\"quota\":\(report ?? "null")}"
    }

    /// Adds the quota to `explanation`, the text of an object.
    static func adding(to explanation: String, _ exchange: Exchange, _ subscriber: Int64) async throws -> String {
        guard explanation.hasSuffix("}") else { return explanation }
        return explanation.dropLast() + "," + (try await text(exchange, subscriber)).dropFirst()
    }
}
