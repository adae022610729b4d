import Database

extension Resource {
    /// What subscribers may use in a window.
    static let quota = Resource(
        "quota", in: "aaa", table: "aaa.quota", summary: "What subscribers may use in a day, week, month, billing cycle or rolling window",
        nameField: "name",
        fields: [
            .text("name", .required, .unique, .searchable, .octets(1...64)),
            .rate(
                "octets", .required, .range(1...1_000_000_000_000_000_000),
                .summary("A number, or 100G for 100,000,000,000; the unit is octets, not bits")),
            .choice("direction", ["both", "download", "upload"], .initial("both"), .summary("What counts")),
            .choice(
                "period", ["day", "week", "month", "cycle", "rolling"], .initial("month"),
                .summary("In the tenant's zone; cycle: a month from anchor_day on; rolling: the last days, today included")),
            .integer("first_weekday", .initial(1), .range(1...7), .summary("On which a week begins; 1 is Monday")),
            .integer(
                "anchor_day", .initial(1), .range(1...31),
                .summary("On which a cycle begins for subscribers without a billing_day; shorter months begin it on their last day")),
            .integer("days", .initial(30), .range(1...366), .summary("Of a rolling window")),
            .boolean("enabled", .initial(true), .summary("false: nobody is restricted by it")),
            .boolean(
                "nas_limits", .initial(false),
                .summary("NASes are told what is left before captive or block, and end sessions by themselves where nobody counts")),
            .integer(
                "nas_margin_percent", .initial(10), .range(1...100),
                .summary("So much more is allowed there, so that what is counted here acts first")),
            .text("notes", .initial(""), .lines, .searchable, .octets(0...10_000)),
            .timestamp("created_at", .required, .readOnly),
            .timestamp("updated_at", .required, .readOnly),
        ],
        list: ["name", "octets", "direction", "period", "enabled"])

    /// What happens when a share of a quota is used.
    static let quotaThreshold = Resource(
        "quota_threshold", in: "aaa", table: "aaa.quota_threshold", summary: "What happens, once in a window, when a share of it is used",
        fields: [
            .reference("quota", to: "quota", .required, .fixed),
            .integer("percent", .required, .fixed, .range(1...1000), .summary("Of the limit; for another one, make a new threshold")),
            .choice(
                "action", ["notify", "throttle", "captive", "block"], .required, .fixed,
                .summary("An event; another profile; the walled garden; rejected. The most severe that was reached holds")),
            .reference("profile", to: "profile", .summary("Of a throttle: answered instead of the subscriber's")),
            .timestamp("created_at", .required, .readOnly),
            .timestamp("updated_at", .required, .readOnly),
        ],
        list: ["quota", "percent", "action", "profile"],
        rules: Rules(verify: { _, connection, id in
            let row = try connection.queryOne("SELECT action, profile_id IS NULL FROM aaa.quota_threshold WHERE id = $1", [.int(id)])
            guard let row else { return [] }
            let (isThrottle, lacksProfile) = (try row.string(0) == "throttle", try row.bool(1))
            if isThrottle, lacksProfile { return [.member("profile", "required", "say which profile a throttled subscriber is answered")] }
            return isThrottle || lacksProfile ? [] : [.member("profile", "refused", "only a throttle has a profile; leave it out")]
        }))

    /// Octets that were bought on top of a quota.
    static let quotaTopUp = Resource(
        "quota_top_up", in: "aaa", table: "aaa.quota_top_up",
        summary: "Octets that a subscriber has on top of its quota; what expires first is used first",
        order: ["-id"],
        fields: [
            .reference("subscriber", to: "subscriber", .required, .fixed),
            .rate("octets", .required, .range(1...1_000_000_000_000_000_000), .summary("A number, or 5G for 5,000,000,000")),
            .integer("used_octets", .readOnly, .initial(0)),
            .timestamp("expires_at", .summary("What is left of it then is lost; null: never")),
            .text("note", .initial(""), .lines, .octets(0...1000)),
            .timestamp("created_at", .required, .readOnly),
            .timestamp("updated_at", .required, .readOnly),
        ],
        list: ["subscriber", "octets", "used_octets", "expires_at", "note"],
        rules: Rules(verify: { _, connection, id in
            // It may end at any time behind its purchase: one that has ended can still be annotated, and another be ended now.
            let row = try connection.queryOne(
                "SELECT expires_at <= created_at, octets < used_octets, used_octets FROM aaa.quota_top_up WHERE id = $1", [.int(id)])
            guard let row else { return [] }
            var faults: [Problem.Fault] = []
            if try row.optionalBool(0) == true {
                faults.append(.member("expires_at", "range", "that is past already, so nothing of it could be used"))
            }
            if try row.bool(1) {
                faults.append(.member("octets", "range", "\(try row.int64(2)) octets of it are used; it cannot have less"))
            }
            return faults
        }))
}
