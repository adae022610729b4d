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

    init(lines: [Line]) {
        self.lines = lines
    }

    /// - Parameters:
    ///   - program: the rules.
    ///   - scratch: where they were run.
    ///   - profiles: have the names of those that rules choose.
    init(_ program: PolicyProgram, _ scratch: borrowing PolicyScratch, _ profiles: [Int64: ReplyProfile]) {
        var lines: [Line] = []
        for (position, compiled) in program.compiled.enumerated() {
            let (result, detail) = Self.result(position, program, scratch, profiles)
            lines.append(
                Line(rule: compiled.rule.id, name: compiled.rule.name, priority: compiled.rule.priority, result: result, detail: detail))
        }
        self.lines = lines
    }

    private static func result(
        _ position: Int, _ program: PolicyProgram, _ scratch: borrowing PolicyScratch, _ profiles: [Int64: ReplyProfile]
    ) -> (Result, String) {
        let last = scratch.outcome.last
        if last >= 0, position > last { return (.notReached, "the rule \(program.compiled[last].rule.name) ended the rules") }
        let entry = program.rows[position].entry
        guard !program.holds(entry, scratch.slots) else {
            let isRefusal = position == last && scratch.outcome.refusal != .accepted
            return (.holds, Self.effect(program.compiled[position], isRefusal: isRefusal, profiles))
        }
        guard let decisive = program.decisive(entry, scratch.slots) else { return (.fails, "") }
        let test = program.tests[decisive]
        let slot = scratch.slots[Int(program.instructions[decisive].slot)]
        let value = slot.isPresent ? "the value is \(PolicyValueText.text(slot, test.subject))" : "the value is absent"
        return (.fails, "line \(test.place.line), column \(test.place.column): \(test.text): \(value)")
    }

    private static func effect(_ compiled: CompiledRule, isRefusal: Bool, _ profiles: [Int64: ReplyProfile]) -> String {
        let rule = compiled.rule
        if rule.outcome == .reject { return "rejects" }
        if isRefusal { return "demands \(rule.methods.joined(separator: " or "))" }
        var effects: [String] = []
        if !rule.methods.isEmpty { effects.append("demands \(rule.methods.joined(separator: " or ")), which it is") }
        if rule.profile != 0 { effects.append("chooses profile \(profiles[rule.profile]?.name ?? "\(rule.profile), which is not there")") }
        effects += rule.remove.map { "removes \($0)" }
        effects += rule.set.map { "sets \($0.name) = \($0.value)" }
        effects += rule.add.map { "adds \($0.name) = \($0.value)" }
        if rule.outcome == .stop { effects.append("ends the rules") }
        return effects.isEmpty ? "does nothing" : effects.joined(separator: ", ")
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
