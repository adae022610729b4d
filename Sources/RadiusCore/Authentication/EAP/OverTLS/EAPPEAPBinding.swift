/// Crypto-binding of PEAP version 0 ([MS-PEAP] §2.2.8.1.1, §3.1.5.5): a code over the result that only those can make who are at both ends, of the
/// tunnel and of the method inside. Who stands between and passes the inside on from elsewhere cannot.
struct EAPPEAPBinding: Sendable, Equatable {
    /// Type and length of the TLV; reserved, version, received version, subtype, nonce, code.
    static let type = 12
    private static let count = 60
    private static let codeOffset = 40
    private static let request: UInt8 = 0
    private static let response: UInt8 = 1
    /// Octets of the tunnel's key that the first derivation takes.
    private static let temporaryCount = 40

    private let compoundMACKey: [UInt8]
    private let intermediateKey: [UInt8]

    /// - Parameters:
    ///   - tunnelKey: the MSK of the tunnel; 60 octets or more.
    ///   - innerKey: what the method inside leaves; empty for a method without keys, nil where a session was taken up and none ran.
    init(tunnelKey: [UInt8], innerKey: [UInt8]?) {
        var compound = Array(tunnelKey.prefix(Self.temporaryCount + 20))
        if let innerKey {
            let seed =
                Array("Inner Methods Compound Keys".utf8) + innerKey.prefix(32) + [UInt8](repeating: 0, count: max(0, 32 - innerKey.count))
            compound = Self.expand(Array(tunnelKey.prefix(Self.temporaryCount)), seed, count: Self.temporaryCount + 20)
        }
        intermediateKey = Array(compound.prefix(Self.temporaryCount))
        compoundMACKey = Array(compound.dropFirst(Self.temporaryCount))
    }

    /// The MSK of a conversation whose both sides are bound; 64 octets.
    var masterSessionKey: [UInt8] {
        // The label ends with a zero, as Microsoft's own implementation has it.
        Self.expand(intermediateKey, Array("Session Key Generating Function".utf8) + [0], count: 64)
    }

    /// The TLV for the server's result; `nonce` is 32 octets.
    func request(nonce: [UInt8]) -> [UInt8] {
        let head: [UInt8] = [0, UInt8(Self.type), 0, UInt8(Self.count - 4), 0, 0, 0, Self.request] + nonce
        return head + code(head + [UInt8](repeating: 0, count: 20))
    }

    /// Whether a peer's TLV, its header included, is bound to this conversation.
    func isBound(_ tlv: [UInt8]) -> Bool {
        guard tlv.count == Self.count, tlv[7] == Self.response else { return false }
        let expected = code(Array(tlv[..<Self.codeOffset]) + [UInt8](repeating: 0, count: 20))
        return ConstantTime.equal(expected.span, tlv.span.extracting(Self.codeOffset..<Self.count))
    }

    /// Over the TLV without its code, and PEAP's number.
    private func code(_ tlv: [UInt8]) -> [UInt8] { KeyedDigests.hmacSHA1(compoundMACKey, tlv + [UInt8(EAPType.peap.number)]) }

    /// PRF+ of PEAP version 0: like IKE's, with two zeros behind the counter.
    private static func expand(_ key: [UInt8], _ seed: [UInt8], count: Int) -> [UInt8] {
        var (octets, last, counter) = ([UInt8](), [UInt8](), UInt8(1))
        while octets.count < count {
            last = KeyedDigests.hmacSHA1(key, last + seed + [counter, 0, 0])
            octets += last
            counter += 1
        }
        return Array(octets.prefix(count))
    }
}

/// Whether PEAP binds the method inside to its tunnel.
public enum EAPCryptoBinding: String, Sendable, CaseIterable {
    case no
    /// It is offered, and a peer that takes it must have it right.
    case yes
    /// A peer that does not take it is refused.
    case required
}
