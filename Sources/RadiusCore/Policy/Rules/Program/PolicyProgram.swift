/// A tenant's rules in the form that logins are run through: flat arrays that are read without counting a reference.
///
/// Immutable and shared by all threads.
public final class PolicyProgram: @unchecked Sendable {
    // Guard: written only while it is made.
    let instructions: UnsafeMutablePointer<PolicyInstruction>
    let rows: UnsafeMutablePointer<PolicyRow>
    /// Where the condition of each rule begins.
    let conditions: UnsafeMutablePointer<UInt16>
    let edits: UnsafeMutablePointer<PolicyEdit>
    let arena: UnsafeMutablePointer<UInt8>
    /// For each attribute number 1 + its first place, or 0.
    let heads: UnsafeMutablePointer<UInt8>
    let places: UnsafeMutablePointer<PolicyPlace>
    let questions: UnsafeMutablePointer<PolicyQuestion>
    let sets: UnsafeMutablePointer<UInt64>
    let entries: UnsafeMutablePointer<PolicyIndex.Entry>
    let guards: UnsafeMutablePointer<UInt8>
    let ruleCount: Int
    let slotCount: Int
    let questionCount: Int
    let guardCount: Int
    /// Words of a set of rules.
    let width: Int
    let entryMask: Int
    let zone: ZoneOffsets
    /// The rules in the order in which they are looked at.
    let compiled: [CompiledRule]
    /// What each instruction was made of.
    let tests: [RuleTest]

    init(_ assembly: PolicyAssembly, _ compiled: [CompiledRule], zone: ZoneOffsets) {
        let layout = assembly.layout()
        let index = PolicyIndex(compiled.map(\.condition)) { assembly.slots[$0] ?? 0 }
        instructions = Self.copy(assembly.instructions)
        rows = Self.copy(assembly.rows)
        conditions = Self.copy(assembly.rows.map(\.entry))
        edits = Self.copy(assembly.edits)
        arena = Self.copy(assembly.arena)
        heads = Self.copy(layout.heads)
        places = Self.copy(layout.places)
        questions = Self.copy(layout.questions)
        sets = Self.copy(index.words)
        entries = Self.copy(index.entries)
        guards = Self.copy(index.slots)
        ruleCount = compiled.count
        slotCount = assembly.slots.count
        questionCount = layout.questions.count
        guardCount = index.slots.count
        width = index.width
        entryMask = index.entries.count - 1
        self.zone = zone
        self.compiled = compiled
        tests = assembly.tests
    }

    deinit {
        instructions.deallocate()
        rows.deallocate()
        conditions.deallocate()
        edits.deallocate()
        arena.deallocate()
        heads.deallocate()
        places.deallocate()
        questions.deallocate()
        sets.deallocate()
        entries.deallocate()
        guards.deallocate()
    }

    private static func copy<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafeMutablePointer<Element> {
        let start = UnsafeMutablePointer<Element>.allocate(capacity: max(1, elements.count))
        for (position, element) in elements.enumerated() { (start + position).initialize(to: element) }
        return start
    }

    /// Whether the condition that begins at `entry` holds for what stands in `slots`.
    @inline(__always)
    func holds(_ entry: UInt16, _ slots: UnsafeMutablePointer<PolicySlot>) -> Bool {
        var next = entry
        while next < PolicyInstruction.fails { next = run(next, slots) }
        return next == PolicyInstruction.holds
    }

    /// The instruction that decided about the condition that begins at `entry`; nil when there is nothing to decide.
    func decisive(_ entry: UInt16, _ slots: UnsafeMutablePointer<PolicySlot>) -> Int? {
        var (next, last) = (entry, Int?.none)
        while next < PolicyInstruction.fails {
            last = Int(next)
            next = run(next, slots)
        }
        return last
    }

    /// - Returns: the instruction to go on with.
    @inline(__always)
    private func run(_ place: UInt16, _ slots: UnsafeMutablePointer<PolicySlot>) -> UInt16 {
        let instruction = instructions + Int(place)
        let slot = slots + Int(instruction.pointee.slot)
        return slot.pointee.isPresent && test(instruction, slot) ? instruction.pointee.onTrue : instruction.pointee.onFalse
    }

    @inline(__always)
    private func test(_ instruction: UnsafeMutablePointer<PolicyInstruction>, _ slot: UnsafeMutablePointer<PolicySlot>) -> Bool {
        switch instruction.pointee.operation {
        case .present: true
        case .inside: slot.pointee.low >= instruction.pointee.first && slot.pointee.low <= instruction.pointee.last
        case .outside: slot.pointee.low < instruction.pointee.first || slot.pointee.low > instruction.pointee.last
        case .equal: isEqual(instruction, slot)
        case .different: !isEqual(instruction, slot)
        case .matches: matches(instruction, slot)
        case .within: isWithin(instruction, slot)
        case .without: !isWithin(instruction, slot)
        }
    }

    @inline(__always)
    private func isEqual(_ instruction: UnsafeMutablePointer<PolicyInstruction>, _ slot: UnsafeMutablePointer<PolicySlot>) -> Bool {
        let count = Int(instruction.pointee.count)
        guard Int(slot.pointee.count) == count, let octets = slot.pointee.octets else { return false }
        let wanted = arena + Int(instruction.pointee.first)
        var position = 0
        while position &+ 8 <= count {
            let one = UnsafeRawPointer(octets).loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let other = UnsafeRawPointer(wanted).loadUnaligned(fromByteOffset: position, as: UInt64.self)
            if one != other { return false }
            position &+= 8
        }
        while position < count {
            if octets[position] != wanted[position] { return false }
            position &+= 1
        }
        return true
    }

    /// See `Glob.matches`.
    @inline(__always)
    private func matches(_ instruction: UnsafeMutablePointer<PolicyInstruction>, _ slot: UnsafeMutablePointer<PolicySlot>) -> Bool {
        guard let octets = slot.pointee.octets else { return false }
        if slot.pointee.count >= 8 {
            let begin = UInt64(littleEndian: UnsafeRawPointer(octets).loadUnaligned(as: UInt64.self))
            if (begin ^ instruction.pointee.firstMask) & instruction.pointee.lastMask != 0 { return false }
        }
        let classes = arena + Int(instruction.pointee.first)
        let words = UnsafeRawPointer(classes) + 256
        let loops = words.loadUnaligned(as: UInt64.self)
        var states: UInt64 = 1
        var position = 0
        let count = Int(slot.pointee.count)
        let signs = Int(instruction.pointee.count)
        guard count >= signs else { return false }
        if instruction.pointee.last == 0, signs > 0 {
            // Most texts end in something else than the pattern.
            let place = (Int(classes[Int(octets[count &- 1])]) &+ 1) &* 8
            if words.loadUnaligned(fromByteOffset: place, as: UInt64.self) &>> UInt64(signs &- 1) & 1 == 0 { return false }
        }
        while position < count {
            let place = (Int(classes[Int(octets[position])]) &+ 1) &* 8
            let mask = words.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            states = (states & mask) &<< 1 | states & loops
            if states == 0 { return false }
            position &+= 1
        }
        return states &>> UInt64(signs) & 1 != 0
    }

    @inline(__always)
    private func isWithin(_ instruction: UnsafeMutablePointer<PolicyInstruction>, _ slot: UnsafeMutablePointer<PolicySlot>) -> Bool {
        let high = (slot.pointee.high ^ instruction.pointee.first) & instruction.pointee.firstMask
        let low = (slot.pointee.low ^ instruction.pointee.last) & instruction.pointee.lastMask
        return high | low == 0 && slot.pointee.count >= instruction.pointee.count
    }
}
