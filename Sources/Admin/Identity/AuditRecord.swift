extension Resource {
    /// Who changed what.
    static let audit = Resource(
        "audit", in: "identity", table: "lastmile.audit", summary: "Who changed what and when; nothing is removed from it before its time",
        path: "audit", order: ["-id"], verbs: [.list, .get], isVersioned: false,
        fields: [
            .timestamp("at", .required, .readOnly),
            .text("actor", .required, .readOnly, .searchable),
            .text("action", .required, .readOnly),
            .text("resource", .required, .readOnly),
            .integer("resource_id", .required, .readOnly),
            .text("resource_name", .readOnly, .initial(""), .searchable),
            .document("before", .readOnly, .summary("As it was answered, without secrets; null when it was made")),
            .document("after", .readOnly, .summary("As it was answered; secrets that were written show as ***; null when it was removed")),
            .text("request_id", .required, .readOnly),
        ],
        list: ["at", "actor", "action", "resource", "resource_name"],
        shortcuts: [Shortcut("since", .filter(field: "at", .atLeast), summary: "From then on: a time, or an age such as 2h")])
}
