import RadiusCore

/// Reads rates out of the attributes that vendors take them in; the other way round of `VendorRates`.
///
/// `upload` is what the subscriber sends: `rx`, `input`, `ingress` and `up` of the attributes; `download` is `tx`, `output`, `egress`, `down`.
struct RateReader {
    /// What an attribute says of a rate.
    struct Statement: Equatable {
        var upload: UInt64?
        var download: UInt64?
        var uploadBurst: UInt64?
        var downloadBurst: UInt64?
        var burstSeconds: UInt32?
        var priority: UInt8?
        var uploadPolicy: String?
        var downloadPolicy: String?
        /// What of the value the model cannot hold.
        var losses: [String] = []
    }

    /// A number that one attribute carries.
    private struct Number: Sendable {
        let path: any WritableKeyPath<Statement, UInt64?> & Sendable
        let unit: UInt64
    }

    private static let bit: UInt64 = 1
    private static let kilobit: UInt64 = 1000

    /// Attributes that hold a number whose unit the vendor documents; others are kept as attributes, since a guess would change the speed.
    private static let numbers: [String: Number] = [
        "wispr-bandwidth-max-up": Number(path: \.upload, unit: bit), "wispr-bandwidth-max-down": Number(path: \.download, unit: bit),
        "ascend-data-rate": Number(path: \.upload, unit: bit), "ascend-xmit-rate": Number(path: \.download, unit: bit),
        "huawei-input-average-rate": Number(path: \.upload, unit: bit), "huawei-output-average-rate": Number(path: \.download, unit: bit),
        "huawei-input-peak-rate": Number(path: \.uploadBurst, unit: bit),
        "huawei-output-peak-rate": Number(path: \.downloadBurst, unit: bit),
        "h3c-input-average-rate": Number(path: \.upload, unit: bit), "h3c-output-average-rate": Number(path: \.download, unit: bit),
        "h3c-input-peak-rate": Number(path: \.uploadBurst, unit: bit), "h3c-output-peak-rate": Number(path: \.downloadBurst, unit: bit),
        "pfsense-bandwidth-max-up": Number(path: \.upload, unit: bit), "pfsense-bandwidth-max-down": Number(path: \.download, unit: bit),
        "chillispot-bandwidth-max-up": Number(path: \.upload, unit: kilobit),
        "chillispot-bandwidth-max-down": Number(path: \.download, unit: kilobit),
        "hp-bandwidth-max-ingress": Number(path: \.upload, unit: kilobit),
        "hp-bandwidth-max-egress": Number(path: \.download, unit: kilobit),
        "asn-kbps-up": Number(path: \.upload, unit: kilobit), "asn-kbps-down": Number(path: \.download, unit: kilobit),
        "motorola-canopy-ulbr": Number(path: \.upload, unit: kilobit), "motorola-canopy-dlbr": Number(path: \.download, unit: kilobit),
        "cambium-epmp-max-burst-uplink-rate": Number(path: \.upload, unit: kilobit),
        "cambium-epmp-max-burst-downlink-rate": Number(path: \.download, unit: kilobit),
    ]

    /// Attributes that name a policy of the NAS.
    private static let policies: [String: any WritableKeyPath<Statement, String?> & Sendable] = [
        "erx-ingress-policy-name": \.uploadPolicy, "erx-egress-policy-name": \.downloadPolicy,
        "alc-subsc-prof-str": \.uploadPolicy, "alc-sla-prof-str": \.downloadPolicy,
        "cisco-sub-qos-pol-in": \.uploadPolicy, "cisco-sub-qos-pol-out": \.downloadPolicy,
    ]

