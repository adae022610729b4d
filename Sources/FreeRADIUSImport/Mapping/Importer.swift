public import RadiusCore

/// Decides what becomes of everything that was read.
public struct Importer {
    /// What the operator may choose.
    public struct Options: Sendable {
        /// Users whose check items demand something of the request are carried over without that demand, instead of not at all.
        public var dropsRestrictions = false
        /// The make of NASes whose type says nothing; nil: the one whose rate attributes alone the source has.
        public var vendor: NASVendor?

        public init() {}
    }

    /// Seconds since the Unix epoch of a civil time where the FreeRADIUS server stands.
    public typealias Clock = (CivilTime) -> Int64?

    /// What the making of one subscriber asks for.
    struct Rules {
        let options: Options
        /// Why the daemon would refuse a reply attribute; nil when it takes it.
        let check: (_ name: String, _ value: String) -> String?
        /// Whether the attribute's values are octets, written as 0x...
        let isOctets: (_ name: String) -> Bool
        let clock: Clock
    }

    let source: FreeRADIUSSource
    let rules: Rules
    private(set) var plan = ImportPlan()
    private var groupPlans: [[UInt8]: Plan] = [:]
    private var profileNames: [[UInt8]: Plan] = [:]
    /// By the profile's name: fields of which the source has a value that could not be carried over.
    private var unsettled: [[UInt8]: Set<String>] = [:]
    /// Groups and attributes that were remarked once for all their users.
    private var remarked: Set<Remark> = []

    /// - Parameters:
    ///   - source: what was read.
    ///   - options: the operator's choices.
    ///   - check: why the daemon would refuse a reply attribute; nil when it takes it.
    ///   - isOctets: whether the attribute of that name holds octets, which the interface takes in hexadecimal only.
    ///   - clock: reads dates.
    public init(
        _ source: FreeRADIUSSource, options: Options, check: @escaping (_ name: String, _ value: String) -> String?,
        isOctets: @escaping (_ name: String) -> Bool = { _ in false }, clock: @escaping Clock
    ) {
        self.source = source
        rules = Rules(options: options, check: check, isOctets: isOctets, clock: clock)
    }

    /// The whole plan. `progress` is told of each user that is done.
    public mutating func run(progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) -> ImportPlan {
        plan.remarks = source.remarks
        for entry in source.defaults { remarkDefault(entry) }
        for group in source.groups.all {
            remarkGroup(group)
            _ = groupPlan([group.name])
        }
        for (done, user) in source.users.all.enumerated() {
            carry(user)
            if done % 1000 == 999 { progress(done + 1, source.users.all.count) }
        }
        remarkCase()
        remarkAddresses()
        let profiles = profileNames.map {
            ImportedProfile(name: String(decoding: $0.key, as: UTF8.self), plan: $0.value, unsettled: unsettled[$0.key] ?? [])
        }
        plan.profiles = profiles.sorted { $0.name < $1.name }
        var clients = ClientMaker(chosen: rules.options.vendor, sole: soleVendor)
        for client in source.clients { clients.carry(client) }
        plan.nas = clients.records
        plan.remarks += clients.remarks
        return plan
    }

    /// The make whose rate attributes are the only ones; nil when there are none, or several.
    private var soleVendor: NASVendor? {
        var found: Set<NASVendor> = []
        func look(_ pairs: [SourcePair]) {
            for pair in pairs where RateReader.statement(pair.key, pair.value) != nil {
                RateReader.vendor(of: pair.key).map { _ = found.insert($0) }
            }
        }
        for group in source.groups.all { look(group.reply) }
        for user in source.users.all {
            look(user.reply)
            for entry in user.entries { look(entry.reply) }
        }
        for entry in source.defaults { look(entry.reply) }
        return found.count == 1 ? found.first : nil
    }

    // MARK: Groups

    private mutating func remarkDefault(_ entry: SourceEntry) {
        let conditions = Evaluation.conditions(entry.check)
        guard !conditions.isEmpty else { return }
        plan.remarks.append(
            Remark(
                .lost, entry.place, "DEFAULT", conditions.map(\.shown).joined(separator: ", "), "it holds for some requests only",
                "Make it a policy rule: `lastmile policy-rule create`; see docs/policy.md."))
    }

    private mutating func remarkGroup(_ group: SourceGroup) {
        for pair in Evaluation.conditions(group.check) {
            plan.remarks.append(
                Remark(
                    .lost, pair.place, group.name, pair.shown, "the group holds for some requests only; its users get its reply always",
                    "Make it a policy rule that chooses the profile: `lastmile policy-rule create`; see docs/policy.md."))
        }
    }

    /// The plan of groups, in their order, and its profile; nil for groups that say nothing.
    private mutating func groupPlan(_ groups: [String]) -> (name: String, plan: Plan)? {
        guard !groups.isEmpty else { return nil }
        let name = ProfileNames.name(ofGroups: groups)
        if let known = groupPlans[Array(name.utf8)] { return known.isEmpty ? nil : (name, known) }
        let evaluation = Evaluation(groups: groups, in: source)
        let maker = PlanMaker(evaluation.reply, subject: name, isOctets: rules.isOctets, check: rules.check)
        groupPlans[Array(name.utf8)] = maker.plan
        remark(maker.remarks)
        guard !maker.plan.isEmpty else { return nil }
        profileNames[Array(name.utf8)] = maker.plan
        unsettled[Array(name.utf8), default: []].formUnion(maker.unsettled)
        return (name, maker.plan)
    }

