import RadiusCore

/// Names of profiles that depend on what they hold alone, so that a later run finds them again.
enum ProfileNames {
    /// A group's name, as far as a profile can have it.
    static func name(ofGroups groups: [String]) -> String {
        let joined = groups.joined(separator: " + ")
        let isPlain = joined.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
        let hasMargin = joined.first?.isWhitespace == true || joined.last?.isWhitespace == true
        if isPlain, !hasMargin, (1...64).contains(joined.utf8.count) { return joined }
        var short = ""
        for scalar in joined.unicodeScalars where scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value) {
            guard short.utf8.count < 50 else { break }
            if short.isEmpty, scalar.properties.isWhitespace { continue }
            short.unicodeScalars.append(scalar)
        }
        return short + "-" + digest(joined)
    }

    /// `down-50M-up-10M`, with a digest behind it when there is more than that.
    static func name(of plan: Plan) -> String {
        var plain = Plan()
        plain.rate = BandwidthRate(
            downloadBitsPerSecond: plan.rate.downloadBitsPerSecond, uploadBitsPerSecond: plan.rate.uploadBitsPerSecond)
        let name = "down-\(short(plan.rate.downloadBitsPerSecond))-up-\(short(plan.rate.uploadBitsPerSecond))"
        return plan == plain ? name : name + "-" + digest(described(plan))
    }

    private static func short(_ rate: UInt64) -> String {
        if rate == 0 { return "unlimited" }
        for (unit, letter) in [(UInt64(1_000_000_000), "G"), (1_000_000, "M"), (1000, "k")] where rate % unit == 0 {
            return "\(rate / unit)\(letter)"
        }
        return String(rate)
    }

    static func described(_ plan: Plan) -> String {
        func text(_ value: (some CustomStringConvertible)?) -> String { value.map { "\($0)" } ?? "-" }
        let rate = plan.rate
        var parts = [
            text(rate.downloadBurstBitsPerSecond), text(rate.uploadBurstBitsPerSecond), text(rate.burstSeconds), text(rate.priority),
            text(rate.downloadPolicy), text(rate.uploadPolicy), text(plan.sessionTimeout), text(plan.idleTimeout),
            text(plan.interimInterval),
        ]
        parts += plan.filters + plan.attributes.map { "\($0.name)=\($0.value)" }
        return parts.joined(separator: "\u{1}")
    }

    /// FNV-1a of 32 bits: the same in every run.
    static func digest(_ text: String) -> String {
        let hash = text.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
