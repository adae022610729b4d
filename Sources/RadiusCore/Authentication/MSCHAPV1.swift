extension MSCHAP {
    /// MS-CHAP version 1 (RFC 2433) as MS-CHAP-Challenge and MS-CHAP-Response carry it (RFC 2548 §2.1).
    public enum V1 {
        /// Whether the peer knows the password.
        ///
        /// Only the NT answer counts: a response whose Flags octet offers the LAN Manager answer instead does not verify.
        ///
        /// - Parameters:
        ///   - response: identifier, flags, 24 octets of LAN Manager answer, 24 of NT answer.
        ///   - challenge: 8 octets.
        ///   - ntHash: of the password.
        /// - Returns: whether the answer is the right one; constant time in the answer.
        /// - Throws: `DecodeError.msCHAPLength` for any other length.
        public static func verify(
            response: Span<UInt8>, challenge: Span<UInt8>, ntHash: Digest16
        ) throws(DecodeError) -> Bool {
            guard response.count == responseCount, challenge.count == 8 else { throw .msCHAPLength }
            guard response[1] & 1 == 1 else { return false }
            let expected = challengeResponse(challenge: InlineArray { challenge[$0] }, hash: ntHash)
            return ConstantTime.equal(response.extracting(26..<50), expected.span)
        }

        /// The clear value of MS-CHAP-MPPE-Keys (RFC 2548 §2.4.1): 8 octets of LAN Manager key, 16 of NT key, 8 zeros.
        ///
        /// Hide it with `UserPassword.hide`. The NT key is the hash of the NT hash, as RFC 3079 §2.3 starts from and as peers expect;
        /// RFC 2548 words it as the NT hash itself. Without `lmHash` the first key is zeros.
        public static func mppeKeys(ntHash: Digest16, lmHash: Digest16?) -> InlineArray<32, UInt8> {
            let ntKey = hash(ofNTHash: ntHash)
            var keys = InlineArray<32, UInt8>(repeating: 0)
            if let lmHash {
                for i in 0..<8 { keys[i] = lmHash[i] }
            }
            for i in 0..<16 { keys[i &+ 8] = ntKey[i] }
            return keys
        }
    }
}
