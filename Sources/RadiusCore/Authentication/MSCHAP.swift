/// What both versions of MS-CHAP share: the hashes of a password and the DES answer to eight octets of challenge.
///
/// Value logic without I/O or allocation; RFC 2433, RFC 2759, attributes in RFC 2548, keys in RFC 3079.
public enum MSCHAP {
    /// Octets of MS-CHAP-Response and MS-CHAP2-Response (RFC 2548 §2.1.3, §2.3.2).
    static let responseCount = 50

    /// The NT hash: MD4 of the password in UTF-16, low octet first (RFC 2759 §8.3). nil when it is not valid UTF-8.
    public static func ntHash(ofUTF8 password: Span<UInt8>) -> Digest16? {
        var digest = MD4()
        do {
            let text = try UTF8Span(validating: password)
            var scalars = text.makeUnicodeScalarIterator()
            while let scalar = scalars.next() {
                for unit in UTF16.encode(scalar) ?? UTF16.EncodedScalar() {
                    let octets: InlineArray<2, UInt8> = [UInt8(truncatingIfNeeded: unit), UInt8(truncatingIfNeeded: unit &>> 8)]
                    digest.update(octets.span)
                }
            }
        } catch {
            return nil
        }
        return digest.finish()
    }

    /// The LAN Manager hash (RFC 2433 §A.2, §A.3): DES of a fixed text under the upper-case password, cut to 14 octets.
    ///
    /// nil when the password holds other than ASCII, whose OEM code page nobody knows.
    public static func lmHash(ofASCII password: Span<UInt8>) -> Digest16? {
        var upper = InlineArray<14, UInt8>(repeating: 0)
        for i in password.indices {
            let octet = password[i]
            guard octet < 0x80 else { return nil }
            if i < 14 { upper[i] = octet >= 0x61 && octet <= 0x7a ? octet &- 0x20 : octet }
        }
        let text: InlineArray<8, UInt8> = [0x4b, 0x47, 0x53, 0x21, 0x40, 0x23, 0x24, 0x25]
        let first = DES.encrypt(block: text, key7: InlineArray { upper[$0] })
        let second = DES.encrypt(block: text, key7: InlineArray { upper[$0 &+ 7] })
        return InlineArray { $0 < 8 ? first[$0] : second[$0 &- 8] }
    }

    /// MD4 of the NT hash, from which authenticator responses and keys are made (RFC 2759 §8.4).
    public static func hash(ofNTHash ntHash: Digest16) -> Digest16 {
        var digest = MD4()
        digest.update(ntHash.span)
        return digest.finish()
    }

    /// The answer to a challenge (RFC 2433 §A.7, RFC 2759 §8.5): three DES blocks under the hash, padded with zeros to 21 octets.
    public static func challengeResponse(challenge: InlineArray<8, UInt8>, hash: Digest16) -> InlineArray<24, UInt8> {
        let first = DES.encrypt(block: challenge, key7: InlineArray { hash[$0] })
        let second = DES.encrypt(block: challenge, key7: InlineArray { hash[$0 &+ 7] })
        let third = DES.encrypt(block: challenge, key7: InlineArray { $0 < 2 ? hash[$0 &+ 14] : 0 })
        return InlineArray { $0 < 8 ? first[$0] : $0 < 16 ? second[$0 &- 8] : third[$0 &- 16] }
    }
}
