extension Resource {
    /// A speed and session plan.
    static let profile = Resource(
        "profile", in: "aaa", table: "aaa.profile", summary: "What subscribers of a plan are answered: rates, timeouts, attributes",
        nameField: "name",
        fields: [
            .text("name", .required, .unique, .searchable, .octets(1...64)),
            .rate("download", .initial(0), .range(0...10_000_000_000_000), .summary("To the subscriber; 0: no limit")),
            .rate("upload", .initial(0), .range(0...10_000_000_000_000), .summary("From the subscriber; 0: no limit")),
            .rate("download_burst", .range(1...10_000_000_000_000)),
            .rate("upload_burst", .range(1...10_000_000_000_000)),
            .integer("burst_seconds", .range(1...3600)),
            .integer("priority", .range(1...8)),
            .text("download_policy", .octets(1...200), .summary("Name of a policy that the NAS holds")),
            .text("upload_policy", .octets(1...200), .summary("Name of a policy that the NAS holds")),
            .integer("session_timeout", .range(1...2_147_483_647), .summary("Seconds")),
            .integer("idle_timeout", .range(1...2_147_483_647), .summary("Seconds")),
            .integer("interim_interval", .range(60...86400), .summary("Seconds between interim accounting records")),
            .textList("filters", .initial([]), .octets(1...253), .summary("Filter-Id, in order")),
            .attributes("attributes", .initial([]), .summary("Further reply attributes, in order")),
            .timestamp("created_at", .required, .readOnly),
            .timestamp("updated_at", .required, .readOnly),
        ],
        list: ["name", "download", "upload", "session_timeout"],
        actions: [
            Action("apply", summary: "Gives all live sessions of this profile its current rates") { exchange, subject in
                .json(try await SessionActions.apply(exchange, subject.id))
            }
        ],
        rules: Rules(apply: SessionActions.apply))
}
