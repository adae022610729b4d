internal import RadiusCore

extension Resource {
    /// Who may log in, and what they get.
    static let subscriber = Resource(
        "subscriber", in: "aaa", table: "aaa.subscriber", summary: "A login, its credentials, its profile and what is its own",
        nameField: "username",
        fields: [
            .text("username", .required, .unique, .searchable, .octets(1...253), .form(.username), .dataClass(.personal)),
            .secret("password", .octets(1...128), .sets(column: "password_kind", to: "clear"), .summary("Clear text; kept sealed")),
            .secret(
                "password_nt", .column("password"), .octets(32...32), .form(.ntHash), .sets(column: "password_kind", to: "nt"),
                .summary("An NT hash as 32 hexadecimal digits: PAP and MS-CHAP only")),
            .secret(
                "password_hash", .column("password"), .octets(13...512), .form(.passwordHash), .sets(column: "password_kind", to: "hash"),
                .summary("A crypt or PHC string, such as $2b$... or $argon2id$...: PAP only")),
            .secret(
                "sim_credential", .octets(65...73), .form(.simCredential),
                .summary("Of a SIM card, kept sealed: KI:OPC, KI:OPC:AMF or KI:op=OP in hexadecimal digits; serves EAP-SIM, AKA and AKA'")),
            .boolean("has_sim", .computed("t.sim_credential IS NOT NULL")),
            .choice("password_kind", ["clear", "nt", "hash"], .readOnly, .initial("clear")),
            .boolean(
                "mac_authentication", .initial(false),
                .summary("The username is a hardware address such as 00:53:00:12:34:56; being it is enough while no password is set")),
            .boolean("has_password", .computed("t.password IS NOT NULL")),
            .choice(
                "status", ["pending", "active", "quarantined", "suspended", "disconnected", "terminated"], .initial("active")),
            .reference("profile", to: "profile", .summary("By name or id")),
            .address("static_ipv4", .ipv4),
            .prefix("ipv6_prefix", .ipv6),
            .prefix("delegated_ipv6_prefix", .ipv6),
            .textList("routes", .initial([]), .octets(1...253), .form(.route), .summary("Framed-Route, in order")),
            .integer("vlan", .range(1...4094)),
            .integer("inner_vlan", .range(1...4094)),
            .integer("session_timeout", .range(1...2_147_483_647), .summary("Seconds")),
            .integer("idle_timeout", .range(1...2_147_483_647), .summary("Seconds")),
            .integer("interim_interval", .range(60...86400), .summary("Seconds between interim accounting records")),
            .timestamp("expires_at", .summary("From then on refused; sessions end then")),
            .integer(
                "validity", .range(60...2_000_000_000),
                .summary("Seconds from the first accepted login until it expires; another one, or clearing expires_at, begins anew")),
            .timestamp("activated_at", .readOnly, .summary("The first accepted login, where a validity waited for it")),
            .choice(
                "mac_binding", ["ignore", "log", "enforce"], .initial("ignore"), .summary("Logins from a station that is not in macs")),
            .textList(
                "macs", .initial([]), .octets(1...32), .form(.boundMAC), .dataClass(.personal),
                .summary("Hardware addresses, in any notation, that it may log in from")),
            .choice("line_binding", ["ignore", "log", "enforce"], .initial("ignore"), .summary("Logins from a line that is not named")),
            .textList(
                "circuit_ids", .initial([]), .octets(1...508), .form(.boundLine), .summary("ADSL-Agent-Circuit-Id: text, or 0x and digits")),
            .textList("remote_ids", .initial([]), .octets(1...508), .form(.boundLine), .summary("ADSL-Agent-Remote-Id, likewise")),
            .textList("nas_port_ids", .initial([]), .octets(1...508), .form(.boundLine), .summary("NAS-Port-Id, likewise")),
            .boolean(
                "bind_on_first_use", .initial(false), .summary("The first accepted login fills macs, and the line, where they are empty")),
            .integer(
                "session_limit", .range(0...64), .summary("Places that it may be online from at once; 0: no limit; null: the profile's")),
            .choice("on_session_limit", ["reject", "replace"], .summary("One more is refused, or ends the oldest; null: the profile's")),
            .reference("quota", to: "quota", .summary("Instead of the profile's")),
            .integer("billing_day", .range(1...31), .summary("On which a quota's cycle begins; null: the quota's anchor_day")),
            .textList("filters", .initial([]), .octets(1...253), .summary("Filter-Id, in order")),
            .attributes("attributes", .initial([]), .summary("Further reply attributes, in order")),
            .text("full_name", .initial(""), .searchable, .octets(0...200), .dataClass(.personal)),
            .text("notes", .initial(""), .lines, .searchable, .octets(0...10_000), .dataClass(.personal)),
            .timestamp("created_at", .required, .readOnly),
            .timestamp("updated_at", .required, .readOnly),
        ],
        list: ["username", "status", "profile", "static_ipv4", "full_name"],
        actions: [SubscriberActions.explain, SubscriberActions.disconnect, QuotaActions.report, SubscriberImport.action],
        remedies: SubscriberBinding.remedies, rules: Rules(check: SubscriberActions.check, verify: SubscriberActions.verify))
}

extension TextForm {
    /// A login: any text without white space at its ends.
    static let username = TextForm(name: "username") { text in
        guard let first = text.first, let last = text.last else { return nil }
        return first.isWhitespace || last.isWhitespace ? "white space at its beginning or end is not possible" : nil
    }

    static let ntHash = TextForm(name: "nt-hash") { text in
        text.allSatisfy { $0.isASCII && $0.isHexDigit } ? nil : "32 hexadecimal digits are expected"
    }

    static let simCredential = TextForm(name: "sim-credential") { text in
        do throws(SIMCredential.Fault) {
            _ = try SIMCredential(text: text)
            return nil
        } catch {
            return error.sentence
        }
    }

    /// `$id$...` in printable ASCII.
    static let passwordHash = TextForm(name: "password-hash") { text in
        let isPrintable = text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        let hasScheme = text.hasPrefix("$") && text.dropFirst().contains("$")
        return isPrintable && hasScheme ? nil : "a crypt or PHC string is expected, such as $2b$12$... or $argon2id$..."
    }

    /// `192.0.2.0/24 198.51.100.1 1`: a network, then perhaps a gateway and metrics (RFC 2865 §5.22, RFC 3162 §2.5).
    static let route = TextForm(name: "route") { text in
        let words = text.split(separator: " ")
        guard let network = words.first, words.count <= 8 else { return "a network is expected, then perhaps a gateway and metrics" }
        do throws(FieldFault) {
            _ = try Field.prefix("route", .any).value(ofText: String(network)) { _, _ in nil }
        } catch {
            return "\(network): \(error.detail)"
        }
        guard words.count > 1 else { return nil }
        let gateway = String(words[1])
        guard IPAddress(text: gateway) != nil else { return "\(gateway) is no gateway's address" }
        return words.dropFirst(2).allSatisfy { Int($0) != nil } ? nil : "metrics are whole numbers"
    }
}