    /// What belongs to a group is remarked once, not for each of its users.
    private mutating func remark(_ remarks: [Remark]) {
        for remark in remarks where remarked.insert(remark).inserted { plan.remarks.append(remark) }
    }

    // MARK: Users

    private mutating func carry(_ user: SourceUser) {
        let evaluation = Evaluation(user, in: source)
        var maker = SubscriberMaker(user, evaluation, rules)
        guard let draft = maker.make() else {
            plan.remarks += maker.remarks
            return
        }
        plan.remarks += maker.remarks + evaluation.remarks
        var record = draft.record
        let shared = groupPlan(evaluation.groups)
        record.profile = settle(&record, draft, shared)
        plan.subscribers.append(record)
    }

    /// Chooses the profile, and leaves in the record what differs from it.
    private mutating func settle(
        _ record: inout ImportedSubscriber, _ draft: SubscriberMaker.Draft, _ shared: (name: String, plan: Plan)?
    ) -> String {
        let own = draft.own
        var wanted = draft.plan
        var base = shared?.plan ?? Plan()
        // Whose own value is impossible has not thereby left its group.
        if draft.unsettled.contains("session_timeout") { wanted.sessionTimeout = base.sessionTimeout }
        if draft.unsettled.contains("idle_timeout") { wanted.idleTimeout = base.idleTimeout }
        if draft.unsettled.contains("interim_interval") { wanted.interimInterval = base.interimInterval }
        var name = shared?.name
        let extra = Self.difference(wanted.attributes, base.attributes)
        let takesAway =
            extra == nil || (wanted.filters.isEmpty && !base.filters.isEmpty)
            || Self.lacks(wanted.sessionTimeout, base.sessionTimeout) || Self.lacks(wanted.idleTimeout, base.idleTimeout)
            || Self.lacks(wanted.interimInterval, base.interimInterval)
        if wanted.rate != base.rate || takesAway {
            base.rate = wanted.rate
            if takesAway {
                let rest = Self.difference(wanted.attributes, own.attributes) ?? wanted.attributes
                base.attributes = rest
                if wanted.filters.isEmpty { base.filters = [] }
                if wanted.sessionTimeout == nil { base.sessionTimeout = nil }
                if wanted.idleTimeout == nil { base.idleTimeout = nil }
                if wanted.interimInterval == nil { base.interimInterval = nil }
            }
            name = profile(base, draft.unsettled)
        }
        record.attributes = Self.difference(wanted.attributes, base.attributes) ?? wanted.attributes
        record.filters = wanted.filters == base.filters ? [] : wanted.filters
        record.sessionTimeout = wanted.sessionTimeout == base.sessionTimeout ? nil : wanted.sessionTimeout
        record.idleTimeout = wanted.idleTimeout == base.idleTimeout ? nil : wanted.idleTimeout
        record.interimInterval = wanted.interimInterval == base.interimInterval ? nil : wanted.interimInterval
        record.isProfileGuessed = name == nil && !draft.saysRate
        // Without a profile nobody is let in: one that limits nothing is a profile, too.
        return name ?? profile(base, draft.unsettled)
    }

    /// The profile that holds exactly `plan`: one that is there, or a new one.
    private mutating func profile(_ plan: Plan, _ lost: Set<String>) -> String {
        var name = ProfileNames.name(of: plan)
        if let other = profileNames[Array(name.utf8)], other != plan {
            name += "-" + ProfileNames.digest(ProfileNames.described(plan))
        }
        profileNames[Array(name.utf8)] = plan
        unsettled[Array(name.utf8), default: []].formUnion(lost)
        return name
    }

    private static func lacks(_ wanted: Int?, _ base: Int?) -> Bool { wanted == nil && base != nil }

    /// What `list` has beyond `part`; nil when it lacks some of it.
    private static func difference(_ list: [ReplyText], _ part: [ReplyText]) -> [ReplyText]? {
        var rest = list
        for text in part {
            guard let position = rest.firstIndex(of: text) else { return nil }
            rest.remove(at: position)
        }
        return rest
    }

    private mutating func remarkAddresses() {
        var owners: [String: String] = [:]
        for subscriber in plan.subscribers {
            guard let address = subscriber.staticIPv4 else { continue }
            guard let other = owners[address] else {
                owners[address] = subscriber.username
                continue
            }
            plan.remarks.append(
                Remark(
                    .note, subscriber.place, subscriber.username, "Framed-IP-Address \(address)", "“\(other)” has the same address",
                    "See that the two are never online at once, or give one of them another address."))
        }
    }

    private mutating func remarkCase() {
        var spellings: [[UInt8]: String] = [:]
        for user in source.users.all {
            guard let other = spellings.updateValue(user.name, forKey: Array(user.name.lowercased().utf8)) else { continue }
            plan.remarks.append(
                Remark(.note, user.place, user.name, "name", "it differs from “\(other)” by case alone; they are two subscribers"))
        }
    }
}
