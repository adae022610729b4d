extension Resource {
    /// What holds where subscriber and profile say nothing.
    static let accessPolicy = Resource(
        "access_policy", in: "aaa", table: "aaa.access_policy", summary: "What holds where subscriber and profile say nothing",
        path: "access-policy", key: "tenant_id", isSingleton: true, verbs: [.get, .update],
        fields: [
            .reference("walled_garden_profile", to: "profile", .summary("What captive subscribers are answered; null: they are rejected")),
            .integer("interim_interval", .initial(600), .range(60...86400), .summary("Seconds between interim accounting records")),
            .timestamp("updated_at", .required, .readOnly),
        ],
        list: ["walled_garden_profile", "interim_interval"])
}
