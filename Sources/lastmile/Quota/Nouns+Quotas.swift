extension Noun {
    static let quota = Noun(
        name: "quota", path: "quotas", summary: "What subscribers may use in a window",
        fields: [
            Field("name", .text, "How you call it"),
            Field("octets", .text, "100G is 100,000,000,000 octets"),
            Field("direction", .text, "What counts: both, download or upload"),
            Field("period", .text, "day, week, month, cycle or rolling"),
            Field("first_weekday", .integer, "On which a week begins; 1 is Monday"),
            Field("anchor_day", .integer, "On which a cycle begins, where the subscriber has no billing_day"),
            Field("days", .integer, "Of a rolling window, today included"),
            Field("enabled", .flag, "true or false"),
            Field("nas_limits", .flag, "NASes are told what is left, and end sessions by themselves: true or false"),
            Field("nas_margin_percent", .integer, "How much more they are told, 1 to 100"),
            Field("notes", .text, "For people"),
        ],
        columns: [Column("name"), Column("octets", .octets), Column("direction"), Column("period"), Column("enabled")],
        filters: [Filter("period", nil, "Only this period")],
        example: "lastmile quota create --name fair --octets 100G --period cycle --anchor-day 5")

    static let quotaThreshold = Noun(
        name: "quota-threshold", path: "quota-thresholds", summary: "What happens when a share of a quota is used",
        fields: [
            Field("quota", .text, "By name"),
            Field("percent", .integer, "1 to 1000"),
            Field("action", .text, "notify, throttle, captive or block"),
            Field("profile", .text, "Of a throttle: answered instead of the subscriber's own, by name"),
        ],
        columns: [Column("id"), Column("quota"), Column("percent"), Column("action"), Column("profile")],
        filters: [Filter("quota", nil, "Only of this quota")],
        example: "lastmile quota-threshold create --quota fair --percent 100 --action throttle --profile slow")

    static let quotaTopUp = Noun(
        name: "quota-top-up", path: "quota-top-ups", summary: "Octets on top of subscribers' quotas",
        fields: [
            Field("subscriber", .text, "By username"),
            Field("octets", .text, "5G is 5,000,000,000 octets"),
            Field("expires_at", .text, "What is left of it then is lost: 2026-12-31T22:00:00Z"),
            Field("note", .text, "For people"),
        ],
        columns: [
            Column("id"), Column("subscriber"), Column("octets", .octets), Column("used_octets", .octets), Column("expires_at"),
            Column("note"),
        ],
        filters: [Filter("subscriber", nil, "Only this one's")],
        example: "lastmile quota-top-up create --subscriber alice --octets 5G")

    static let quotaState = Noun(
        name: "quota-state", path: "quota-states", summary: "What each subscriber has used of its quota", verbs: [.list],
        columns: [
            Column("subscriber"), Column("quota"), Column("used_octets", .octets), Column("limit_octets", .octets), Column("percent"),
            Column("action"), Column("window_end"), Column("estimated"),
        ],
        filters: [
            Filter("user", "subscriber", "Only this username"), Filter("quota", nil, "Only of this quota"),
            Filter("action", nil, "none, throttle, captive or block"),
        ])

    static let quotaEvent = Noun(
        name: "quota-event", path: "quota-events", summary: "What quotas did: notices are sent from these", verbs: [.list, .get],
        columns: [
            Column("id"), Column("at"), Column("subscriber"), Column("quota"), Column("action"), Column("percent"),
            Column("used_octets", .octets), Column("limit_octets", .octets),
        ],
        filters: [
            Filter("user", "subscriber", "Only this username"), Filter("action", nil, "notify, throttle, captive, block or restored"),
            Filter("since", nil, "From then on: a time, or an age such as 2h"),
        ])
}

enum QuotaNoun: NounKind { static let noun = Noun.quota }
enum QuotaThresholdNoun: NounKind { static let noun = Noun.quotaThreshold }
enum QuotaTopUpNoun: NounKind { static let noun = Noun.quotaTopUp }
enum QuotaStateNoun: NounKind { static let noun = Noun.quotaState }
enum QuotaEventNoun: NounKind { static let noun = Noun.quotaEvent }
