import RadiusCore

/// What a subscriber is bound to, and its own limit of sessions, as one column of the few that have either.
enum BindingColumn {
    /// Modes, `true` where the first login binds, limit and what becomes of one more (empty: as the profile says); then the values, each
    /// behind a letter for its kind. Null for those who have nothing of it.
    static let sql = """
        CASE WHEN t.mac_binding <> 'ignore' OR t.line_binding <> 'ignore' OR t.session_limit IS NOT NULL OR t.on_session_limit IS NOT NULL THEN
            ARRAY[t.mac_binding, t.line_binding, t.bind_on_first_use::text, coalesce(t.session_limit::text, ''),
                coalesce(t.on_session_limit, '')] || \(values("m", "macs")) || \(values("c", "circuit_ids"))
                || \(values("r", "remote_ids")) || \(values("p", "nas_port_ids")) END
        """

    private static func values(_ letter: String, _ column: String) -> String {
        "ARRAY(SELECT '\(letter)' || v FROM unnest(t.\(column)) WITH ORDINALITY u(v, n) ORDER BY n)"
    }

    /// The words of the column. A mode that is unknown counts as the strictest.
    static func bindings(_ words: [String]) -> SubscriberBindings {
        guard words.count >= 5 else { return SubscriberBindings(mac: .enforce, line: .enforce, bindsOnFirstUse: false) }
        var bindings = SubscriberBindings(
            mac: BindingMode(name: words[0]) ?? .enforce, line: BindingMode(name: words[1]) ?? .enforce, bindsOnFirstUse: words[2] == "true"
        )
        bindings.sessionLimit = UInt16(words[3])
        bindings.replacesSessions = words[4].isEmpty ? nil : words[4] == "replace"
        for word in words[5...] {
            if let kind = kind(word.first) { bindings.allow(kind, String(word.dropFirst())) }
        }
        return bindings
    }

    private static func kind(_ letter: Character?) -> BindingKind? {
        switch letter {
        case "m": .mac
        case "c": .circuit
        case "r": .remote
        case "p": .port
        default: nil
        }
    }
}
