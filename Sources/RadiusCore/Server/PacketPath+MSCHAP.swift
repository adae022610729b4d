/// The Microsoft attributes of a reply (RFC 2548 §2, RFC 2759, RFC 3079).
extension PacketPath {
    /// Vendor types of RFC 2548.
    private enum Microsoft {
        static let chapError: UInt8 = 2
        static let mppeEncryptionPolicy: UInt8 = 7
        static let mppeEncryptionTypes: UInt8 = 8
        static let chapMPPEKeys: UInt8 = 12
        static let mppeSendKey: UInt8 = 16
        static let mppeRecvKey: UInt8 = 17
        static let chap2Success: UInt8 = 26
        /// RFC 2548 §2.4.4: encryption allowed, not required.
        static let encryptionAllowed: UInt32 = 1
        /// RFC 2548 §2.4.5: 40-bit and 128-bit RC4.
        static let rc4Either: UInt32 = 6
    }

    /// After a proof that verified, so the lengths are right and its hashes are there.
    @_lifetime(writer: copy writer)
    mutating func appendMSCHAPSuccess(_ attempt: Attempt, _ subscriber: SubscriberRecord, _ writer: inout PacketWriter) {
        let hashes = batch.hashes.pointee
        if let range = attempt.credentials.ms2Response {
            let response = attempt.request.octets(range)
            let hashHash = MSCHAP.hash(ofNTHash: hashes.ntHash)
            let proof = MSCHAP.V2.authenticatorResponse(response: response, challengeHash: hashes.challengeHash, hashHash: hashHash)
            var text = InlineArray<64, UInt8>(repeating: 0)
            var buffer = text.mutableSpan
            let count = MSCHAP.writeSuccess(identifier: response[0], authenticatorResponse: proof, into: &buffer)
            writer.append(vendor: AccessCredentials.microsoft, Microsoft.chap2Success, text.span.extracting(0..<count))
            let keys = MSCHAP.V2.mppeKeys(response: response, hashHash: hashHash)
            appendSalted(Microsoft.mppeSendKey, keys.send.span, attempt, &writer)
            appendSalted(Microsoft.mppeRecvKey, keys.receive.span, attempt, &writer)
            appendEncryptionPolicy(&writer)
        } else {
            appendV1Keys(hashes.ntHash, PasswordProof.lmHash(of: subscriber), attempt, &writer)
            appendEncryptionPolicy(&writer)
        }
    }

    /// MS-CHAP-Error (RFC 2548 §2.1.5) for a request that carried an MS-CHAP response.
    @_lifetime(writer: copy writer)
    func appendMSCHAPFailure(_ attempt: Attempt, _ writer: inout PacketWriter) {
        guard attempt.credentials.count == 1 else { return }
        guard let range = attempt.credentials.ms2Response ?? attempt.credentials.msResponse, !range.isEmpty else { return }
        var generator = SystemRandomNumberGenerator()
        let challenge = Digest16 { _ in UInt8.random(in: 0...255, using: &generator) }
        var text = InlineArray<128, UInt8>(repeating: 0)
        var buffer = text.mutableSpan
        let used = attempt.credentials.ms2Response != nil ? 16 : 8
        let count = MSCHAP.writeFailure(
            identifier: attempt.request.packet[range.lowerBound], reason: .authenticationFailure, retry: false,
            challenge: challenge.span.extracting(0..<used), message: Span(), into: &buffer)
        writer.append(vendor: AccessCredentials.microsoft, Microsoft.chapError, text.span.extracting(0..<count))
    }

    /// The keys that an EAP method leaves to the NAS.
    @_lifetime(writer: copy writer)
    mutating func appendKeys(_ keys: EAPKeys, _ attempt: Attempt, _ writer: inout PacketWriter) {
        appendSalted(Microsoft.mppeRecvKey, keys.receive.span, attempt, &writer)
        appendSalted(Microsoft.mppeSendKey, keys.send.span, attempt, &writer)
    }

    /// Hides a key of at most 32 octets.
    @_lifetime(writer: copy writer)
    private mutating func appendSalted(_ type: UInt8, _ key: Span<UInt8>, _ attempt: Attempt, _ writer: inout PacketWriter) {
        // Unique within the packet, and not repeated for as long as 32768 keys.
        salt = salt &+ 1
        var hidden = InlineArray<64, UInt8>(repeating: 0)
        var buffer = hidden.mutableSpan
        let count = SaltEncryption.hide(
            key, salt: salt | 0x8000, authenticator: attempt.authenticator, secret: attempt.client.pointee.client.secret, into: &buffer
        )
        writer.append(vendor: AccessCredentials.microsoft, type, hidden.span.extracting(0..<count))
    }

    @_lifetime(writer: copy writer)
    private func appendV1Keys(
        _ hash: Digest16, _ lmHash: Digest16?, _ attempt: Attempt, _ writer: inout PacketWriter
    ) {
        let keys = MSCHAP.V1.mppeKeys(ntHash: hash, lmHash: lmHash)
        var hidden = InlineArray<128, UInt8>(repeating: 0)
        var buffer = hidden.mutableSpan
        let count = UserPassword.hide(
            keys.span, requestAuthenticator: attempt.authenticator, secret: attempt.client.pointee.client.secret, into: &buffer)
        writer.append(vendor: AccessCredentials.microsoft, Microsoft.chapMPPEKeys, hidden.span.extracting(0..<count))
    }

    @_lifetime(writer: copy writer)
    private func appendEncryptionPolicy(_ writer: inout PacketWriter) {
        appendNumber(Microsoft.mppeEncryptionPolicy, Microsoft.encryptionAllowed, &writer)
        appendNumber(Microsoft.mppeEncryptionTypes, Microsoft.rc4Either, &writer)
    }

    @_lifetime(writer: copy writer)
    private func appendNumber(_ type: UInt8, _ value: UInt32, _ writer: inout PacketWriter) {
        let octets = InlineArray<4, UInt8> { UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32($0))) }
        writer.append(vendor: AccessCredentials.microsoft, type, octets.span)
    }
}
