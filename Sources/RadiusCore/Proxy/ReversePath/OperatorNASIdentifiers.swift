/// Makes and reads Operator-NAS-Identifier (RFC 8559 §3.4): what a home server is told of a NAS, by which its CoA finds back.
///
/// The value is ours alone to read: a mark, the NAS's number and a code over both and the tenant. All nodes of a cluster make the same,
/// since all have the same keys. It says where a session is looked for and never whether somebody may touch it.
public struct OperatorNASIdentifiers: Sendable {
    /// What a value is to us.
    enum Reading: Equatable {
        /// We made it for this NAS of the tenant.
        case nas(Int64)
        /// It looks like ours, and the code is wrong: changed on the way, of another tenant, under a key that is gone, or made by a daemon
        /// like this one with keys of its own.
        case forged
        /// Somebody nearer the NAS made it, or the home server itself.
        case foreign
    }

    /// Extended-Type in Extended-Attribute-1.
    static let extendedType: UInt8 = 8
    /// Octets that a value may have: an attribute's, without its type, length and Extended-Type.
    static let longest = 252
    /// Octets of a value that we make.
    static let count = mark.count + 8 + codeCount
    private static let mark = Array("LM".utf8)
    private static let codeCount = 10

    /// The newest first.
    private let keys: [[UInt8]]

    /// - Parameter secrets: of at least 16 octets each, the one to make values with first; keys are derived from them.
    public init(secrets: [[UInt8]]) {
        precondition(!secrets.isEmpty)
        keys = secrets.map { KeyedDigests.hmacSHA256($0, Array("lastmile Operator-NAS-Identifier".utf8)) }
    }

    /// The attribute for `nas`, encoded.
    func attribute(tenant: Int64, nas: Int64) -> [UInt8] {
        Self.attribute(Self.mark + Self.octets(nas) + Self.code(keys[0], tenant, nas))
    }

    /// The attribute with `value`, of at most `longest` octets, encoded.
    static func attribute(_ value: [UInt8]) -> [UInt8] {
        precondition(value.count <= longest)
        return [AttributeNumber.extendedAttribute1, UInt8(value.count + 3), extendedType] + value
    }

    /// What `value`, that of an attribute behind its Extended-Type, is in `tenant`.
    func read(_ value: [UInt8], tenant: Int64) -> Reading {
        guard value.count == Self.count, value.starts(with: Self.mark) else { return .foreign }
        let number = value[Self.mark.count..<Self.mark.count + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let nas = Int64(bitPattern: number)
        let code = Array(value.suffix(Self.codeCount))
        let isOurs = keys.contains { key in
            let expected = Self.code(key, tenant, nas)
            return ConstantTime.equal(expected.span, code.span)
        }
        return isOurs ? .nas(nas) : .forged
    }

    private static func code(_ key: [UInt8], _ tenant: Int64, _ nas: Int64) -> [UInt8] {
        Array(KeyedDigests.hmacSHA256(key, octets(tenant) + octets(nas)).prefix(codeCount))
    }

    private static func octets(_ number: Int64) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }

    /// The value of the first Operator-NAS-Identifier among `attributes`; nil without one that has a value.
    static func value(in attributes: Span<UInt8>) -> [UInt8]? {
        var cursor = AttributeCursor(0..<attributes.count)
        while let member = cursor.next(in: attributes) {
            guard isMeant(member, in: attributes), member.range.count > 1 else { continue }
            return VendorPassage.copy(member.range.dropFirst(), of: attributes)
        }
        return nil
    }

    /// Whether `member` of `attributes` is an Operator-NAS-Identifier.
    static func isMeant(_ member: AttributeCursor.Member, in attributes: Span<UInt8>) -> Bool {
        member.type == UInt32(AttributeNumber.extendedAttribute1) && !member.range.isEmpty
            && attributes[member.range.lowerBound] == extendedType
    }
}
