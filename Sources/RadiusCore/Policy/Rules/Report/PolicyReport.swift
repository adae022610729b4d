/// What each rule of a tenant made of one login, and why.
public struct PolicyReport: Sendable {
    /// What became of a rule.
    public enum Result: String, Sendable {
        case holds
        case fails
        /// An earlier rule ended the rules.
        case notReached = "not_reached"
    }

    /// One rule.
    public struct Line: Sendable {
        public let rule: Int64
        public let name: String
        public let priority: Int
        public let result: Result
        /// The test that decided, with the value that it saw; what the rule does, where it holds.
        public let detail: String
    }

    /// In the order in which rules are looked at; empty when the rules were not asked.
    public let lines: [Line]

    static let none = PolicyReport(lines: [])

    /// What the objects are called that rules choose.
    enum Names {
        case profiles([Int64: ReplyProfile])
        case realms(ProxyPlan)
        /// None: they choose versions of TLS, of those that settings allow; nil where these are not known.
        case versions(TLSSettings.Versions?)
    }

    init(lines: [Line]) {
        self.lines = lines
    }

    /// - Parameters:
    ///   - program: the rules.
    ///   - scratch: where they were run.
    ///   - names: of what they choose.
    init(_ program: PolicyProgram, _ scratch: borrowing PolicyScratch, _ names: Names) {
        var lines: [Line] = []
        for (position, compiled) in program.compiled.enumerated() {
            let (result, detail) = Self.result(position, program, scratch, names)
            lines.append(
                Line(rule: compiled.rule.id, name: compiled.rule.name, priority: compiled.rule.priority, result: result, detail: detail))
        }
        self.lines = lines
    }

    private static func result(
        _ position: Int, _ program: PolicyProgram, _ scratch: borrowing PolicyScratch, _ names: Names
    ) -> (Result, String) {
        let last = scratch.outcome.last
        if last >= 0, position > last { return (.notReached, "the rule \(program.compiled[last].rule.name) ended the rules") }
        let entry = program.rows[position].entry
        guard !program.holds(entry, scratch.slots) else {
            let isRefusal = position == last && scratch.outcome.refusal != .accepted
            return (.holds, Self.effect(program.compiled[position], isRefusal: isRefusal, names))
        }
        guard let decisive = program.decisive(entry, scratch.slots) else { return (.fails, "") }
        let test = program.tests[decisive]
        let slot = scratch.slots[Int(program.instructions[decisive].slot)]
        let value = slot.isPresent ? "the value is \(PolicyValueText.text(slot, test.subject))" : "the value is absent"
        return (.fails, "line \(test.place.line), column \(test.place.column): \(test.text): \(value)")
    }

    private static func effect(_ compiled: CompiledRule, isRefusal: Bool, _ names: Names) -> String {
        let rule = compiled.rule
        switch names {
        case .realms(let plan): return forwarding(rule, plan)
        case .versions(let allowed): return versions(compiled, allowed)
        case .profiles: break
        }
        if rule.outcome == .reject { return "rejects" }
        if isRefusal { return "demands \(rule.methods.joined(separator: " or "))" }
        var effects: [String] = []
        if !rule.methods.isEmpty { effects.append("demands \(rule.methods.joined(separator: " or ")), which it is") }
        if rule.profile != 0 { effects.append("chooses profile \(profileName(rule.profile, names))") }
        effects += rule.remove.map { "removes \($0)" }
        effects += rule.set.map { "sets \($0.name) = \($0.value)" }
        effects += rule.add.map { "adds \($0.name) = \($0.value)" }
        if rule.outcome == .stop { effects.append("ends the rules") }
        return effects.isEmpty ? "does nothing" : effects.joined(separator: ", ")
    }

    private static func profileName(_ id: Int64, _ names: Names) -> String {
        if case .profiles(let profiles) = names, let profile = profiles[id] { return profile.name }
        return "\(id), which is not there"
    }

    private static func versions(_ compiled: CompiledRule, _ allowed: TLSSettings.Versions?) -> String {
        let chosen = TLSSettings.Version.allCases.filter { compiled.versions?.contains($0) == true }
        let words = { (versions: [TLSSettings.Version]) in versions.map(\.name).joined(separator: " or ") }
        let effect = "has EAP speak TLS \(words(chosen)) only"
        let settings = "eap.tls.minimum_version and eap.tls.maximum_version"
        guard let allowed else { return "\(effect), as far as \(settings) allow it" }
        let left = chosen.filter { allowed.contains($0) }
        if left.isEmpty {
            return "\(effect), which \(settings) of this node forbid: no version is left, so every method over TLS is refused as "
                + "tls_no_shared_version"
        }
        return left.count == chosen.count ? effect : "\(effect), of which \(settings) of this node leave \(words(left))"
    }

    private static func forwarding(_ rule: PolicyRule, _ plan: ProxyPlan) -> String {
        guard let realm = plan.realm(rule.forwardsTo) else { return "is passed over: its realm is switched off" }
        return realm.accessPool.map { "forwards to the pool \($0.name) as the realm \(realm.name)" }
            ?? "has it answered here: the realm \(realm.name) has no pool"
    }
}

/// Values that rules saw, as people read them.
enum PolicyValueText {
    static func text(_ slot: PolicySlot, _ subject: RuleSubject) -> String {
        switch subject.kind {
        case .text: "\"\(OctetText.string(octets(slot)))\""
        case .octets: OctetText.hexadecimal(octets(slot))
        case .flag: slot.low == 1 ? "yes" : "no"
        case .signed: "\(Int64(bitPattern: slot.low ^ 1 << 63))"
        case .number: RuleNames.word(of: subject.source, slot.low) ?? "\(slot.low)"
        case .ipv4, .ipv6, .comboIP: address(slot).text
        case .prefix(let octets): "\(address(slot).text)/\(Int(slot.count) - (octets == 4 ? 96 : 0))"
        }
    }

    private static func octets(_ slot: PolicySlot) -> [UInt8] {
        Array(UnsafeBufferPointer(start: slot.octets, count: Int(slot.count)))
    }

    private static func address(_ slot: PolicySlot) -> IPAddress { IPAddress(high: slot.high, low: slot.low) }
}
