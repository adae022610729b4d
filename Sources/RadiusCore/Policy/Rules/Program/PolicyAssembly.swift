/// Lays the conditions and actions of a tenant's rules out as instructions, rows and octets.
struct PolicyAssembly {
    /// Values that the rules of one tenant ask for, at most.
    static let mostSlots = 128

    private(set) var instructions: [PolicyInstruction] = []
    /// What each instruction was made of.
    private(set) var tests: [RuleTest] = []
    private(set) var rows: [PolicyRow] = []
    private(set) var edits: [PolicyEdit] = []
    private(set) var arena: [UInt8] = []
    private(set) var slots: [RuleSubject: UInt8] = [:]

    /// Adds a rule.
    ///
    /// - Throws: what of the program's room it would exceed.
    mutating func append(_ compiled: CompiledRule) throws(RuleFault) {
        try enter(compiled.condition)
        let first = edits.count
        for edit in compiled.edits { append(edit) }
        let entry = emit(compiled.condition, onTrue: PolicyInstruction.holds, onFalse: PolicyInstruction.fails)
        let message = arena.count
        arena += compiled.message
        rows.append(
            PolicyRow(
                entry: entry, outcome: PolicyRow.Outcome(compiled.rule.outcome), profile: compiled.rule.profile, methods: compiled.methods,
                firstEdit: first, editCount: edits.count - first, message: message, messageCount: compiled.message.count,
                realm: compiled.rule.forwardsTo))
    }

    /// Gives slots to what a condition asks for, and sees that it fits.
    private mutating func enter(_ condition: RuleCondition) throws(RuleFault) {
        let tests = condition.tests
        guard instructions.count + tests.count <= PolicyInstruction.limit else {
            throw RuleFault(
                "the rules of the tenant have more than \(PolicyInstruction.limit) tests; shorten lists, or use networks and patterns")
        }
        for subject in tests.map(\.subject) where slots[subject] == nil {
            guard slots.count < Self.mostSlots else {
                throw RuleFault("the rules of the tenant look at more than \(Self.mostSlots) different values")
            }
            slots[subject] = UInt8(slots.count)
        }
    }

    private mutating func append(_ edit: ReplyEdit) {
        switch edit {
        case .remove(let target): edits.append(PolicyEdit(target: target, first: 0, count: 0))
        case .append(let octets):
            edits.append(PolicyEdit(target: nil, first: arena.count, count: octets.count))
            arena += octets
        }
    }

    /// Adds the instructions of a condition, last part first, so that each knows where to go on.
    ///
    /// - Returns: where it begins.
    private mutating func emit(_ condition: RuleCondition, onTrue: UInt16, onFalse: UInt16) -> UInt16 {
        switch condition {
        case .always: return onTrue
        case .not(let inner): return emit(inner, onTrue: onFalse, onFalse: onTrue)
        case .all(let parts): return parts.reversed().reduce(onTrue) { emit($1, onTrue: $0, onFalse: onFalse) }
        case .any(let parts): return parts.reversed().reduce(onFalse) { emit($1, onTrue: onTrue, onFalse: $0) }
        case .test(let test):
            instructions.append(instruction(test, onTrue, onFalse))
            tests.append(test)
            return UInt16(instructions.count - 1)
        }
    }

    private mutating func instruction(_ test: RuleTest, _ onTrue: UInt16, _ onFalse: UInt16) -> PolicyInstruction {
        var made = PolicyInstruction(
            operation: .present, slot: slots[test.subject] ?? 0, onTrue: onTrue, onFalse: onFalse, count: 0, first: 0, last: 0)
        switch test.predicate {
        case .present: break
        case .inside(let first, let last): (made.operation, made.first, made.last) = (.inside, first, last)
        case .outside(let first, let last): (made.operation, made.first, made.last) = (.outside, first, last)
        case .equal(let octets), .different(let octets):
            if case .equal = test.predicate { made.operation = .equal } else { made.operation = .different }
            (made.first, made.count) = (UInt64(arena.count), UInt16(octets.count))
            arena += octets
        case .matches(let glob):
            (made.operation, made.first, made.count) = (.matches, UInt64(arena.count), UInt16(glob.count))
            for (position, octet) in glob.prefix.prefix(8).enumerated() {
                made.firstMask |= UInt64(octet) << UInt64(8 * position)
                made.lastMask |= 0xff << UInt64(8 * position)
            }
            made.last = glob.loops >> UInt64(glob.count) & 1
            arena += glob.classes
            for word in [glob.loops] + glob.masks { withUnsafeBytes(of: word) { arena += $0 } }
        case .within(let network, let length), .without(let network, let length):
            if case .within = test.predicate { made.operation = .within } else { made.operation = .without }
            let mask = IPAddress(high: .max, low: .max).masked(to: length)
            (made.first, made.last, made.count) = (network.high, network.low, UInt16(length))
            (made.firstMask, made.lastMask) = (mask.high, mask.low)
        }
        return made
    }

    /// Where attributes go: for each number 1 + its first place, and the places; and what is asked besides.
    func layout() -> (heads: [UInt8], places: [PolicyPlace], questions: [PolicyQuestion]) {
        var heads = [UInt8](repeating: 0, count: 256)
        var places: [PolicyPlace] = []
        var questions: [PolicyQuestion] = []
        for (subject, slot) in slots.sorted(by: { $0.value < $1.value }) {
            if let question = PolicyQuestion(subject.source, slot: slot) {
                questions.append(question)
                continue
            }
            let (number, place) = Self.place(subject, slot)
            places.append(place)
            places[places.count - 1].next = heads[Int(number)]
            heads[Int(number)] = UInt8(places.count)
        }
        return (heads, places, questions)
    }

    private static func place(_ subject: RuleSubject, _ slot: UInt8) -> (number: UInt8, place: PolicyPlace) {
        var place = PolicyPlace(
            slot: slot, loader: .octets, next: 0, vendor: 0, member: 0, typeOctets: 1, lengthOctets: 1, hasContinuation: false)
        switch subject.source {
        case .vendor(let vendor, let number, let format, let isTagged):
            place.loader = PolicyLoader(subject.kind, isTagged: isTagged)
            (place.vendor, place.member) = (vendor, number)
            (place.typeOctets, place.lengthOctets, place.hasContinuation) = (format.typeOctets, format.lengthOctets, format.hasContinuation)
            return (VendorAttribute.type, place)
        case .attribute(let number, let isTagged):
            place.loader = PolicyLoader(subject.kind, isTagged: isTagged)
            return (number, place)
        default: return (0, place)
        }
    }
}

extension RuleCondition {
    /// All tests, in the order in which they stand.
    var tests: [RuleTest] {
        switch self {
        case .always: []
        case .test(let test): [test]
        case .not(let inner): inner.tests
        case .all(let parts), .any(let parts): parts.flatMap(\.tests)
        }
    }
}
