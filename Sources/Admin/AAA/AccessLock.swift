extension Resource {
    /// A reason-scoped restriction of a subscriber; the most severe one in force decides.
    static let lock = Resource(
        "lock", in: "aaa", table: "aaa.access_lock", summary: "A restriction of a subscriber for one reason; the most severe one decides",
        fields: [
            .reference("subscriber", to: "subscriber", .required, .fixed),
            .choice(
                "reason", ["overdue", "prepaid", "fair_use", "customer_hold", "admin", "fraud", "system", "quota"], .required, .fixed,
                .summary("quota is set and released by quotas alone")),
            .choice("level", ["captive", "suspended"], .required, .summary("captive: the walled garden; suspended: rejected")),
            .text("note", .initial(""), .lines, .octets(0...1000)),
            .timestamp("created_at", .required, .readOnly),
            .timestamp("updated_at", .required, .readOnly),
        ],
        list: ["subscriber", "reason", "level", "note"],
        rules: Rules(check: { _, members, isCreation in
            guard isCreation, members.first(where: { $0.name == "reason" })?.value == .string("quota") else { return [] }
            return [.member("reason", "refused", "quotas set this lock; to restrict somebody yourself, use admin or fair_use")]
        }))
}
