import Admin
import RadiusCore

/// An explanation as the API gives it.
enum ExplanationJSON {
    /// - Parameters:
    ///   - explanation: what this server would answer.
    ///   - forwarding: where the login goes before that.
    /// - Returns: the text of an object.
    static func text(_ explanation: Explanation, _ forwarding: ForwardingReport) -> String {
        let isForwarded = forwarding.isForwarded
        let answer = explanation.isAccepted ? "Access-Accept" : "Access-Reject"
        let sentence = sentence(forwarding).map { $0 + "; the rest holds only without it." } ?? explanation.sentence
        let warnings = explanation.alarms.map(\.message) + (explanation.quotaWarning.map { [$0] } ?? [])
        let value: JSON = [
            "username": .string(explanation.userName),
            "status": .string(explanation.status.name),
            "locks": .array(explanation.locks.map { ["reason": .string($0.reason.name), "level": .string($0.level.name)] }),
            "level": .string(explanation.level.name),
            "answer": .string(isForwarded ? "forwarded" : answer),
            "reason": .string(isForwarded ? "proxied" : explanation.reason.name),
            "sentence": .string(sentence),
            "forwarding": self.forwarding(forwarding),
            "credential": .string(name(of: explanation.credential)),
            "methods": .array(explanation.methods.map { .string($0.name) }),
            "profile": profile(explanation),
            "nas": ["name": .string(explanation.nas), "vendor": .string(explanation.vendor.name)],
            "sessions": sessions(explanation),
            "bindings": .array(explanation.bindings.map { binding($0) }),
            "rules": .array((forwarding.rules.lines + explanation.rules.lines).map { rule($0) }),
            "addresses": .array(explanation.addresses.map { address($0) }),
            "warnings": .array(warnings.map { .string($0) }),
            "attributes": .array(explanation.attributes.map { attribute($0) }),
            "encoded": .string(Hexadecimal.text(explanation.encoded)),
        ]
        return String(decoding: value.bytes, as: UTF8.self)
    }

    /// A login that home servers answer, whoever it may be here.
    static func text(_ forwarding: ForwardingReport, _ userName: String, _ client: NASClient) -> String {
        let value: JSON = [
            "username": .string(userName),
            "answer": "forwarded",
            "reason": "proxied",
            "sentence": .string((sentence(forwarding) ?? "") + "."),
            "forwarding": self.forwarding(forwarding),
            "nas": ["name": .string(client.name), "vendor": .string(client.vendor.name)],
            "rules": .array(forwarding.rules.lines.map { rule($0) }),
        ]
        return String(decoding: value.bytes, as: UTF8.self)
    }

    /// What holds for a name outside of a tunnel, whoever is inside.
    ///
    /// - Parameters:
    ///   - handshake: what is known so early.
    ///   - userName: the name outside.
    ///   - isSubscriber: there is a subscriber of this name.
    ///   - client: the NAS that asks.
    ///   - rules: that are asked so early.
    /// - Returns: the text of an object.
    static func text(
        _ handshake: HandshakeReport, _ userName: String, isSubscriber: Bool, _ client: NASClient, _ rules: [PolicyReport.Line]
    ) -> String {
        let who = isSubscriber ? "" : "“\(userName)” is no subscriber's name (a new one takes up to a second). "
        let rest =
            handshake.inside.isEmpty
            ? "try the name inside for the answer."
            : "for the answer try the name inside by one of \(handshake.inside.map(\.name).joined(separator: ", "))."
        let sentence = handshake.refusal?.sentence ?? "Only what holds before anything inside of EAP is known is shown; " + rest
        let value: JSON = [
            "username": .string(userName),
            "answer": .string(handshake.refusal == nil ? "undecided" : "Access-Reject"),
            "reason": handshake.refusal.map { .string($0.name) } ?? .null,
            "sentence": .string(who + sentence),
            "forwarding": .null,
            "nas": ["name": .string(client.name), "vendor": .string(client.vendor.name)],
            "rules": .array(rules.map { rule($0) }),
        ]
        return String(decoding: value.bytes, as: UTF8.self)
    }

    /// Who sends a login away, without the full stop; nil when it stays.
    static func sentence(_ report: ForwardingReport) -> String? {
        guard let realm = report.realm, let pool = realm.accessPool else { return nil }
        let who =
            report.rule.map { "The rule \($0) sends this login, as the realm \(realm.name)," } ?? "The realm \(realm.name) sends this name"
        return "\(who) to the home servers of the pool \(pool.name)"
    }

    private static func forwarding(_ report: ForwardingReport) -> JSON {
        guard let realm = report.realm, let pool = realm.accessPool else { return .null }
        return [
            "realm": .string(realm.name), "pool": .string(pool.name), "rule": report.rule.map { .string($0) } ?? .null,
            "forwarded_as": .string(report.forwardedName),
        ]
    }

    private static func profile(_ explanation: Explanation) -> JSON {
        guard let profile = explanation.profile else { return .null }
        return [
            "id": .number(String(profile.id)), "name": .string(profile.name),
            "download": .number(String(profile.rate.downloadBitsPerSecond)),
            "upload": .number(String(profile.rate.uploadBitsPerSecond)),
        ]
    }

    static func rule(_ line: PolicyReport.Line) -> JSON {
        [
            "id": .number(String(line.rule)), "name": .string(line.name), "priority": .number(String(line.priority)),
            "result": .string(line.result.rawValue), "detail": .string(line.detail),
        ]
    }

    private static func sessions(_ explanation: Explanation) -> JSON {
        guard let sessions = explanation.sessions else { return .null }
        return [
            "limit": .number("\(sessions.limit.count)"), "on_limit": .string(sessions.limit.word),
            "places": sessions.places.map { .number("\($0)") } ?? .null,
        ]
    }

    private static func binding(_ line: BindingReport.Line) -> JSON {
        [
            "attribute": .string(line.attribute), "mode": .string(line.mode.name), "bound": .array(line.bound.map { .string($0) }),
            "received": line.received.map { .string($0) } ?? .null, "result": .string(line.result.rawValue),
        ]
    }

    private static func attribute(_ pair: AttributePair) -> JSON {
        [
            "name": .string(pair.name), "tag": pair.tag.map { .number(String($0)) } ?? .null,
            "value": .string(pair.isSecret ? "(hidden)" : pair.value),
        ]
    }

    private static func address(_ preview: AddressPreview) -> JSON {
        var (text, outcome): (JSON, String) = (.null, "cut_off")
        switch preview.offer {
        case .item(let address, let length):
            text = .string(preview.kind == .ipv4 ? address.text : "\(address.text)/\(length)")
            outcome = preview.isSticky ? "had_before" : "next_free"
        case .exhausted(let why, _): outcome = name(of: why)
        case .refilling: outcome = "refilling"
        case .cutOff: break
        }
        let kind: JSON = preview.kind.map { .string($0.rawValue) } ?? .null
        return ["pool": .string(preview.pool), "kind": kind, "address": text, "outcome": .string(outcome)]
    }

    private static func name(of shortage: AddressShortage) -> String {
        switch shortage {
        case .used: "exhausted"
        case .elsewhere: "elsewhere"
        case .settling: "settling"
        case .switchedOff: "switched_off"
        }
    }

    private static func name(of credential: CredentialKind) -> String {
        switch credential {
        case .none: "none"
        case .clearText: "clear"
        case .ntHash: "nt"
        case .hash: "hash"
        }
    }
}