    /// The vendor whose attribute `key` is; nil when it is of none that says rates.
    static func vendor(of key: String) -> NASVendor? {
        switch key {
        case "mikrotik-rate-limit": .mikrotik
        case "cisco-avpair": .cisco
        default:
            [
                ("wispr-", .wispr), ("ascend-", .ascend), ("huawei-", .huawei), ("h3c-", .h3c), ("pfsense-", .pfsense),
                ("chillispot-", .chillispot), ("hp-", .hp), ("asn-", .asn), ("motorola-", .canopy), ("cambium-", .cambium),
                ("erx-", .juniper),
                ("alc-", .nokia),
            ].first { (prefix: String, _: NASVendor) in key.hasPrefix(prefix) }?.1
        }
    }

    /// What the attribute `key` with `value` says; nil when it says nothing of a rate, or in a form that the model does not have.
    static func statement(_ key: String, _ value: String) -> Statement? {
        if let number = numbers[key] {
            guard let count = UInt64(value), count <= limit / number.unit else { return nil }
            var statement = Statement()
            statement[keyPath: number.path] = count * number.unit
            return statement
        }
        if let path = policies[key] {
            guard (1...200).contains(value.utf8.count) else { return nil }
            var statement = Statement()
            statement[keyPath: path] = value
            return statement
        }
        switch key {
        case "mikrotik-rate-limit": return MikrotikRateLimit.statement(value)
        case "cisco-avpair": return CiscoShaping.statement(value)
        case "alc-subscriber-qos-override": return override(value)
        case "erx-cos-shaping-pmt-type": return shaping(value)
        default: return nil
        }
    }

    /// The largest rate that a profile takes.
    static let limit: UInt64 = 10_000_000_000_000

    /// Nokia: ingress queue 1 and the egress aggregate, in kbit/s.
    private static func override(_ value: String) -> Statement? {
        var statement = Statement()
        let text = value.lowercased()
        if text.hasPrefix("i:q:1:pir="), let rate = scaled(text.dropFirst(10), kilobit) {
            statement.upload = rate
        } else if text.hasPrefix("e:r:rate="), let rate = scaled(text.dropFirst(9), kilobit) {
            statement.download = rate
        } else {
            return nil
        }
        return statement
    }

    /// Juniper: T02 is the shaping rate towards the subscriber, in bit/s, with k, m or g.
    private static func shaping(_ value: String) -> Statement? {
        let words = value.split(separator: " ")
        guard words.count == 2, words[0].uppercased() == "T02", let rate = MikrotikRateLimit.rate(words[1]) else { return nil }
        var statement = Statement()
        statement.download = rate
        return statement
    }

    private static func scaled(_ digits: Substring, _ unit: UInt64) -> UInt64? {
        guard let count = UInt64(digits), count <= limit / unit else { return nil }
        return count * unit
    }
}

/// MikroTik's `rx/tx [rx-burst/tx-burst [rx-threshold/tx-threshold [rx-time/tx-time [priority [rx-min/tx-min]]]]]`.
///
/// The router receives (rx) what the subscriber uploads. A single value holds for both.
enum MikrotikRateLimit {
    static func statement(_ value: String) -> RateReader.Statement? {
        let words = value.split { $0 == " " || $0 == "\t" }
        guard (1...6).contains(words.count), let rates = pair(words[0], rate) else { return nil }
        var statement = RateReader.Statement()
        (statement.upload, statement.download) = rates
        guard let bursts = optional(words, 1, rate), let thresholds = optional(words, 2, rate), let times = optional(words, 3, seconds),
            let minimums = optional(words, 5, rate)
        else { return nil }
        statement.uploadBurst = bursts.0 > rates.0 ? bursts.0 : nil
        statement.downloadBurst = bursts.1 > rates.1 ? bursts.1 : nil
        let hasBurst = statement.uploadBurst != nil || statement.downloadBurst != nil
        if hasBurst, times != (0, 0) {
            statement.burstSeconds = UInt32(min(max(times.0, times.1, 1), 3600))
            if times.0 != times.1 { statement.losses.append("two burst times; the longer one holds for both directions") }
            if max(times.0, times.1) > 3600 { statement.losses.append("a burst time above an hour; an hour was taken") }
        }
        if hasBurst, thresholds != (0, 0), thresholds != rates {
            statement.losses.append("burst thresholds other than the rates; the rates serve as thresholds")
        }
        if words.count > 4 {
            guard let priority = UInt8(words[4]), (1...8).contains(priority) else { return nil }
            statement.priority = priority
        }
        if minimums != (0, 0) { statement.losses.append("guaranteed minimum rates, which profiles do not have") }
        return statement
    }

