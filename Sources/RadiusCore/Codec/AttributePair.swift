/// An attribute as people read it.
public struct AttributePair: Hashable, Sendable {
    /// The dictionary's name without a tag; `Attr-...` for an attribute without a name, and for a value that its type forbids.
    public var name: String
    /// 1...31; 0 only for a string with a tag octet that is unused (RFC 2868 §3.1).
    public var tag: UInt8?
    /// The printed form; `AttributeEncoder` takes it back.
    public var value: String
    /// Where the attribute stands.
    public var path: AttributePath
    /// The dictionary's type; `octets` for `Attr-...`.
    public var type: AttributeType
    /// The value without tag and salt, revealed; as it stands on the wire while `isHidden`.
    public var raw: [UInt8]
    /// The value is hidden, and no secret that fits was given.
    public var isHidden: Bool
    /// Not to be shown in clear to anyone but the owner.
    public var isSecret: Bool

    /// Whether the octets stand for themselves because no dictionary explains them.
    public var isUnnamed: Bool { name.utf8.starts(with: "Attr-".utf8) }

    /// The name with its tag, such as `Tunnel-Type:1`.
    public var taggedName: String { tag.map { "\(name):\($0)" } ?? name }

    /// An attribute that no dictionary explains.
    init(unnamed path: AttributePath, _ octets: [UInt8]) {
        self.init(name: path.unnamed, tag: nil, value: OctetText.hexadecimal(octets), path: path, type: .octets, raw: octets)
    }

    init(
        name: String, tag: UInt8?, value: String, path: AttributePath, type: AttributeType, raw: [UInt8], isHidden: Bool = false,
        isSecret: Bool = false
    ) {
        self.name = name
        self.tag = tag
        self.value = value
        self.path = path
        self.type = type
        self.raw = raw
        self.isHidden = isHidden
        self.isSecret = isSecret
    }
}

extension AttributePair: CustomStringConvertible {
    /// `Name = value`, a string between double quotes. `AttributeText` takes it back.
    public var description: String {
        guard type == .string, !isHidden else { return "\(taggedName) = \(value)" }
        var quoted = ""
        for character in value.unicodeScalars {
            if character == "\"" { quoted += "\\" }
            quoted.unicodeScalars.append(character)
        }
        return "\(taggedName) = \"\(quoted)\""
    }
}

/// A name and a value as somebody wrote them.
public struct AttributeText: Hashable, Sendable {
    /// The attribute's name, perhaps with a tag: `Tunnel-Type:1`.
    public var name: String
    /// The value in the form that `AttributePair.value` has.
    public var value: String
    /// The value stood between double quotes: a text even where the type is octets.
    public var isQuoted: Bool

    public init(name: String, value: String, isQuoted: Bool = false) {
        self.name = name
        self.value = value
        self.isQuoted = isQuoted
    }

    /// Reads `Name = value`; `:=` and `+=` are taken for `=`.
    ///
    /// Goes by octets, not by characters: an accent may follow a quote and make one character with it.
    ///
    /// - Throws: `notAPair` when there is no name, no sign, or an opened quote that does not close the line.
    public init(line: some StringProtocol) throws(AttributeTextError) {
        let text = Self.trimmed(Array(line.utf8)[...])
        let head = text.prefix { $0 != UInt8(ascii: "=") }
        var name = head
        if let sign = name.last, sign == UInt8(ascii: ":") || sign == UInt8(ascii: "+") { name = name.dropLast() }
        name = Self.trimmed(name)
        self.name = String(decoding: name, as: UTF8.self)
        let value = Self.trimmed(text[head.endIndex...].dropFirst())
        let isPair = head.endIndex < text.endIndex && !name.isEmpty && !name.contains(where: Self.isBlank)
        isQuoted = value.first == UInt8(ascii: "\"")
        let isClosed = !isQuoted || (value.count >= 2 && value.last == UInt8(ascii: "\"") && !Self.escapesLast(value.dropLast()))
        guard isPair, isClosed else { throw AttributeTextError(attribute: self.name, reason: .notAPair) }
        self.value = String(decoding: isQuoted ? value.dropFirst().dropLast() : value, as: UTF8.self)
    }

    private static func isBlank(_ octet: UInt8) -> Bool { octet == UInt8(ascii: " ") || octet == UInt8(ascii: "\t") }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var trimmed = text.drop(while: isBlank)
        while let last = trimmed.last, isBlank(last) { trimmed = trimmed.dropLast() }
        return trimmed
    }

    /// Whether an odd number of backslashes ends `text`, so that what follows it is escaped.
    private static func escapesLast(_ text: ArraySlice<UInt8>) -> Bool {
        text.reversed().prefix { $0 == UInt8(ascii: "\\") }.count % 2 == 1
    }
}
