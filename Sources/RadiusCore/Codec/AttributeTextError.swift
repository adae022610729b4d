/// Why a name and a value as people write them do not make an attribute.
///
/// Says which attribute, what is wrong, and what would be allowed. A secret's value is never repeated.
public struct AttributeTextError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: Error, Hashable, Sendable {
        /// No dictionary has the name; the nearest one that some has.
        case unknownAttribute(suggestion: String?)
        /// The text is not of the attribute's type.
        case badValue(String, allowed: String)
        /// A string may not be sent empty (RFC 2865 §5).
        case emptyValue
        /// The value has more octets than its attribute holds.
        case tooLong(octets: Int, limit: Int)
        /// The value must have exactly this many octets.
        case wrongLength(octets: Int, required: String)
        /// The tag is not a number of 0...31.
        case badTag(String)
        /// The attribute carries no tag (RFC 2868 §3).
        case notTagged
        /// A control character such as CR, LF or NUL stands in the text.
        case controlCharacter(UInt8)
        /// A backslash that begins no escape.
        case badEscape
        /// The value is hidden on the wire, and the secret to hide it was not given.
        case keysMissing
        /// The attribute's number never appears in a packet, or does not fit its field.
        case notOnTheWire
        /// Not of the form `Name = value`.
        case notAPair
    }

    /// The attribute's name as it was given.
    public let attribute: String
    public let reason: Reason

    public init(attribute: String, reason: Reason) {
        self.attribute = attribute
        self.reason = reason
    }

    public var description: String {
        "\(OctetText.printable(attribute, limit: 80)): \(reason.text)"
    }
}

extension AttributeTextError.Reason {
    /// The reason in words, without the attribute's name.
    var text: String {
        switch self {
        case .unknownAttribute(let suggestion):
            "no dictionary has this attribute; "
                + (suggestion.map { "did you mean \($0)?" } ?? "write Attr-26.VENDOR.NUMBER = 0x... for one without a name")
        case .badValue(let value, let allowed):
            (value.isEmpty ? "the value" : "\"\(OctetText.printable(value, limit: 64))\"") + " does not fit; write \(allowed)"
        case .emptyValue: "the value is empty; leave the attribute out instead (RFC 2865 §5)"
        case .tooLong(let octets, let limit): "the value has \(octets) octets; at most \(limit) fit"
        case .wrongLength(let octets, let required): "the value has \(octets) octets; it must have \(required)"
        case .badTag(let tag): "\"\(OctetText.printable(tag, limit: 16))\" is no tag; write a number from 0 to 31"
        case .notTagged: "this attribute carries no tag; leave the colon and the number out"
        case .controlCharacter(let octet):
            "the value holds the control character \(OctetText.escape(octet)); write it as that escape if it is meant"
        case .badEscape: "a backslash begins no escape; write \\\\ for a backslash, \\xNN for an octet"
        case .keysMissing: "the value is hidden on the wire; give the shared secret"
        case .notOnTheWire: "its number does not fit a packet; the attribute is for use inside a server only"
        case .notAPair: "not a pair; write Name = value"
        }
    }
}