    private static func optional(
        _ words: [Substring], _ position: Int, _ parse: (Substring) -> UInt64?
    ) -> (UInt64, UInt64)? {
        words.count > position ? pair(words[position], parse) : (0, 0)
    }

    private static func pair(_ word: Substring, _ parse: (Substring) -> UInt64?) -> (UInt64, UInt64)? {
        let parts = word.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let first = parse(parts[0]) else { return nil }
        guard parts.count == 2 else { return (first, first) }
        return parse(parts[1]).map { (first, $0) }
    }

    private static func seconds(_ text: Substring) -> UInt64? {
        UInt64(text.hasSuffix("s") ? text.dropLast() : text).flatMap { $0 <= 1_000_000 ? $0 : nil }
    }

    /// Digits with k, M or G, which are thousands, millions and milliards.
    static func rate(_ text: Substring) -> UInt64? {
        var digits = text
        var unit: UInt64 = 1
        switch text.last {
        case "k", "K": unit = 1000
        case "m", "M": unit = 1_000_000
        case "g", "G": unit = 1_000_000_000
        default: break
        }
        if unit > 1 { digits = digits.dropLast() }
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let count = UInt64(digits), count <= RateReader.limit / unit else {
            return nil
        }
        return count * unit
    }
}

/// The shaping forms of Cisco-AVPair; `in` and `input` are what the subscriber uploads.
enum CiscoShaping {
    static func statement(_ value: String) -> RateReader.Statement? {
        var statement = RateReader.Statement()
        for prefix in ["ip:sub-qos-policy-", "sub-qos-policy-"] where value.hasPrefix(prefix) {
            let parts = value.dropFirst(prefix.count).split(separator: "=", maxSplits: 1)
            guard parts.count == 2, (1...200).contains(parts[1].utf8.count) else { return nil }
            switch parts[0] {
            case "in": statement.uploadPolicy = String(parts[1])
            case "out": statement.downloadPolicy = String(parts[1])
            default: return nil
            }
            return statement
        }
        if value.hasPrefix("lcp:interface-config"), let start = value.firstRange(of: "rate-limit ") {
            let words = value[start.upperBound...].split(separator: " ")
            // The plain form alone: with an access list it is a rate of some traffic only.
            guard words.count >= 2, let rate = MikrotikRateLimit.rate(words[1]) else { return nil }
            switch words[0] {
            case "input": statement.upload = rate
            case "output": statement.download = rate
            default: return nil
            }
            return statement
        }
        return classPolicer(value, &statement) ? statement : nil
    }

    /// `qos-policy-in=add-class(sub,(class-default),police(10000000))`
    private static func classPolicer(_ value: String, _ statement: inout RateReader.Statement) -> Bool {
        for (prefix, isUpload) in [
            ("qos-policy-in=add-class(sub,(class-default),", true), ("qos-policy-out=add-class(sub,(class-default),", false),
        ] {
            for prefix in [prefix, "ip:" + prefix] where value.hasPrefix(prefix) {
                let rest = value.dropFirst(prefix.count)
                guard let action = ["police(", "shape("].first(where: { rest.hasPrefix($0) }) else { return false }
                let digits = rest.dropFirst(action.count).prefix { $0.isASCII && $0.isNumber }
                guard let rate = MikrotikRateLimit.rate(digits) else { return false }
                if isUpload { statement.upload = rate } else { statement.download = rate }
                return true
            }
        }
        return false
    }
}
