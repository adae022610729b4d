/// What the server has in common with a SIM card: Ki, OPc and the authentication management field (3GPP TS 33.102 §6.3).
public struct SIMCredential: Equatable, Sendable {
    /// Ki, OPc and AMF one after the other, as a subscriber's record has them.
    public static let count = 34
    private static let keyCount = 16

    let key: [UInt8]
    /// OPc.
    let operatorConstant: [UInt8]
    /// AMF, two octets.
    let field: [UInt8]

    /// Why a text is no credential.
    public enum Fault: Error, Equatable, Sendable {
        case parts
        case key
        case operatorConstant
        case field

        public var sentence: String {
            switch self {
            case .parts: "Ki and OPc are expected, with a colon between, and perhaps AMF behind another: KI:OPC, KI:OPC:AMF or KI:op=OP"
            case .key: "Ki, in front of the first colon, has to be 32 hexadecimal digits"
            case .operatorConstant: "OPc, behind the first colon, has to be 32 hexadecimal digits, or op= and as many of OP"
            case .field: "AMF, behind the second colon, has to be 4 hexadecimal digits"
            }
        }
    }

    /// Reads what people write: `KI:OPC`, `KI:OPC:AMF`, or with OP instead of OPc `KI:op=OP`, in hexadecimal digits. AMF is 0000 unless
    /// it is said.
    public init(text: some StringProtocol) throws(Fault) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count) else { throw .parts }
        guard let key = Self.octets(parts[0], count: Self.keyCount) else { throw .key }
        let isOperatorValue = parts[1].hasPrefix("op=")
        guard let constant = Self.octets(isOperatorValue ? parts[1].dropFirst(3) : parts[1], count: Self.keyCount) else {
            throw .operatorConstant
        }
        guard let field = parts.count == 3 ? Self.octets(parts[2], count: 2) : [0, 0] else { throw .field }
        self.key = key
        operatorConstant = isOperatorValue ? Milenage.operatorConstant(key: key, operatorValue: constant) : constant
        self.field = field
    }

    /// Takes what `octets` gave; nil when there are not `count`.
    init?(octets: [UInt8]) {
        guard octets.count == Self.count else { return nil }
        key = Array(octets.prefix(Self.keyCount))
        operatorConstant = Array(octets.dropFirst(Self.keyCount).prefix(Self.keyCount))
        field = Array(octets.suffix(2))
    }

    /// For a subscriber's record.
    public var octets: [UInt8] { key + operatorConstant + field }

    var milenage: Milenage { Milenage(key: key, operatorConstant: operatorConstant) }

    private static func octets(_ digits: some StringProtocol, count: Int) -> [UInt8]? {
        Hexadecimal.octets(digits.utf8).flatMap { $0.count == count ? $0 : nil }
    }
}
