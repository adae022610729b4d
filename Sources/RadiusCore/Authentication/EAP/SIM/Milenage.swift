/// The algorithms of a SIM card that most operators use (3GPP TS 35.206): from the card's key, its operator's constant and a random number,
/// what proves network and card to each other, and keys.
public struct Milenage: Sendable {
    /// What one random number gives (3GPP TS 33.102 §6.3.2).
    struct Vector: Equatable, Sendable {
        /// The card's answer, eight octets.
        let response: [UInt8]
        let cipherKey: [UInt8]
        let integrityKey: [UInt8]
        /// Hides the sequence number, six octets.
        let anonymityKey: [UInt8]
    }

    /// A triplet for GSM (3GPP TS 55.205): the answer of four octets and the key of eight.
    struct Triplet: Equatable, Sendable {
        let response: [UInt8]
        let cipherKey: [UInt8]
    }

    private let cipher: AES128
    private let operatorConstant: [UInt8]

    /// - Parameters:
    ///   - key: Ki, 16 octets.
    ///   - operatorConstant: OPc, 16 octets.
    init(key: [UInt8], operatorConstant: [UInt8]) {
        precondition(operatorConstant.count == AES128.blockCount)
        cipher = AES128(key: key)
        self.operatorConstant = operatorConstant
    }

    /// OPc, the operator's constant as the card with this key has it (3GPP TS 35.206 §4.1). All are 16 octets long.
    public static func operatorConstant(key: [UInt8], operatorValue: [UInt8]) -> [UInt8] {
        xor(AES128(key: key).encrypt(operatorValue), operatorValue)
    }

    /// f1: what proves the network, eight octets; and f1*, what proves the card's sequence number to it.
    ///
    /// - Parameters:
    ///   - random: 16 octets.
    ///   - sequence: the sequence number, six octets.
    ///   - field: AMF, two octets.
    /// - Returns: both.
    func codes(random: [UInt8], sequence: [UInt8], field: [UInt8]) -> (network: [UInt8], card: [UInt8]) {
        let input = sequence + field + sequence + field
        let turned = Self.turn(Self.xor(input, operatorConstant), by: 8)
        let output = Self.xor(cipher.encrypt(Self.xor(common(random), turned)), operatorConstant)
        return (Array(output.prefix(8)), Array(output.suffix(8)))
    }

    /// f2 to f5.
    func vector(random: [UInt8]) -> Vector {
        let first = output(random, by: 0, constant: 1)
        return Vector(
            response: Array(first.suffix(8)), cipherKey: output(random, by: 4, constant: 2),
            integrityKey: output(random, by: 8, constant: 4), anonymityKey: Array(first.prefix(6)))
    }

    /// f5*: hides the sequence number that the card sends back.
    func resynchronizationKey(random: [UInt8]) -> [UInt8] { Array(output(random, by: 12, constant: 8).prefix(6)) }

    func triplet(random: [UInt8]) -> Triplet {
        let vector = vector(random: random)
        let key = Self.xor(vector.cipherKey, vector.integrityKey)
        return Triplet(
            response: Self.xor(Array(vector.response.prefix(4)), Array(vector.response.suffix(4))),
            cipherKey: Self.xor(Array(key.prefix(8)), Array(key.suffix(8))))
    }

    private func common(_ random: [UInt8]) -> [UInt8] { cipher.encrypt(Self.xor(random, operatorConstant)) }

    private func output(_ random: [UInt8], by octets: Int, constant: UInt8) -> [UInt8] {
        var input = Self.turn(Self.xor(common(random), operatorConstant), by: octets)
        input[15] ^= constant
        return Self.xor(cipher.encrypt(input), operatorConstant)
    }

    /// Turns a block to the left.
    private static func turn(_ block: [UInt8], by octets: Int) -> [UInt8] { Array(block[octets...] + block[..<octets]) }

    static func xor(_ first: [UInt8], _ second: [UInt8]) -> [UInt8] { zip(first, second).map { $0 ^ $1 } }
}
