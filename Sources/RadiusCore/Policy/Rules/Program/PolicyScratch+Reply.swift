extension PolicyOutcome {
    /// `verdict` with the profile that a rule chose, or with a rule's refusal.
    func settle(_ verdict: AccessVerdict, in snapshot: Snapshot) -> AccessVerdict {
        if refusal != .accepted { return verdict.refused(refusal) }
        return profile == 0 ? verdict : verdict.choosing(snapshot.profileTable[profile])
    }
}

extension PolicyScratch {
    /// Does what the rules in `fired` say of the attributes from `start` on, in the order of the rules.
    @_lifetime(writer: copy writer)
    static func edit(_ program: PolicyProgram, _ fired: UnsafeMutablePointer<UInt64>, from start: Int, _ writer: inout PacketWriter) {
        for word in 0..<program.width {
            var left = fired[word]
            while left != 0 {
                let row = program.rows + (word &* 64 &+ left.trailingZeroBitCount)
                left &= left &- 1
                for position in 0..<row.pointee.editCount {
                    edit(program, program.edits[row.pointee.firstEdit &+ position], from: start, &writer)
                }
            }
        }
    }

    @_lifetime(writer: copy writer)
    private static func edit(_ program: PolicyProgram, _ edit: PolicyEdit, from start: Int, _ writer: inout PacketWriter) {
        if let target = edit.target {
            writer.remove(from: start) { target.isMeant($0, count: $1) }
        } else {
            append(program, edit.first, edit.count, &writer)
        }
    }

    /// Appends the Reply-Message of the rule at `position`, which refused.
    @_lifetime(writer: copy writer)
    static func appendMessage(_ program: PolicyProgram, _ position: Int, _ writer: inout PacketWriter) {
        // The snapshot may have changed meanwhile, and have fewer rules.
        guard (0..<program.ruleCount).contains(position) else { return }
        let row = program.rows + position
        if row.pointee.messageCount > 0 { append(program, row.pointee.message, row.pointee.messageCount, &writer) }
    }

    @_lifetime(writer: copy writer)
    private static func append(_ program: PolicyProgram, _ first: Int, _ count: Int, _ writer: inout PacketWriter) {
        writer.append(encoded: Span(_unsafeStart: UnsafePointer(program.arena) + first, count: count))
    }
}
