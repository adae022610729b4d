import Database
internal import RadiusCore

extension Resource {
    /// A bearer token of one tenant, with what it may do.
    static let token = Resource(
        "token", in: "identity", table: "tenancy.api_token", summary: "A bearer token for programs and people; its text is shown once",
        nameField: "name",
        fields: [
            .text("name", .required, .unique, .searchable, .octets(1...64), .summary("Stands in the audit as token:<name>")),
            .textList(
                "scopes", .required, .octets(1...64), .form(.scope), .summary("Such as aaa:read, aaa:write; * is everything of the tenant")),
            .timestamp("expires_at", .summary("Not valid from then on; null: until deleted")),
            .timestamp("last_used_at", .readOnly, .summary("To the minute")),
            .secret("digest", .required, .readOnly),
            .timestamp("created_at", .required, .readOnly),
            .timestamp("updated_at", .required, .readOnly),
        ],
        list: ["name", "scopes", "expires_at", "last_used_at"],
        rules: Rules(check: TokenRules.check, onCreate: TokenRules.issue))
}

/// What tokens may hold, and how they come to be.
enum TokenRules {
    static let prefix = "lmt_"

    /// A token cannot hand out what its maker does not have.
    @Sendable static func check(_ exchange: Exchange, _ members: [JSON.Member], _ isCreation: Bool) -> [Problem.Fault] {
        let scopes = members.first { $0.name == "scopes" }?.value.elements ?? []
        return scopes.enumerated().compactMap { index, scope in
            guard let text = scope.text, !exchange.principal.permits(text) else { return nil }
            return Problem.Fault(.body("/scopes/\(index)"), "forbidden", "your own token does not hold this scope")
        }
    }

    /// A new token of 256 random bits; only its digest is stored.
    @Sendable static func issue() -> Rules.Creation {
        var generator = SystemRandomNumberGenerator()
        let secret = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let token = prefix + Base64.url.text(of: secret)
        return Rules.Creation(
            columns: [.init(name: "digest", type: "bytea", value: .bytes(Authentication.digest(token)))],
            once: [.init("token", .string(token))])
    }
}

extension TextForm {
    /// `*`, or a domain with `:read` or `:write`.
    static let scope = TextForm(name: "scope") { text in
        if text == "*" { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let domains = ["aaa", "identity", "tenancy", "trace"]
        let isKnown = parts.count == 2 && domains.contains(String(parts[0])) && ["read", "write"].contains(parts[1])
        return isKnown ? nil : "* or one of aaa, identity, tenancy, trace with :read or :write is expected, such as aaa:read"
    }
}
