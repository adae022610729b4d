internal import Synchronization

/// A SIM card as a device sees it (3GPP TS 33.102 §6.3.3), for whoever plays a device: believes no network without the right code, and no
/// sequence number twice. Any thread may ask.
public final class SIMCard: Sendable {
    private let credential: SIMCredential
    private let sequence: Mutex<UInt64>

    /// - Parameters:
    ///   - credential: what it has in common with its operator.
    ///   - sequence: the highest number that it has accepted, in hexadecimal digits.
    public init(credential: SIMCredential, sequence: String = "0") {
        self.credential = credential
        self.sequence = Mutex(UInt64(sequence, radix: 16) ?? 0)
    }

    /// Answers `GSM-AUTH:RAND:RAND...` and `UMTS-AUTH:RAND:AUTN`, in hexadecimal digits, as wpa_supplicant asks cards outside of it; with
    /// anything else it fails as on a network that it does not believe.
    public func answer(_ question: String) -> String {
        let words = question.split(separator: ":")
        let octets = words.dropFirst().map { Hexadecimal.octets($0.utf8) ?? [] }
        guard octets.allSatisfy({ $0.count == 16 }) else { return "UMTS-FAIL" }
        if words.first == "GSM-AUTH" {
            let triplets = octets.map { credential.milenage.triplet(random: $0) }
            return "GSM-AUTH:"
                + triplets.map { "\(Hexadecimal.text($0.cipherKey)):\(Hexadecimal.text($0.response))" }.joined(separator: ":")
        }
        guard octets.count == 2 else { return "UMTS-FAIL" }
        return authenticate(random: octets[0], token: octets[1])
    }

    private func authenticate(random: [UInt8], token: [UInt8]) -> String {
        let milenage = credential.milenage
        let vector = milenage.vector(random: random)
        let said = Milenage.xor(Array(token.prefix(6)), vector.anonymityKey)
        let codes = milenage.codes(random: random, sequence: said, field: Array(token[6..<8]))
        guard codes.network == Array(token.suffix(8)) else { return "UMTS-FAIL" }
        let number = said.reduce(0) { $0 << 8 | UInt64($1) }
        let (isNew, highest) = sequence.withLock { highest in
            defer { highest = max(highest, number) }
            return (number > highest, highest)
        }
        guard isNew else { return "UMTS-AUTS:\(Hexadecimal.text(resynchronization(random, highest)))" }
        return
            "UMTS-AUTH:\(Hexadecimal.text(vector.integrityKey)):\(Hexadecimal.text(vector.cipherKey)):\(Hexadecimal.text(vector.response))"
    }

    private func resynchronization(_ random: [UInt8], _ highest: UInt64) -> [UInt8] {
        let own = (0..<6).map { UInt8(truncatingIfNeeded: highest >> UInt64((5 - $0) * 8)) }
        let hidden = Milenage.xor(own, credential.milenage.resynchronizationKey(random: random))
        return hidden + credential.milenage.codes(random: random, sequence: own, field: [0, 0]).card
    }
}
