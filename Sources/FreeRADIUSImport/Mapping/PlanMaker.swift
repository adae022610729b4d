import RadiusCore

/// Makes plans out of reply items.
struct PlanMaker {
    /// Why the daemon would refuse an attribute with this name and value; nil when it takes it.
    typealias AttributeCheck = (_ name: String, _ value: String) -> String?

    let check: AttributeCheck
    let isOctets: (_ name: String) -> Bool
    private(set) var plan = Plan()
    private(set) var remarks: [Remark] = []
    /// Fields of which there is a value, but none that is possible.
    private(set) var unsettled: Set<String> = []
    /// Where the attributes that gave the rate stand.
    private(set) var rateItems: [Evaluation.Item] = []
    private let subject: String

    init(
        _ items: [Evaluation.Item], subject: String, isOctets: @escaping (_ name: String) -> Bool = { _ in false },
        check: @escaping AttributeCheck
    ) {
        self.subject = subject
        self.check = check
        self.isOctets = isOctets
        var rates: [(item: Evaluation.Item, vendor: NASVendor, statement: RateReader.Statement)] = []
        for item in items {
            let pair = item.pair
            if pair.isExpanded {
                if let field = Self.fields[pair.key] { unsettled.insert(field) }
                lose(pair, "FreeRADIUS computes its value at each login", "A policy rule may set it; see docs/policy.md.")
            } else if let vendor = RateReader.vendor(of: pair.key), let statement = RateReader.statement(pair.key, pair.value) {
                rates.append((item, vendor, statement))
            } else {
                take(pair)
            }
        }
        settle(rates)
        // Of another item there is a value.
        let settled = [
            ("session_timeout", plan.sessionTimeout), ("idle_timeout", plan.idleTimeout), ("interim_interval", plan.interimInterval),
        ]
        for (field, value) in settled where value != nil { unsettled.remove(field) }
    }

    /// What items become that a subscriber or profile may have otherwise.
    private static let fields = [
        "session-timeout": "session_timeout", "idle-timeout": "idle_timeout", "acct-interim-interval": "interim_interval",
        "framed-ip-address": "static_ipv4", "framed-ipv6-prefix": "ipv6_prefix", "delegated-ipv6-prefix": "delegated_ipv6_prefix",
    ]

    private mutating func lose(_ pair: SourcePair, _ why: String, _ advice: String = "", _ level: Remark.Level = .lost) {
        remarks.append(Remark(level, pair.place, subject, pair.shown, why, advice))
    }

    private mutating func take(_ pair: SourcePair) {
        switch pair.key {
        case "session-timeout": plan.sessionTimeout = seconds(pair, 1...2_147_483_647, "session_timeout", plan.sessionTimeout)
        case "idle-timeout": plan.idleTimeout = seconds(pair, 1...2_147_483_647, "idle_timeout", plan.idleTimeout)
        case "acct-interim-interval": plan.interimInterval = seconds(pair, 60...86_400, "interim_interval", plan.interimInterval)
        case "filter-id":
            if let reason = check("Filter-Id", pair.value) { return lose(pair, reason) }
            plan.filters.append(pair.value)
        default: attribute(pair)
        }
    }

    /// The value, else the one that is known already.
    private mutating func seconds(_ pair: SourcePair, _ range: ClosedRange<Int>, _ field: String, _ known: Int?) -> Int? {
        if let value = Int(pair.value), range.contains(value) {
            unsettled.remove(field)
            return value
        }
        if pair.value == "0" {
            lose(pair, "0 means no limit, which is what holds without it", "", .note)
        } else {
            lose(pair, "\(range.lowerBound) to \(range.upperBound) seconds are possible", "Give the subscriber or profile another value.")
            if known == nil { unsettled.insert(field) }
        }
        return known
    }

    private mutating func attribute(_ pair: SourcePair) {
        if ServerAttribute.isControl(pair.key) {
            return lose(pair, "it means something among check items only", "", .note)
        }
        var value = pair.value
        // FreeRADIUS takes text for octets as it stands.
        if isOctets(pair.attribute), !value.lowercased().hasPrefix("0x") { value = "0x" + Hexadecimal.text(Array(value.utf8)) }
        if let reason = check(pair.attribute, value) {
            return lose(pair, reason, "See whether a dictionary is missing, or a value's name differs.")
        }
        guard plan.attributes.count < 100 else { return lose(pair, "more than 100 attributes are not possible") }
        plan.attributes.append(ReplyText(pair.attribute, value))
    }

    // MARK: Rates

    /// One rate of what several vendors' attributes say: the first vendor of MikroTik's own order of preference that says it wins.
    private mutating func settle(_ all: [(item: Evaluation.Item, vendor: NASVendor, statement: RateReader.Statement)]) {
        rateItems = all.map(\.item)
        func rank(_ vendor: NASVendor) -> Int { vendor == .mikrotik ? 0 : vendor == .wispr ? 2 : 1 }
        let ordered = all.enumerated().sorted { (rank($0.element.vendor), $0.offset) < (rank($1.element.vendor), $1.offset) }.map(\.element)
        var upload: UInt64?
        var download: UInt64?
        for (item, _, statement) in ordered {
            for loss in statement.losses { lose(item.pair, loss) }
            if Self.disagrees(upload, statement.upload) || Self.disagrees(download, statement.download) {
                lose(item.pair, "another attribute gives another rate, and a profile has one", "See which speed is right.")
                continue
            }
            upload = upload ?? statement.upload
            download = download ?? statement.download
            plan.rate.uploadBurstBitsPerSecond = plan.rate.uploadBurstBitsPerSecond ?? statement.uploadBurst
            plan.rate.downloadBurstBitsPerSecond = plan.rate.downloadBurstBitsPerSecond ?? statement.downloadBurst
            plan.rate.burstSeconds = plan.rate.burstSeconds ?? statement.burstSeconds
            plan.rate.priority = plan.rate.priority ?? statement.priority
            plan.rate.uploadPolicy = plan.rate.uploadPolicy ?? statement.uploadPolicy
            plan.rate.downloadPolicy = plan.rate.downloadPolicy ?? statement.downloadPolicy
        }
        plan.rate.uploadBitsPerSecond = upload ?? 0
        plan.rate.downloadBitsPerSecond = download ?? 0
        // A peak that is not above the rate is none.
        if plan.rate.burst(.upload) == nil { plan.rate.uploadBurstBitsPerSecond = nil }
        if plan.rate.burst(.download) == nil { plan.rate.downloadBurstBitsPerSecond = nil }
    }

    private static func disagrees(_ known: UInt64?, _ other: UInt64?) -> Bool {
        guard let known, let other else { return false }
        return known != other
    }
}

extension BandwidthRate {
    /// Says nothing.
    var isUnlimited: Bool { self == BandwidthRate(downloadBitsPerSecond: 0, uploadBitsPerSecond: 0) }
}
