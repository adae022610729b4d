extension MSCHAP {
    /// MS-CHAP version 2 (RFC 2759) as MS-CHAP-Challenge and MS-CHAP2-Response carry it (RFC 2548 §2.3).
    ///
    /// `response` is identifier, flags, 16 octets of peer challenge, 8 reserved, 24 of NT answer. `challenge` is 16 octets.
    /// `userName` is User-Name as the peer sent it; what stands before a backslash, a domain, is left out of the digest.
    public enum V2 {
        /// Session keys that the server announces in MS-MPPE-Send-Key and MS-MPPE-Recv-Key.
        public struct MPPEKeys: Sendable {
            /// What the NAS encrypts with.
            public let send: Digest16
            /// What the NAS decrypts with.
            public let receive: Digest16
        }

        /// Whether the peer knows the password.
        ///
        /// - Throws: `DecodeError.msCHAPLength` when `response` is not 50 or `challenge` not 16 octets.
        public static func verify(
            response: Span<UInt8>, challenge: Span<UInt8>, ntHash: Digest16, userName: Span<UInt8>
        ) throws(DecodeError) -> Bool {
            guard response.count == responseCount, challenge.count == 16 else { throw .msCHAPLength }
            let hashed = challengeHash(response: response, challenge: challenge, userName: userName)
            return verify(response: response, challengeHash: hashed, ntHash: ntHash)
        }

        /// The same from the hash of the challenges; `response` has 50 octets.
        static func verify(response: Span<UInt8>, challengeHash: InlineArray<8, UInt8>, ntHash: Digest16) -> Bool {
            let expected = challengeResponse(challenge: challengeHash, hash: ntHash)
            return ConstantTime.equal(response.extracting(26..<50), expected.span)
        }

        /// The text `S=` and 40 hexadecimal digits by which the server proves that it knows the password too (RFC 2759 §8.7).
        ///
        /// - Throws: `DecodeError.msCHAPLength` as `verify` does.
        public static func authenticatorResponse(
            response: Span<UInt8>, challenge: Span<UInt8>, ntHash: Digest16, userName: Span<UInt8>
        ) throws(DecodeError) -> InlineArray<42, UInt8> {
            guard response.count == responseCount, challenge.count == 16 else { throw .msCHAPLength }
            let hashed = challengeHash(response: response, challenge: challenge, userName: userName)
            return authenticatorResponse(response: response, challengeHash: hashed, hashHash: hash(ofNTHash: ntHash))
        }

        /// The same from what verifying has computed.
        static func authenticatorResponse(
            response: Span<UInt8>, challengeHash hashed: InlineArray<8, UInt8>, hashHash: Digest16
        ) -> InlineArray<42, UInt8> {
            var inner = SHA1()
            inner.update(hashHash.span)
            inner.update(response.extracting(26..<50))
            inner.update("Magic server to client signing constant")
            let first = inner.finish()
            var outer = SHA1()
            outer.update(first.span)
            outer.update(hashed.span)
            outer.update("Pad to make it do more than one iteration")
            let proof = outer.finish()
            var text = InlineArray<42, UInt8>(repeating: 0)
            text[0] = 0x53
            text[1] = 0x3d
            for i in 0..<40 { text[i &+ 2] = MSCHAPText.digit(proof[i / 2], high: i & 1 == 0) }
            return text
        }

        /// The 128-bit keys of RFC 3079 §3.4, seen from the server.
        ///
        /// - Throws: `DecodeError.msCHAPLength` when `response` is not 50 octets.
        public static func mppeKeys(response: Span<UInt8>, ntHash: Digest16) throws(DecodeError) -> MPPEKeys {
            guard response.count == responseCount else { throw .msCHAPLength }
            return mppeKeys(response: response, hashHash: hash(ofNTHash: ntHash))
        }

        /// The same from the hash of the NT hash; `response` has 50 octets.
        static func mppeKeys(response: Span<UInt8>, hashHash: Digest16) -> MPPEKeys {
            var digest = SHA1()
            digest.update(hashHash.span)
            digest.update(response.extracting(26..<50))
            digest.update("This is the MPPE Master Key")
            let master = digest.finish()
            return MPPEKeys(
                send: startKey(
                    master, "On the client side, this is the receive key; on the server side, it is the send key."),
                receive: startKey(
                    master, "On the client side, this is the send key; on the server side, it is the receive key."))
        }

        /// Eight octets of SHA-1 over both challenges and the name without its domain (RFC 2759 §8.2).
        static func challengeHash(
            response: Span<UInt8>, challenge: Span<UInt8>, userName: Span<UInt8>
        ) -> InlineArray<8, UInt8> {
            var digest = SHA1()
            digest.update(response.extracting(2..<18))
            digest.update(challenge)
            digest.update(withoutDomain(userName))
            let hashed = digest.finish()
            return InlineArray { hashed[$0] }
        }

        @_lifetime(copy userName)
        private static func withoutDomain(_ userName: Span<UInt8>) -> Span<UInt8> {
            for i in userName.indices where userName[i] == 0x5c { return userName.extracting((i &+ 1)..<userName.count) }
            return userName
        }

        private static func startKey(_ master: Digest20, _ purpose: StaticString) -> Digest16 {
            let zeros = InlineArray<40, UInt8>(repeating: 0)
            let ones = InlineArray<40, UInt8>(repeating: 0xf2)
            var digest = SHA1()
            digest.update(master.span.extracting(0..<16))
            digest.update(zeros.span)
            digest.update(purpose)
            digest.update(ones.span)
            let key = digest.finish()
            return InlineArray { key[$0] }
        }
    }
}

extension SHA1 {
    /// Appends the octets of a literal.
    mutating func update(_ text: StaticString) {
        text.withUTF8Buffer { update($0.span) }
    }
}
