import Database
internal import RadiusCore

/// What a subscriber may be bound to.
enum SubscriberBinding {
    /// Why a subscriber cannot be bound as somebody says, and what to do.
    struct Flaw {
        let column: String
        let code: String
        let detail: String

        var fault: Problem.Fault { .member(column, code, detail) }
    }

    static let noStation = Flaw(column: "macs", code: "required", detail: "mac_binding needs some, or bind_on_first_use")
    static let noLine = Flaw(
        column: "circuit_ids", code: "required", detail: "line_binding needs some, or remote_ids, nas_port_ids or bind_on_first_use")

    /// The table's constraints that refuse the same of a change.
    static let remedies = ["subscriber_macs_check1": noStation.fault, "subscriber_line_binding_check1": noLine.fault]

    /// The fields that bind, as the table calls them too: two modes, a switch, four lists.
    static let fields = ["mac_binding", "line_binding", "bind_on_first_use", "macs", "circuit_ids", "remote_ids", "nas_port_ids"]

    /// Modes of a subscriber with these members that hold it to nothing, so that it could not log in at all.
    static func flaws(_ members: [JSON.Member]) -> [Flaw] {
        func has(_ names: String...) -> Bool {
            members.contains { names.contains($0.name) && $0.value.elements?.isEmpty == false }
        }
        func isOn(_ name: String) -> Bool {
            members.contains { $0.name == name && $0.value != .null && $0.value != .string("ignore") }
        }
        guard !members.contains(where: { $0.name == "bind_on_first_use" && $0.value == .boolean(true) }) else { return [] }
        var flaws: [Flaw] = []
        if isOn("mac_binding"), !has("macs") { flaws.append(noStation) }
        if isOn("line_binding"), !has("circuit_ids", "remote_ids", "nas_port_ids") { flaws.append(noLine) }
        return flaws
    }

    /// Whether these members are too many for a record.
    static func excess(of members: [JSON.Member]) -> [Flaw] {
        var values: [(kind: BindingKind, text: String)] = []
        for (name, kind) in zip(fields[3...], [BindingKind.mac, .circuit, .remote, .port]) {
            let texts = members.first { $0.name == name }?.value.elements ?? []
            values += texts.compactMap { text in text.text.map { (kind, $0) } }
        }
        guard !SubscriberBindings.fit(values) else { return [] }
        return [
            Flaw(
                column: values.contains { $0.kind == .circuit } ? "circuit_ids" : "macs", code: "length",
                detail: "all that a subscriber is bound to has at most \(SubscriberBindings.largest) octets together")
        ]
    }

    /// The values of a stored subscriber that are too many for a record.
    static func faults(_ connection: Connection, _ id: Int64) throws -> [Problem.Fault] {
        try stored(connection, "id = $1", .int(id)).values.flatMap { excess(of: $0).map(\.fault) }
    }

    /// What subscribers are bound to, by the octets of their names.
    static func stored(_ connection: Connection, _ condition: String, _ parameter: SQLValue) throws -> [[UInt8]: [JSON.Member]] {
        var found: [[UInt8]: [JSON.Member]] = [:]
        let text = "SELECT username, \(fields.joined(separator: ", ")) FROM aaa.subscriber WHERE \(condition)"
        try connection.query(text, [parameter]) { row in
            let lists = try (4...7).map { JSON.array(try row.strings($0).map(JSON.string)) }
            let values = [JSON.string(try row.string(1)), .string(try row.string(2)), .boolean(try row.bool(3))] + lists
            found[Array(try row.string(0).utf8)] = zip(fields, values).map { JSON.Member($0, $1) }
        }
        return found
    }
}

extension SubscriberSheet {
    /// Refuses lines that would bind a subscriber to nothing, or to more than a record holds.
    mutating func refuseUnboundable(_ connection: Connection) throws {
        let named = columns.map(\.name).filter(SubscriberBinding.fields.contains)
        guard !named.isEmpty else { return }
        let stored = try SubscriberBinding.stored(connection, "username = ANY($1::text[])", .textArray(rows.map(\.username)))
        for row in rows {
            // A column that the file has not stays as it is; an empty cell is the default.
            var members = (stored[row.key] ?? []).filter { !named.contains($0.name) }
            for (field, value) in row.values where named.contains(field.name) {
                members.append(JSON.Member(field.name, try SubscriberImport.plain(value) { $0 }))
            }
            for flaw in SubscriberBinding.flaws(members) + SubscriberBinding.excess(of: members) {
                refuse(row.line, flaw.column, flaw.code, flaw.detail)
            }
        }
        let refused = refusedLines
        rows.removeAll { refused.contains($0.line) }
    }
}

extension TextForm {
    static let boundMAC = TextForm(name: "mac") { SubscriberBindings.fault(of: $0, .mac) }
    static let boundLine = TextForm(name: "line") { SubscriberBindings.fault(of: $0, .circuit) }
}
