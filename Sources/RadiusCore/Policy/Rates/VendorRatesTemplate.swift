/// Fills `{placeholder}` in a vendor's text.
///
/// `u.` is upload and `d.` download: `bps`, `kbps`, `short` (10M, 512k), `burst` (short), `normal` and `extended` (octets of 1.5 s
/// and 3 s), `policy`; and `seconds` and `priority`. A placeholder without a value makes the whole template unusable.
struct RateTemplate {
    let rate: BandwidthRate
    /// An unlimited direction is written as 0.
    let zeroLifts: Bool

    /// Fits bits per second to a step, in a direction.
    typealias Fit = (_ bits: UInt64, _ step: UInt64, _ direction: RateDirection) -> UInt64

    mutating func fill(_ template: String, fit: Fit) -> String? {
        var text = ""
        var rest = template[...]
        while let open = rest.firstIndex(of: "{") {
            text += rest[..<open]
            guard let close = rest[open...].firstIndex(of: "}") else { return nil }
            guard let value = value(of: rest[rest.index(after: open)..<close], fit: fit) else { return nil }
            text += value
            rest = rest[rest.index(after: close)...]
        }
        return text + rest
    }

    private func value(of placeholder: Substring, fit: Fit) -> String? {
        switch placeholder {
        case "seconds": return rate.burstSeconds.map { String($0) }
        case "priority": return rate.priority.map { String($0) }
        default: break
        }
        let parts = placeholder.split(separator: ".")
        guard parts.count == 2 else { return nil }
        let direction: RateDirection = parts[0] == "u" ? .upload : .download
        switch parts[1] {
        case "policy": return rate.policy(direction)
        case "burst": return burst(direction, fit: fit)
        default: return sustained(parts[1], direction, fit: fit)
        }
    }

    private func sustained(_ form: Substring, _ direction: RateDirection, fit: Fit) -> String? {
        let bits = rate.bitsPerSecond(direction)
        guard bits > 0 else { return zeroLifts ? "0" : nil }
        switch form {
        case "bps": return String(fit(bits, 1, direction))
        case "kbps": return String(fit(bits, 1000, direction) / 1000)
        case "short": return Self.short(fit(bits, 1, direction))
        case "normal": return String(min(fit(bits, 1, direction) / 16 * 3, Self.largestNormalBurst))
        case "extended": return String(min(fit(bits, 1, direction) / 8 * 3, 2 * Self.largestNormalBurst))
        default: return nil
        }
    }

    /// Octets that IOS takes as a normal burst (Cisco IOS QoS command reference, rate-limit); the extended one may be twice that.
    private static let largestNormalBurst: UInt64 = 512_000_000

    /// A burst of either direction calls for both; the one without says 0.
    private func burst(_ direction: RateDirection, fit: Fit) -> String? {
        guard rate.burst(.upload) != nil || rate.burst(.download) != nil else { return nil }
        return rate.burst(direction).map { Self.short(fit($0, 1, direction)) } ?? "0"
    }

    /// `10M`, `512k` or digits; M is a million and k a thousand.
    private static func short(_ bits: UInt64) -> String {
        if bits > 0 && bits % 1_000_000 == 0 { return "\(bits / 1_000_000)M" }
        if bits > 0 && bits % 1000 == 0 { return "\(bits / 1000)k" }
        return String(bits)
    }
}
