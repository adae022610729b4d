extension Resource {
    /// What a subscriber used on one day.
    static let usage = Resource(
        "usage", in: "aaa", table: "aaa.usage", summary: "What a subscriber used on one day in the tenant's zone", path: "usage",
        key: "",
        order: ["-day", "subscriber_id"], verbs: [.list], isVersioned: false,
        fields: [
            .date("day", .required, .readOnly),
            .reference("subscriber", to: "subscriber", .required, .readOnly, .loose),
            .integer("download_octets", .readOnly, .initial(0), .summary("To the subscriber")),
            .integer("upload_octets", .readOnly, .initial(0), .summary("From the subscriber")),
            .integer("session_seconds", .readOnly, .initial(0)),
        ],
        list: ["day", "subscriber", "download_octets", "upload_octets"],
        shortcuts: [Shortcut("since", .filter(field: "day", .atLeast), summary: "From that day on: a date, or an age such as 30d")])
}
