/// Encodes one value up to the point where type and length go in front of it.
struct AttributeValueEncoder {
    let dictionary: RadiusDictionary
    let keys: HideKeys?

    /// The place and the octets of what somebody wrote.
    func encode(_ pair: AttributeText) throws(AttributeTextError.Reason) -> (path: AttributePath, octets: [UInt8]) {
        if let path = AttributePath(unnamed: pair.name) {
            guard let octets = OctetText.octets(hexadecimal: pair.value) else {
                throw .badValue(pair.value, allowed: AttributeType.octets.allowedText)
            }
            return (path, octets)
        }
        let (definition, tag) = try definition(pair.name)
        if definition.isVirtual { throw .notOnTheWire }
        let text = pair.isQuoted && definition.type.isOpaque ? "\"\(pair.value)\"" : pair.value
        let octets: [UInt8]
        do { octets = try ValueText.parse(text, as: definition, in: dictionary) } catch {
            throw error.withoutValue(if: definition.isSecret || definition.encryption != .none)
        }
        return (definition.path, try encode(octets, as: definition, tag: tag))
    }

    /// The octets of what the decoder gave.
    func encode(_ pair: AttributePair) throws(AttributeTextError.Reason) -> [UInt8] {
        if pair.isUnnamed { return pair.raw }
        guard let definition = dictionary.attribute(at: pair.path) else {
            throw .unknownAttribute(suggestion: AttributeSuggestion.nearest(to: pair.name, in: dictionary))
        }
        return pair.isHidden ? tagged(pair.raw, definition, pair.tag) : try encode(pair.raw, as: definition, tag: pair.tag)
    }

    /// The octets of a clear value: checked, hidden, tagged.
    func encode(_ octets: [UInt8], as definition: AttributeDefinition, tag: UInt8?) throws(AttributeTextError.Reason) -> [UInt8] {
        if definition.isVirtual { throw .notOnTheWire }
        if let tag {
            guard definition.isTagged else { throw .notTagged }
            guard tag <= 0x1f else { throw .badTag(String(tag)) }
        }
        try check(octets, definition)
        guard definition.encryption != .none else { return tagged(octets, definition, tag) }
        guard let keys else { throw .keysMissing }
        return tagged(try HiddenValue.hide(octets, definition.encryption, keys), definition, tag)
    }

    private func check(_ octets: [UInt8], _ definition: AttributeDefinition) throws(AttributeTextError.Reason) {
        guard ValueText.print(octets, as: definition, in: dictionary) != nil else {
            let required = definition.fixedLength ?? definition.type.fixedOctets
            throw .wrongLength(octets: octets.count, required: required.map { String($0) } ?? definition.type.allowedText)
        }
        guard definition.isTagged, definition.type.fixedOctets != nil, let first = octets.first, first != 0 else { return }
        throw .badValue("", allowed: "a number below 16777216, for the tag takes the first octet (RFC 2868 §3.1)")
    }

    /// Puts the tag where RFC 2868 §3 has it. A string that begins like a tag gets an unused one in front.
    private func tagged(_ octets: [UInt8], _ definition: AttributeDefinition, _ tag: UInt8?) -> [UInt8] {
        guard definition.isTagged else { return octets }
        if definition.encryption == .tunnelPassword { return [tag ?? 0] + octets }
        if definition.type.fixedOctets != nil { return [tag ?? 0] + octets.dropFirst() }
        if let tag { return [tag] + octets }
        return (octets.first ?? 0xff) <= 0x1f ? [0] + octets : octets
    }

    /// The attribute that `name`, perhaps with a tag behind a colon, stands for.
    private func definition(_ name: String) throws(AttributeTextError.Reason) -> (AttributeDefinition, UInt8?) {
        if let definition = dictionary.attribute(named: name) { return (definition, nil) }
        guard let colon = name.lastIndex(of: ":"), let definition = dictionary.attribute(named: String(name[..<colon])) else {
            throw .unknownAttribute(suggestion: AttributeSuggestion.nearest(to: name, in: dictionary))
        }
        let text = name[name.index(after: colon)...]
        guard definition.isTagged else { throw .notTagged }
        guard let tag = NumberText.decimal(text.utf8), tag <= 0x1f else { throw .badTag(String(text)) }
        return (definition, UInt8(tag))
    }
}

extension AttributeTextError.Reason {
    /// The reason without the text that was refused, where that is a secret.
    func withoutValue(if isSecret: Bool) -> AttributeTextError.Reason {
        guard isSecret, case .badValue(_, let allowed) = self else { return self }
        return .badValue("", allowed: allowed)
    }
}

extension AttributeType {
    /// Written as `0x...`.
    var isOpaque: Bool { isContainer || self == .octets || self == .ascendBinary }
}
