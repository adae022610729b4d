/// Makes programs of rules, and says what is wrong with rules before they are kept.
public enum PolicyCompiler {
    /// Compiles the rules of one tenant that are looked at in one moment. A rule that cannot be compiled is left out, of others only
    /// what a reply cannot have any more.
    ///
    /// - Parameters:
    ///   - rules: all of the tenant, in any order.
    ///   - moment: the rules of others are left aside.
    ///   - dictionary: explains names and values.
    ///   - zone: of the tenant, for `time.*`.
    /// - Returns: the program, nil without a rule, and what was left out.
    public static func compile(
        _ rules: [PolicyRule], at moment: PolicyMoment = .proof, dictionary: RadiusDictionary, zone: ZoneOffsets = .utc
    ) -> (program: PolicyProgram?, faults: [PolicyFault]) {
        var assembly = PolicyAssembly()
        var compiled: [CompiledRule] = []
        var faults: [PolicyFault] = []
        for (place, rule) in inOrder(rules).enumerated() where rule.moment == moment {
            do throws(PolicyFaults) {
                guard place < PolicyRule.limit else {
                    throw PolicyFaults(list: [
                        PolicyFault(.invalid, rule, "priority", "a tenant has at most \(PolicyRule.limit) rules in force")
                    ])
                }
                let one = try CompiledRule(rule, dictionary: dictionary)
                try room(rule) { () throws(RuleFault) in try assembly.append(one) }
                compiled.append(one)
                faults += one.omissions
            } catch {
                faults += error.list
            }
        }
        return (compiled.isEmpty ? nil : PolicyProgram(assembly, compiled, zone: zone), faults)
    }

    /// What is wrong with the rules of one tenant: what does not compile, and what can never be reached.
    public static func check(_ rules: [PolicyRule], dictionary: RadiusDictionary) -> [PolicyFault] {
        PolicyMoment.allCases.flatMap { moment in
            let (program, faults) = compile(rules, at: moment, dictionary: dictionary)
            return faults + RuleReach.faults(program?.compiled ?? [])
        }
    }

    private static func room(_ rule: PolicyRule, _ body: () throws(RuleFault) -> Void) throws(PolicyFaults) {
        do { try body() } catch { throw PolicyFaults(list: [PolicyFault(.invalid, rule, "condition", error.reason)]) }
    }

    static func inOrder(_ rules: [PolicyRule]) -> [PolicyRule] {
        rules.sorted { ($0.priority, $0.id) < ($1.priority, $1.id) }
    }
}
