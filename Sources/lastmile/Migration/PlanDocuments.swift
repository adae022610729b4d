import FreeRADIUSImport
import RadiusCore

/// Parts of a plan as the interface takes them.
enum PlanJSON {
    static func request(_ method: String, _ path: [String], _ members: [JSONValue.Member], isRehearsal: Bool) -> APIClient.Request {
        let isPatch = method == "PATCH"
        return APIClient.Request(
            method: method, path: path, query: isRehearsal ? [("dry_run", "true")] : [],
            body: Array(JSONText.compact(.object(members)).utf8), mediaType: isPatch ? "application/merge-patch+json" : "application/json",
            headers: isPatch ? ["If-Match: *"] : [])
    }

    /// All fields of a profile, null where it has none.
    static func members(_ profile: ImportedProfile) -> [JSONValue.Member] {
        let (plan, rate) = (profile.plan, profile.plan.rate)
        func number(_ value: (some BinaryInteger)?) -> JSONValue { value.map { .number($0) } ?? .null }
        func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
        return [
            .init("name", .string(profile.name)), .init("download", .number(rate.downloadBitsPerSecond)),
            .init("upload", .number(rate.uploadBitsPerSecond)), .init("download_burst", number(rate.downloadBurstBitsPerSecond)),
            .init("upload_burst", number(rate.uploadBurstBitsPerSecond)), .init("burst_seconds", number(rate.burstSeconds)),
            .init("priority", number(rate.priority)), .init("download_policy", text(rate.downloadPolicy)),
            .init("upload_policy", text(rate.uploadPolicy)), .init("session_timeout", number(plan.sessionTimeout)),
            .init("idle_timeout", number(plan.idleTimeout)), .init("interim_interval", number(plan.interimInterval)),
            .init("filters", .array(plan.filters.map { .string($0) })), .init("attributes", attributes(plan.attributes)),
        ]
    }

    static func attributes(_ attributes: [ReplyText]) -> JSONValue {
        .array(attributes.map { .object([.init("name", .string($0.name)), .init("value", .string($0.value))]) })
    }

    /// The fields of a NAS of which the source says something.
    static func members(_ nas: ImportedNAS) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = [
            .init("name", .string(nas.name)),
            nas.dnsName.map { JSONValue.Member("dns_name", .string($0)) } ?? JSONValue.Member("address", .string(nas.address)),
            .init("secret", .string(nas.secret)), .init("vendor", .string(nas.vendor.name)),
        ]
        if let word = nas.requireMessageAuthenticator { members.append(.init("require_message_authenticator", .string(word))) }
        if let word = nas.limitProxyState { members.append(.init("limit_proxy_state", .string(word))) }
        if !nas.notes.isEmpty { members.append(.init("notes", .string(nas.notes))) }
        return members
    }
}

/// Subscribers as the sheet that the bulk interface takes.
///
/// A status is said only of those that the source rejects: an empty one makes a new subscriber active and leaves that of another alone,
/// who may have been suspended or terminated here.
enum PlanCSV {
    static let columns = [
        "username", "password", "password_nt", "password_hash", "mac_authentication", "status", "profile", "static_ipv4", "ipv6_prefix",
        "delegated_ipv6_prefix", "routes", "session_timeout", "idle_timeout", "interim_interval", "expires_at", "validity",
        "session_limit", "filters", "attributes",
    ]

    /// Without the columns in `omitted`, which the daemon leaves alone then.
    static func sheet(_ records: [ImportedSubscriber], hasProfile: Bool, omitting omitted: Set<String> = []) -> [UInt8] {
        let kept = columns.indices.filter { !omitted.contains(columns[$0]) }
        var text = kept.map { columns[$0] }.joined(separator: ",") + "\n"
        for record in records {
            let line = cells(record, hasProfile: hasProfile)
            text += kept.map { CSVText.cell(line[$0]) }.joined(separator: ",") + "\n"
        }
        return Array(text.utf8)
    }

    private static func cells(_ record: ImportedSubscriber, hasProfile: Bool) -> [String] {
        var (clear, nt, hash) = ("", "", "")
        switch record.password {
        case .clear(let text): clear = text
        case .nt(let digits): nt = digits
        case .hash(let text): hash = text
        case nil: break
        }
        func number(_ value: Int?) -> String { value.map { String($0) } ?? "" }
        func list(_ texts: [String]) -> String { texts.isEmpty ? "" : JSONText.compact(.array(texts.map { .string($0) })) }
        return [
            record.username, clear, nt, hash, record.isMACAuthentication ? "true" : "false", record.isSuspended ? "suspended" : "",
            hasProfile ? record.profile ?? "" : "", record.staticIPv4 ?? "", record.ipv6Prefix ?? "", record.delegatedIPv6Prefix ?? "",
            list(record.routes), number(record.sessionTimeout), number(record.idleTimeout), number(record.interimInterval),
            record.expiresAt ?? "", number(record.validity), number(record.sessionLimit), list(record.filters),
            record.attributes.isEmpty ? "" : JSONText.compact(PlanJSON.attributes(record.attributes)),
        ]
    }
}
