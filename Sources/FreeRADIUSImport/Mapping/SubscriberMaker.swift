import RadiusCore

/// Makes one subscriber out of what FreeRADIUS would answer it.
struct SubscriberMaker {
    struct Draft {
        var record: ImportedSubscriber
        /// All that the reply says, groups included.
        var plan: Plan
        /// What the user's own items say of it.
        var own: Plan
        /// Fields of which the reply has a value, but none that is possible.
        var unsettled: Set<String>
        /// Also one without limits.
        var saysRate: Bool
    }

    private(set) var remarks: [Remark] = []
    private let user: SourceUser
    private let evaluation: Evaluation
    private let rules: Importer.Rules

    init(_ user: SourceUser, _ evaluation: Evaluation, _ rules: Importer.Rules) {
        self.user = user
        self.evaluation = evaluation
        self.rules = rules
    }

    private mutating func add(_ level: Remark.Level, _ place: Place, _ what: String, _ why: String, _ advice: String = "") {
        remarks.append(Remark(level, place, user.name, what, why, advice))
    }

    /// nil when the user is not carried over; the remarks say why.
    mutating func make() -> Draft? {
        guard isNameGood(), holdsAlways() else { return nil }
        var record = ImportedSubscriber(username: user.name, place: user.place)
        guard authentication(&record) else { return nil }
        for item in evaluation.control { limit(item.pair, &record) }
        let (personal, common) = split()
        for pair in personal { address(pair, &record) }
        let maker = PlanMaker(common, subject: user.name, isOctets: rules.isOctets, check: rules.check)
        let own = PlanMaker(common.filter { $0.origin.isEmpty }, subject: user.name, isOctets: rules.isOctets, check: rules.check)
        // What a group's items lose is remarked with the group.
        let places = Set(common.filter { $0.origin.isEmpty }.map(\.pair.place))
        remarks += maker.remarks.filter { places.contains($0.place) }
        record.unsettled = record.unsettled.union(maker.unsettled).subtracting(Self.given(record))
        return Draft(record: record, plan: maker.plan, own: own.plan, unsettled: maker.unsettled, saysRate: !maker.rateItems.isEmpty)
    }

    /// Fields that have a value, of those that a mistaken value may leave without one.
    private static func given(_ record: ImportedSubscriber) -> [String] {
        let fields = [
            ("session_limit", record.sessionLimit != nil), ("validity", record.validity != nil), ("expires_at", record.expiresAt != nil),
            ("static_ipv4", record.staticIPv4 != nil), ("ipv6_prefix", record.ipv6Prefix != nil),
            ("delegated_ipv6_prefix", record.delegatedIPv6Prefix != nil),
        ]
        return fields.compactMap { $0.1 ? $0.0 : nil }
    }

    // MARK: Whether at all

