import Admin
import RadiusCore

/// An explanation as the API gives it.
enum ExplanationJSON {
    /// - Parameters:
    ///   - explanation: what this server would answer.
    ///   - realm: whose home servers are asked instead; nil: it answers itself.
    /// - Returns: the text of an object.
    static func text(_ explanation: Explanation, realm: Realm? = nil) -> String {
        let pool = realm?.accessPool
        let answer = explanation.isAccepted ? "Access-Accept" : "Access-Reject"
        let sentence =
            pool.map {
                "The realm \(realm?.name ?? "") sends this name to the home servers of the pool \($0.name); the rest holds only without it."
            } ?? explanation.reason.sentence
        let value: JSON = [
            "username": .string(explanation.userName),
            "status": .string(explanation.status.name),
            "locks": .array(explanation.locks.map { ["reason": .string($0.reason.name), "level": .string($0.level.name)] }),
            "level": .string(explanation.level.name),
            "answer": .string(pool == nil ? answer : "forwarded"),
            "reason": .string(pool == nil ? explanation.reason.name : "proxied"),
            "sentence": .string(sentence),
            "credential": .string(name(of: explanation.credential)),
            "methods": .array(explanation.methods.map { .string($0.name) }),
            "profile": profile(explanation),
            "nas": ["name": .string(explanation.nas), "vendor": .string(explanation.vendor.name)],
            "sessions": sessions(explanation),
            "bindings": .array(explanation.bindings.map { binding($0) }),
            "rules": .array(explanation.rules.lines.map { rule($0) }),
            "addresses": .array(explanation.addresses.map { address($0) }),
            "warnings": .array(explanation.alarms.map { .string($0.message) }),
            "attributes": .array(explanation.attributes.map { attribute($0) }),
            "encoded": .string(explanation.encoded.map(hex).joined()),
        ]
        return String(decoding: value.bytes, as: UTF8.self)
    }

    private static func profile(_ explanation: Explanation) -> JSON {
        guard let profile = explanation.profile else { return .null }
        return [
            "id": .number(String(profile.id)), "name": .string(profile.name),
            "download": .number(String(profile.rate.downloadBitsPerSecond)),
            "upload": .number(String(profile.rate.uploadBitsPerSecond)),
        ]
    }

    private static func rule(_ line: PolicyReport.Line) -> JSON {
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
        case .exhausted: outcome = "exhausted"
        case .refilling: outcome = "refilling"
        case .cutOff: break
        }
        let kind: JSON = preview.kind.map { .string($0.rawValue) } ?? .null
        return ["pool": .string(preview.pool), "kind": kind, "address": text, "outcome": .string(outcome)]
    }

    private static func name(of credential: CredentialKind) -> String {
        switch credential {
        case .none: "none"
        case .clearText: "clear"
        case .ntHash: "nt"
        case .hash: "hash"
        }
    }

    private static func hex(_ octet: UInt8) -> String {
        (octet < 16 ? "0" : "") + String(octet, radix: 16)
    }
}
