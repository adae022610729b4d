/// Decodes one value whose place is known: tag, hiding, type, and TLV members.
struct AttributeValueDecoder {
    let layout: AttributeLayout
    let keys: RevealKeys?

    var dictionary: RadiusDictionary { layout.dictionary }

    /// Deepest TLV nesting that is taken apart (FreeRADIUS 3 defines four levels).
    static let deepestLevel = 8

    /// The pairs that the value at `path` makes: one, or one for each member of a TLV.
    func decode(_ octets: [UInt8], at path: AttributePath) -> [AttributePair] {
        guard let definition = dictionary.attribute(at: path) else { return [AttributePair(unnamed: path, octets)] }
        if definition.type == .tlv, let members = members(octets, at: path) { return members }
        return [pair(octets, as: definition) ?? AttributePair(unnamed: path, octets)]
    }

    /// The members of a TLV (RFC 6929 §2.3); nil when they do not parse.
    private func members(_ octets: [UInt8], at path: AttributePath) -> [AttributePair]? {
        guard path.numbers.count < Self.deepestLevel else { return nil }
        var cursor = AttributeCursor(0..<octets.count)
        var pairs: [AttributePair] = []
        while let member = cursor.next(in: octets.span) {
            pairs += decode(Array(octets[member.range]), at: path.member(member.type))
        }
        return cursor.isMalformed || pairs.isEmpty ? nil : pairs
    }

    /// The pair for a value; nil when its type forbids these octets.
    private func pair(_ octets: [UInt8], as definition: AttributeDefinition) -> AttributePair? {
        guard !definition.type.isContainer, let (tag, value) = untagged(octets, definition) else { return nil }
        guard definition.encryption != .none else {
            return ValueText.print(value, as: definition, in: dictionary).map { pair($0, tag, value, definition) }
        }
        guard HiddenValue.fits(value, definition.encryption) else { return nil }
        if let keys, let clear = HiddenValue.reveal(value, as: definition, keys),
            let text = ValueText.print(clear, as: definition, in: dictionary)
        {
            return pair(text, tag, clear, definition)
        }
        var hidden = pair(OctetText.hexadecimal(value), tag, value, definition)
        hidden.isHidden = true
        return hidden
    }

    private func pair(_ text: String, _ tag: UInt8?, _ raw: [UInt8], _ definition: AttributeDefinition) -> AttributePair {
        AttributePair(
            name: definition.name, tag: tag, value: text, path: definition.path, type: definition.type, raw: raw,
            isSecret: definition.isSecret || definition.encryption != .none)
    }

    /// Parts tag and value (RFC 2868 §3); nil when the place of the tag holds none.
    private func untagged(_ octets: [UInt8], _ definition: AttributeDefinition) -> (tag: UInt8?, value: [UInt8])? {
        guard definition.isTagged else { return (nil, octets) }
        let first = octets.first ?? 0xff
        if definition.encryption == .tunnelPassword {
            return first > 0x1f ? nil : (first == 0 ? nil : first, Array(octets.dropFirst()))
        }
        if definition.type.fixedOctets != nil {
            return first > 0x1f ? nil : (first == 0 ? nil : first, [0] + octets.dropFirst())
        }
        return first > 0x1f ? (nil, octets) : (first, Array(octets.dropFirst()))
    }
}

extension AttributeType {
    /// A value of the type is made of other attributes; one that does not parse has no name of its own.
    var isContainer: Bool {
        switch self {
        case .tlv, .vsa, .extended, .longExtended, .evs: true
        default: false
        }
    }
}
