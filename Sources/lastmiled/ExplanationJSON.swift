import Admin
import RadiusCore

/// An explanation as the API gives it.
enum ExplanationJSON {
    static func text(_ explanation: Explanation) -> String {
        let value: JSON = [
            "username": .string(explanation.userName),
            "status": .string(explanation.status.name),
            "locks": .array(explanation.locks.map { ["reason": .string($0.reason.name), "level": .string($0.level.name)] }),
            "level": .string(explanation.level.name),
            "answer": .string(explanation.isAccepted ? "Access-Accept" : "Access-Reject"),
            "reason": .string(explanation.reason.name),
            "sentence": .string(explanation.reason.sentence),
            "credential": .string(name(of: explanation.credential)),
            "methods": .array(explanation.methods.map { .string($0.name) }),
            "profile": profile(explanation),
            "nas": ["name": .string(explanation.nas), "vendor": .string(explanation.vendor.name)],
            "rules": .array(explanation.rules.lines.map { rule($0) }),
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

    private static func attribute(_ pair: AttributePair) -> JSON {
        [
            "name": .string(pair.name), "tag": pair.tag.map { .number(String($0)) } ?? .null,
            "value": .string(pair.isSecret ? "(hidden)" : pair.value),
        ]
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