    private mutating func isNameGood() -> Bool {
        let reason: String? =
            if user.name.utf8.count > 253 {
                "a name has at most 253 octets (RFC 2865 §5.1)"
            } else if user.name.first?.isWhitespace == true || user.name.last?.isWhitespace == true {
                "white space at its beginning or end is not possible"
            } else if user.name.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }) {
                "it holds control characters"
            } else {
                nil
            }
        if let reason { add(.skipped, user.place, "name", reason, "Rename the user.") }
        return reason == nil
    }

    /// Whether the user's own check items demand nothing of the request.
    private mutating func holdsAlways() -> Bool {
        for pair in evaluation.restrictions {
            add(
                rules.options.dropsRestrictions ? .lost : .skipped, pair.place, pair.shown,
                rules.options.dropsRestrictions
                    ? "the demand is dropped: the user can log in without it" : "subscribers hold no demands on the request",
                "Carry it over with --drop-restrictions, and make a policy rule that rejects: \(Self.rule(user.name, pair))")
        }
        return evaluation.restrictions.isEmpty || rules.options.dropsRestrictions
    }

    /// The condition of a rule that refuses what the check item would not match.
    static func rule(_ user: String, _ pair: SourcePair) -> String {
        func quoted(_ text: String) -> String { "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\"" }
        let texts: Set<String> = [
            "calling-station-id", "called-station-id", "nas-identifier", "nas-port-id", "connect-info", "user-name", "huntgroup-name",
        ]
        // FreeRADIUS keeps the group in the request; here the NAS has it.
        let name = pair.key == "huntgroup-name" ? "nas.huntgroup" : pair.attribute
        let value = texts.contains(pair.key) ? quoted(pair.value) : pair.value
        let isPlain = [.isEqual, .isLess, .isAtMost, .isGreater, .isAtLeast].contains(pair.operation)
        let test: String
        switch pair.operation {
        case .isPresent: test = "has \(name)"
        case .isAbsent: test = "not has \(name)"
        case .isNotEqual: test = "not \(name) == \(value)"
        default: test = isPlain ? "\(name) \(pair.operation.rawValue) \(value)" : "\(name) matches ..."
        }
        return "subscriber.name == \(quoted(user)) and not (\(test))"
    }

    /// Password, or why there is none.
    private mutating func authentication(_ record: inout ImportedSubscriber) -> Bool {
        let passwords = PasswordReader(evaluation.control.map(\.pair), subject: user.name)
        record.password = passwords.password
        remarks += passwords.remarks
        let types = evaluation.control.map(\.pair).filter { $0.key == "auth-type" }
        if types.contains(where: { $0.value.lowercased() == "reject" }) { record.isSuspended = true }
        if let accept = types.first(where: { $0.value.lowercased() == "accept" }), !record.isSuspended {
            guard let station = Address.hardware(user.name) else {
                add(.skipped, accept.place, accept.shown, "a subscriber without a password cannot log in", "Give the user a password.")
                return false
            }
            if station != user.name {
                add(.note, user.place, "name", "a hardware address; it becomes \(station)")
            }
            (record.username, record.isMACAuthentication, record.password) = (station, true, nil)
            return true
        }
        for type in types where !["reject", "accept", "local", "pap", "chap", "mschap", "ms-chap", "eap"].contains(type.value.lowercased())
        {
            add(.lost, type.place, type.shown, "passwords that another system knows are not asked for", "Give the user a password.")
        }
        if !passwords.hasItem, !record.isSuspended {
            add(
                .lost, user.place, "password", "there is none; the user cannot log in",
                "Set a password: `lastmile subscriber update NAME --password ...`.")
        }
        return true
    }

    // MARK: Check items

    private mutating func limit(_ pair: SourcePair, _ record: inout ImportedSubscriber) {
        switch pair.key {
        case "auth-type", "smb-account-ctrl-text", "strip-user-name": break
        case "expiration": expiration(pair, &record)
        case "access-period", "expire-after":
            guard let seconds = Int(pair.value), (60...2_000_000_000).contains(seconds) else {
                record.unsettled.insert("validity")
                return add(.lost, pair.place, pair.shown, "60 to 2000000000 seconds from the first login are possible")
            }
            record.validity = seconds
        case "simultaneous-use":
            guard let count = Int(pair.value), (1...64).contains(count) else {
                record.unsettled.insert("session_limit")
                return add(.lost, pair.place, pair.shown, "1 to 64 sessions at once are possible")
            }
            record.sessionLimit = count
        case "login-time":
            add(
                .lost, pair.place, pair.shown, "subscribers hold no hours",
                "Make a policy rule with time.of_day and time.weekday; see docs/policy.md.")
        default:
            if ServerAttribute.isPassword(pair.key) { return }
            add(.lost, pair.place, pair.shown, "nothing here has this meaning")
        }
    }

    private mutating func expiration(_ pair: SourcePair, _ record: inout ImportedSubscriber) {
        guard let civil = ExpirationReader.read(pair.value), let seconds = rules.clock(civil) else {
            record.unsettled.insert("expires_at")
            return add(.lost, pair.place, pair.shown, "this is no date such as 31 Jan 2027 or Jan 31 2027 23:59:59", "Set expires_at.")
        }
        record.expiresAt = Timestamp.text(seconds)
    }

    // MARK: Reply items

    /// What is the subscriber's own by nature, and what a profile may say.
    private func split() -> (personal: [SourcePair], common: [Evaluation.Item]) {
        let keys: Set<String> = ["framed-ip-address", "framed-route", "framed-ipv6-prefix", "delegated-ipv6-prefix"]
        var personal: [SourcePair] = []
        var common: [Evaluation.Item] = []
        for item in evaluation.reply {
            if item.origin.isEmpty, keys.contains(item.pair.key), !item.pair.isExpanded {
                personal.append(item.pair)
            } else {
                common.append(item)
            }
        }
        return (personal, common)
    }

    private mutating func address(_ pair: SourcePair, _ record: inout ImportedSubscriber) {
        let isTaken: Bool
        switch pair.key {
        case "framed-ip-address":
            if ["255.255.255.254", "255.255.255.255"].contains(pair.value) {
                return add(.note, pair.place, pair.shown, "the NAS chooses the address, as it does without the attribute")
            }
            isTaken = record.staticIPv4 != nil
            record.staticIPv4 = record.staticIPv4 ?? Address.ipv4(pair.value)
            if record.staticIPv4 == nil {
                record.unsettled.insert("static_ipv4")
                return add(.lost, pair.place, pair.shown, "this is no IPv4 address")
            }
        case "framed-route":
            guard let route = Self.route(pair.value) else {
                return add(.lost, pair.place, pair.shown, "a route is a network, then perhaps a gateway and metrics")
            }
            record.routes.append(route)
            return
        default:
            guard let network = Address.network(pair.value), network.contains(":") else {
                record.unsettled.insert(pair.key == "framed-ipv6-prefix" ? "ipv6_prefix" : "delegated_ipv6_prefix")
                return add(.lost, pair.place, pair.shown, "this is no IPv6 prefix")
            }
            if pair.key == "framed-ipv6-prefix" {
                isTaken = record.ipv6Prefix != nil
                record.ipv6Prefix = record.ipv6Prefix ?? network
            } else {
                isTaken = record.delegatedIPv6Prefix != nil
                record.delegatedIPv6Prefix = record.delegatedIPv6Prefix ?? network
            }
        }
        if isTaken { add(.lost, pair.place, pair.shown, "a subscriber has one; the first was taken") }
    }

    /// The route with its network in the form that the interface takes.
    private static func route(_ text: String) -> String? {
        let words = text.split { $0 == " " || $0 == "\t" }
        guard let first = words.first, words.count <= 8, text.utf8.count <= 253, let network = Address.network(String(first)) else {
            return nil
        }
        if words.count > 1, AddressText.ipv4(words[1]) == nil, AddressText.ipv6(words[1]) == nil { return nil }
        guard words.dropFirst(2).allSatisfy({ Int($0) != nil }) else { return nil }
        return ([network] + words.dropFirst().map(String.init)).joined(separator: " ")
    }
}

/// Points in time as the interface spells them.
enum Timestamp {
    /// `2027-01-31T22:00:00Z` of seconds since the Unix epoch; the civil calendar for any year from 1970 on.
    static func text(_ seconds: Int64) -> String {
        let (days, rest) = (seconds / 86_400, seconds % 86_400)
        // Days since 1 March of the year 0, in eras of 400 years.
        let shifted = days + 719_468
        let era = shifted / 146_097
        let day = shifted - era * 146_097
        let yearOfEra = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
        let dayOfYear = day - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let part = (5 * dayOfYear + 2) / 153
        let month = part < 10 ? part + 3 : part - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let date = "\(year)-\(two(month))-\(two(dayOfYear - (153 * part + 2) / 5 + 1))"
        return date + "T\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))Z"
    }
}
