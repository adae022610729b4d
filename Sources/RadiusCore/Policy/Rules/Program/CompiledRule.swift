/// A rule whose condition has types and whose attributes are octets.
struct CompiledRule: Sendable {
    let rule: PolicyRule
    let condition: RuleCondition
    let edits: [ReplyEdit]
    /// Bit n is set when the method with the raw value n is enough; 0 when any is.
    let methods: UInt64
    /// Of TLS, that it leaves to EAP; nil when it says nothing of them.
    let versions: TLSSettings.Versions?
    /// Reply-Message attributes in wire form.
    let message: [UInt8]
    /// Attributes that are left out of it.
    let omissions: [PolicyFault]

    /// - Throws: all that is wrong with the rule. What is only left out is not wrong: a rule that was stored before keeps out whom it
    ///   kept out.
    init(_ rule: PolicyRule, dictionary: RadiusDictionary) throws(PolicyFaults) {
        var faults: [PolicyFault] = []
        self.rule = rule
        do { condition = try RuleParser.condition(rule.condition, dictionary: dictionary) } catch {
            condition = .always
            faults.append(PolicyFault(.invalid, rule, "condition", error.description, at: error.place))
        }
        var edits: [ReplyEdit] = []
        for name in rule.remove {
            do { edits.append(.remove(try ReplyTarget(name, dictionary))) } catch {
                faults.append(PolicyFault(error.wasTaken ? .reserved : .invalid, rule, "remove_attributes", error.reason))
            }
        }
        edits += Self.edits(rule.set, replaces: true, "set_attributes", rule, dictionary, &faults)
        edits += Self.edits(rule.add, replaces: false, "add_attributes", rule, dictionary, &faults)
        self.edits = edits
        methods = Self.methods(rule, &faults)
        versions = Self.versions(rule, &faults)
        message = Self.message(rule, &faults)
        if rule.outcome == .reject, !edits.isEmpty || rule.profile != 0 {
            faults.append(
                PolicyFault(.unreachable, rule, "outcome", "a rule that rejects gives no attributes and no profile; leave them out"))
        }
        if rule.moment != .proof { faults += Self.objections(to: rule, condition) }
        omissions = faults.filter { $0.kind == .reserved }
        guard omissions.count == faults.count else { throw PolicyFaults(list: faults) }
    }

    private static func edits(
        _ attributes: [ReplyAttribute], replaces: Bool, _ member: String, _ rule: PolicyRule, _ dictionary: RadiusDictionary,
        _ faults: inout [PolicyFault]
    ) -> [ReplyEdit] {
        var compiled = CompiledAttributes()
        var replaced: [ReplyEdit] = []
        for attribute in attributes {
            compiled.append(attribute.name, attribute.value, dictionary)
            guard replaces else { continue }
            do {
                let edit = ReplyEdit.remove(try ReplyTarget(attribute.name, dictionary))
                if !replaced.contains(edit) { replaced.append(edit) }
            } catch {
                // What former versions took is among the problems of its value.
                if !error.wasTaken { faults.append(PolicyFault(.invalid, rule, member, error.reason)) }
            }
        }
        for problem in compiled.problems {
            faults.append(PolicyFault(compiled.formerlyTaken.contains(problem) ? .reserved : .invalid, rule, member, problem))
        }
        for hidden in compiled.keyed {
            faults.append(
                PolicyFault(.invalid, rule, member, "\(hidden.name): its value is hidden anew in each reply; give it in a profile instead"))
        }
        return compiled.encoded.isEmpty ? replaced : replaced + [.append(compiled.encoded)]
    }

    private static func methods(_ rule: PolicyRule, _ faults: inout [PolicyFault]) -> UInt64 {
        var mask: UInt64 = 0
        let possible = AuthenticationMethod.proofs
        for name in rule.methods {
            guard let method = possible.first(where: { $0.name == name }) else {
                let names = possible.map(\.name).joined(separator: ", ")
                faults.append(PolicyFault(.invalid, rule, "require_methods", "there is no method “\(name)”; there are \(names)"))
                continue
            }
            for member in method.members { mask |= 1 << UInt64(member) }
        }
        return mask
    }

    private static func versions(_ rule: PolicyRule, _ faults: inout [PolicyFault]) -> TLSSettings.Versions? {
        let possible = TLSSettings.Version.allCases
        for name in rule.tlsVersions where !possible.contains(where: { $0.name == name }) {
            let names = possible.map(\.name).joined(separator: " and ")
            faults.append(PolicyFault(.invalid, rule, "tls_versions", "there is no version “\(name)” of TLS here; there are \(names)"))
        }
        let chosen = possible.filter { rule.tlsVersions.contains($0.name) }
        guard let least = chosen.first, let greatest = chosen.last else { return nil }
        return least...greatest
    }

    private static func message(_ rule: PolicyRule, _ faults: inout [PolicyFault]) -> [UInt8] {
        let text = Array(rule.message.utf8)
        guard !text.isEmpty else { return [] }
        guard text.count <= 253 else {
            faults.append(PolicyFault(.invalid, rule, "message", "Reply-Message has at most 253 octets; this has \(text.count)"))
            return []
        }
        // Of rules of other moments, `objections` says that they have none.
        if rule.moment == .proof, rule.outcome != .reject, rule.methods.isEmpty {
            faults.append(
                PolicyFault(.unreachable, rule, "message", "only a rule that refuses sends it; set Reply-Message as an attribute instead"))
        }
        return [AttributeNumber.replyMessage, UInt8(text.count + 2)] + text
    }
}

/// All that is wrong with one rule.
struct PolicyFaults: Error {
    let list: [PolicyFault]
}
