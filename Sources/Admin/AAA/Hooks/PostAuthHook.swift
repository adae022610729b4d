import Database
import Provisioning

extension Resource {
    /// Whoever is told of logins once they are answered.
    static let postAuthHook = Resource(
        "post_auth_hook", in: "aaa", table: "aaa.post_auth_hook",
        summary: "A receiver that is told of logins once they are answered; it decides nothing", nameField: "name",
        fields: [
            .text("name", .required, .unique, .searchable, .octets(1...64)),
            .boolean("enabled", .initial(true), .summary("Switched off by itself when nothing gets through for three days")),
            .choice("outcome", ["accept", "reject", "both"], .initial("both"), .summary("Which answers it is told of")),
            .text(
                "condition", .initial(""), .lines, .searchable, .octets(0...4000),
                .summary("Such as: nas.huntgroup == \"city\" and login.method == pap; empty: always")),
            .text("url", .required, .searchable, .octets(8...2000), .form(.webhookURL), .summary("Where messages are sent by POST")),
            .secret(
                "secret", .required, .octets(1...300), .form(.webhookSecret),
                .summary("What messages are signed with: whsec_ and 24 to 64 octets in base64; two, with a blank between them, both sign")),
            .text("notes", .initial(""), .lines, .searchable, .octets(0...10_000)),
            progress("waiting_events", "Logins that it is still to be told of, counted every few seconds"),
            progress("delivered_events", "Logins that it was told of"),
            progress("lost_events", "Logins that it was not told of: too many waited, or it refused them"),
            progress("attempts", "That failed, at the message under way"),
            .timestamp("delivered_at", .computed(column("delivered_at")), .summary("When it took the last message")),
            .text("problem", .computed(column("problem")), .summary("Why the last attempt failed; null: it did not")),
            .timestamp("created_at", .required, .readOnly),
            .timestamp("updated_at", .required, .readOnly),
        ],
        list: ["name", "enabled", "outcome", "url", "waiting_events", "problem"],
        rules: Rules(verify: { exchange, connection, id in
            let row = try connection.queryOne(
                "SELECT h.condition, (SELECT count(*) FROM aaa.post_auth_hook), h.enabled FROM aaa.post_auth_hook h WHERE h.id = $1",
                [.int(id)])
            guard let row else { return [] }
            var faults: [Problem.Fault] = []
            // One that no longer fits the dictionary can be switched off.
            if try row.bool(2), let mistake = exchange.services.checkHook(try row.string(0)) {
                faults.append(.member("condition", "condition", mistake))
            }
            if try row.int64(1) > mostHooks { faults.append(.init(.body(""), "limit", "a tenant has at most \(mostHooks) hooks")) }
            return faults
        }))

    /// Of a tenant.
    private static let mostHooks: Int64 = 16

    private static func column(_ name: String) -> String {
        "(SELECT p.\(name) FROM aaa.post_auth_progress p WHERE p.hook_id = t.id)"
    }

    private static func progress(_ name: String, _ summary: String) -> Field {
        .integer(name, .computed(column(name)), .summary(summary))
    }
}

extension TextForm {
    static let webhookURL = TextForm(name: "uri") { WebhookURL.mistake(in: $0) }

    static let webhookSecret = TextForm(name: "webhook-secret") { text in
        WebhookSecret(text) == nil
            ? "whsec_ and 24 to 64 octets in base64 are expected, such as printf 'whsec_%s' \"$(openssl rand -base64 32)\" prints" : nil
    }
}
