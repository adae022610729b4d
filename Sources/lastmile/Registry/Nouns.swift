extension Noun {
    static let subscriber = Noun(
        name: "subscriber", path: "subscribers", summary: "Who may log in, and what they get",
        fields: [
            Field("username", .text, "What the NAS sends as User-Name"),
            Field("password", .text, "In clear; kept sealed"),
            Field("password_nt", .text, "An NT hash as 32 hexadecimal digits: PAP and MS-CHAP only"),
            Field("password_hash", .text, "A crypt or PHC string, such as $2b$...: PAP only"),
            Field("sim_credential", .text, "Of a SIM card: KI:OPC, KI:OPC:AMF or KI:op=OP in hexadecimal digits"),
            Field("mac_authentication", .flag, "The username is a hardware address, and being it is enough: true or false"),
            Field("status", .text, "pending, active, quarantined, suspended, disconnected, terminated"),
            Field("profile", .text, "Its plan, by name"),
            Field("static_ipv4", .text, "Framed-IP-Address"),
            Field("ipv6_prefix", .text, "Framed-IPv6-Prefix"),
            Field("delegated_ipv6_prefix", .text, "Delegated-IPv6-Prefix"),
            Field("routes", .list, "Framed-Route, such as '192.0.2.0/24 198.51.100.1 1'", option: "route"),
            Field("vlan", .integer, "1 to 4094"),
            Field("inner_vlan", .integer, "1 to 4094"),
            Field("session_timeout", .integer, "Seconds"),
            Field("idle_timeout", .integer, "Seconds"),
            Field("interim_interval", .integer, "Seconds between accounting records"),
            Field("expires_at", .text, "From then on it is refused: 2026-12-31T22:00:00Z"),
            Field("validity", .integer, "Seconds from the first login until it expires; --clear expires_at begins it anew"),
            Field("mac_binding", .text, "Logins from a station that is not in macs: ignore, log or enforce"),
            Field("macs", .list, "A hardware address that it may log in from", option: "mac"),
            Field("line_binding", .text, "Logins from a line that is not named: ignore, log or enforce"),
            Field("circuit_ids", .list, "A circuit id (DHCP Option 82) that it may log in from", option: "circuit-id"),
            Field("remote_ids", .list, "A remote id, likewise", option: "remote-id"),
            Field("nas_port_ids", .list, "A NAS-Port-Id, likewise", option: "nas-port-id"),
            Field("bind_on_first_use", .flag, "The first login fills macs and line where they are empty: true or false"),
            Field("session_limit", .integer, "Places that it may be online from at once; 0: no limit"),
            Field("on_session_limit", .text, "What becomes of one more: reject, or replace the oldest"),
            Field("quota", .text, "What it may use instead of what the profile says, by name"),
            Field("billing_day", .integer, "1 to 31, on which the cycle of its quota begins"),
            Field("filters", .list, "Filter-Id", option: "filter-id"),
            Field("attributes", .attributes, "A further reply attribute, Name=value", option: "attribute"),
            Field("full_name", .text, "For people"),
            Field("notes", .text, "For people"),
        ],
        columns: [Column("username"), Column("status"), Column("profile"), Column("static_ipv4"), Column("full_name")],
        filters: [Filter("status", nil, "Only these"), Filter("profile", nil, "Only subscribers of this profile")],
        example: "lastmile subscriber create --username alice --password P --profile home50")

    static let nas = Noun(
        name: "nas", path: "nas", summary: "Routers and switches that ask by RADIUS",
        fields: [
            Field("name", .text, "How you call it"),
            Field("address", .text, "Where its packets come from: an address or a network"),
            Field("dns_name", .text, "A name that DNS knows its address by, instead of address"),
            Field("nas_identifier", .text, "The NAS-Identifier of all its packets, where several NAS share the address"),
            Field("secret", .text, "The shared secret; 16 random characters or more"),
            Field("vendor", .text, "Whose attributes it understands: mikrotik, cisco, juniper, huawei, nokia, ..."),
            Field("huntgroup", .text, "The group of NAS that it is of; policy rules ask for nas.huntgroup"),
            Field("coa_address", .text, "Where CoA and Disconnect go, when not where its packets come from"),
            Field("coa_port", .integer, "as the daemon's coa.port says unless given"),
            Field("coa_over", .text, "udp, or connection: over the connections that the NAS opens"),
            Field("require_message_authenticator", .text, "no, yes, or auto: once it has sent one"),
            Field("limit_proxy_state", .text, "no, yes or auto"),
            Field("send_message_authenticator", .flag, "true or false"),
            Field("rate_limit_per_second", .integer, "Access-Requests that a node looks at in a second; 0: no limit"),
            Field("tls_identity", .text, "Whom its certificate must name over TLS: DNS names, addresses, sha256:..."),
            Field("enabled", .flag, "true or false"),
            Field("notes", .text, "For people"),
        ],
        columns: [Column("name"), Column("address"), Column("vendor"), Column("enabled")],
        filters: [Filter("vendor", nil, "Only this make"), Filter("huntgroup", nil, "Only this group")],
        example: "lastmile nas create --name core1 --address 192.0.2.0/24 --secret S --vendor mikrotik")

    static let profile = Noun(
        name: "profile", path: "profiles", summary: "Plans: rates, timeouts and reply attributes",
        fields: [
            Field("name", .text, "How you call it"),
            Field("download", .text, "To the subscriber: 50M, 1.5G, 512k; 0 is no limit"),
            Field("upload", .text, "From the subscriber"),
            Field("download_burst", .text, "A rate above download for burst_seconds"),
            Field("upload_burst", .text, "A rate above upload for burst_seconds"),
            Field("burst_seconds", .integer, "1 to 3600"),
            Field("priority", .integer, "1 to 8"),
            Field("download_policy", .text, "Name of a policy that the NAS holds"),
            Field("upload_policy", .text, "Name of a policy that the NAS holds"),
            Field("session_timeout", .integer, "Seconds"),
            Field("idle_timeout", .integer, "Seconds"),
            Field("interim_interval", .integer, "Seconds between accounting records"),
            Field("pool", .text, "The address pool of Framed-IP-Address, by name"),
            Field("pool6", .text, "The address pool of Framed-IPv6-Prefix"),
            Field("delegated_pool", .text, "The address pool of Delegated-IPv6-Prefix"),
            Field("session_limit", .integer, "Places that a subscriber may be online from at once"),
            Field("on_session_limit", .text, "What becomes of one more: reject, or replace the oldest"),
            Field("quota", .text, "What its subscribers may use, by name"),
            Field("filters", .list, "Filter-Id", option: "filter-id"),
            Field("attributes", .attributes, "A further reply attribute, Name=value", option: "attribute"),
        ],
        columns: [
            Column("name"), Column("download", .rate), Column("upload", .rate), Column("session_timeout", .seconds),
            Column("idle_timeout", .seconds),
        ],
        applies: true,
        example: "lastmile profile create --name home50 --download 50M --upload 10M")

    static let lock = Noun(
        name: "lock", path: "locks", summary: "Restrictions of subscribers; the most severe one decides",
        fields: [
            Field("subscriber", .text, "By username"),
            Field("reason", .text, "overdue, prepaid, fair_use, customer_hold, admin, fraud or system"),
            Field("level", .text, "captive: the walled garden; suspended: rejected"),
            Field("note", .text, "For people"),
        ],
        columns: [Column("id"), Column("subscriber"), Column("reason"), Column("level"), Column("note")],
        filters: [Filter("subscriber", nil, "Only this one's"), Filter("reason", nil, "Only this reason")],
        example: "lastmile subscriber lock alice --reason overdue --level captive")

    static let accessPolicy = Noun(
        name: "access-policy", path: "access-policy", summary: "What holds where subscriber and profile say nothing",
        verbs: [.get, .update],
        fields: [
            Field("walled_garden_profile", .text, "What captive subscribers are answered; without it they are rejected"),
            Field("interim_interval", .integer, "Seconds between accounting records"),
        ],
        columns: [Column("walled_garden_profile"), Column("interim_interval", .seconds)], isSingleton: true,
        example: "lastmile access-policy update --walled-garden-profile garden")

    static let policyRule = Noun(
        name: "policy-rule", path: "policy-rules", summary: "Rules about logins: conditions, and what is then answered",
        fields: [
            Field("name", .text, "How you call it"),
            Field("priority", .integer, "The lowest is looked at first"),
            Field("enabled", .flag, "true or false"),
            Field("condition", .text, "Such as 'nas.vendor == mikrotik and time.of_day in 22:00..06:00'; without it: always"),
            Field("outcome", .text, "continue, stop or reject"),
            Field("profile", .text, "Is answered instead of the subscriber's"),
            Field("forward_to", .text, "The realm whose home servers are asked instead; such a rule does nothing else"),
            Field("tls_versions", .list, "A version of TLS that EAP may have; such a rule does nothing else", option: "tls-version"),
            Field("set_attributes", .attributes, "Replaces those of its name in the reply, Name=value", option: "set-attribute"),
            Field("add_attributes", .attributes, "Is added to the reply, Name=value", option: "add-attribute"),
            Field("remove_attributes", .list, "The name of an attribute that the reply loses", option: "remove-attribute"),
            Field("require_methods", .list, "A method of which one is demanded: pap, chap, mschapv2, eap, ...", option: "require-method"),
            Field("message", .text, "Reply-Message of a refusal"),
            Field("notes", .text, "For people"),
        ],
        columns: [
            Column("priority"), Column("name"), Column("enabled"), Column("condition"), Column("outcome"), Column("profile"),
            Column("forward_to"), Column("tls_versions"), Column("require_methods"),
        ],
        example: "lastmile policy-rule create --name night --priority 10 --condition 'time.of_day in 22:00..06:00' --profile home100")

    static let session = Noun(
        name: "session", path: "sessions", summary: "Who is online, who was, and what they used", verbs: [.list, .get],
        columns: [
            Column("id"), Column("username"), Column("nas"), Column("framed_ipv4"), Column("mac"), Column("state"), Column("started_at"),
            Column("session_seconds", .seconds), Column("download_octets", .octets), Column("upload_octets", .octets),
        ],
        filters: [
            Filter("user", nil, "Only this username"), Filter("nas", nil, "Only on this NAS"),
            Filter("ip", nil, "An address of the session, or one in its prefixes"),
            Filter("mac", nil, "A hardware address in any notation"), Filter("state", nil, "open, stale or closed"),
            Filter("since", nil, "Begun from then on: a time, or an age such as 2h"),
        ])

    static let dynamicAuthorization = Noun(
        name: "dynamic-authorization", path: "dynamic-authorizations",
        summary: "CoA and Disconnect that NASes were sent, and what they said",
        verbs: [.list, .get],
        columns: [
            Column("id"), Column("requested_at"), Column("requested_by"), Column("username"), Column("nas"), Column("kind"),
            Column("outcome"), Column("message"),
        ],
        filters: [
            Filter("user", nil, "Only this username"), Filter("nas", nil, "Only to this NAS"), Filter("kind", nil, "disconnect or coa"),
            Filter("outcome", nil, "ack, nak, timeout or refused"), Filter("since", nil, "From then on: a time, or an age such as 2h"),
        ])

    static let authLog = Noun(
        name: "auth-log", path: "auth-log", summary: "What each login was answered, and why", verbs: [.list],
        columns: [
            Column("at"), Column("username"), Column("nas"), Column("outcome"), Column("reason"), Column("method"), Column("home_server"),
        ],
        filters: [
            Filter("user", nil, "Only this username"), Filter("nas", nil, "Only from this NAS"),
            Filter("outcome", nil, "accept, reject, challenge or silence"),
            Filter("reason", nil, "Only this reason, such as wrong_password or unknown_subscriber"),
            Filter("binding", nil, "Only logins from elsewhere than the subscriber is bound to: mac, line or mac_and_line"),
            Filter("method", nil, "Only this method, such as pap, chap or eap-tls"),
            Filter("since", nil, "From then on: a time, or an age such as 15m"),
        ])

    static let usage = Noun(
        name: "usage", path: "usage", summary: "What each subscriber used on each day", verbs: [.list],
        columns: [
            Column("day"), Column("subscriber"), Column("download_octets", .octets), Column("upload_octets", .octets),
            Column("session_seconds", .seconds),
        ],
        filters: [
            Filter("user", "subscriber", "Only this username"), Filter("since", nil, "From that day on: a date, or an age such as 30d"),
        ])

    static let tenant = Noun(
        name: "tenant", path: "tenants", summary: "Providers whose data is kept apart",
        fields: [
            Field("name", .text, "Lower-case letters, digits and hyphens; what --tenant takes"), Field("title", .text, "For people"),
            Field("time_zone", .text, "Whose days business dates are, such as Europe/Kyiv"),
        ],
        columns: [Column("name"), Column("title"), Column("time_zone")],
        example: "lastmile tenant create --name northnet --time-zone Europe/Kyiv")

    static let token = Noun(
        name: "token", path: "tokens", summary: "Bearer tokens for programs and people",
        fields: [
            Field("name", .text, "Stands in the audit as token:NAME"),
            Field(
                "scopes", .list, "aaa:read, aaa:write, identity:..., tenancy:..., trace:read; * is everything of the tenant",
                option: "scope"),
            Field("expires_at", .text, "RFC 3339; without it: until deleted"),
        ],
        columns: [Column("name"), Column("scopes"), Column("expires_at"), Column("last_used_at")],
        example: "lastmile token create --name dashboard --scope aaa:read")

    static let audit = Noun(
        name: "audit", path: "audit", summary: "Who changed what, and when", verbs: [.list, .get],
        columns: [Column("at"), Column("actor"), Column("action"), Column("resource"), Column("resource_name")],
        filters: [
            Filter("actor", nil, "Only by this one"), Filter("resource", nil, "Only such things"),
            Filter("since", nil, "From then on: a time, or an age such as 2h"),
        ])

    /// All of them in the order in which help names them.
    static let all = [
        subscriber, nas, profile, lock, policyRule, postAuthHook, accessPolicy, homeServer, homeServerPool, realm, session,
        dynamicAuthorization, authLog, usage, addressPool, addressLease, quota, quotaThreshold, quotaTopUp, quotaState, quotaEvent, tenant,
        token, audit,
    ]
}
