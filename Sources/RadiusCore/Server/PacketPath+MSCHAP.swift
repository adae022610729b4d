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

    @_lifetime(writer: copy writer)
    mutating func appendMSCHAPSuccess(_ packet: Span<UInt8>, _ attempt: Attempt, _ writer: inout PacketWriter) {
        guard let subscriber = attempt.subscriber, let hash = attempt.proof.ntHash(of: subscriber) else { return }
        if let range = attempt.credentials.ms2Response, let challenge = attempt.credentials.msChallenge, let name = attempt.userName {
            let response = packet.extracting(range)
            var text = InlineArray<64, UInt8>(repeating: 0)
            var buffer = text.mutableSpan
            let count = MSCHAP.V2.writeSuccess(
                response: response, challenge: packet.extracting(challenge), ntHash: hash, userName: packet.extracting(name),
                into: &buffer)
            writer.append(vendor: AccessCredentials.microsoft, Microsoft.chap2Success, text.span.extracting(0..<count))
            let keys = MSCHAP.V2.mppeKeys(response: response, ntHash: hash)
            appendSalted(Microsoft.mppeSendKey, keys.send, attempt, &writer)
            appendSalted(Microsoft.mppeRecvKey, keys.receive, attempt, &writer)
            appendEncryptionPolicy(&writer)
        } else if attempt.credentials.msResponse != nil {
            appendV1Keys(hash, subscriber, attempt, &writer)
            appendEncryptionPolicy(&writer)
        }
    }

    @_lifetime(writer: copy writer)
    func appendMSCHAPFailure(_ packet: Span<UInt8>, _ attempt: Attempt, _ writer: inout PacketWriter) {
        guard attempt.credentials.count == 1 else { return }
        guard let range = attempt.credentials.ms2Response ?? attempt.credentials.msResponse, !range.isEmpty else { return }
        var challenge = Digest16(repeating: 0)
        var generator = SystemRandomNumberGenerator()
        for position in 0..<16 { challenge[position] = UInt8.random(in: 0...255, using: &generator) }
        var text = InlineArray<128, UInt8>(repeating: 0)
        var buffer = text.mutableSpan
        let count = MSCHAP.writeFailure(
            identifier: packet[range.lowerBound], challenge: challenge,
            version: attempt.credentials.ms2Response != nil ? 3 : 2, into: &buffer)
        writer.append(vendor: AccessCredentials.microsoft, Microsoft.chapError, text.span.extracting(0..<count))
    }

    @_lifetime(writer: copy writer)
    private mutating func appendSalted(_ type: UInt8, _ key: Digest16, _ attempt: Attempt, _ writer: inout PacketWriter) {
        // Unique within the packet, and not repeated for as long as 32768 keys.
        salt = salt &+ 1
        var hidden = InlineArray<64, UInt8>(repeating: 0)
        var buffer = hidden.mutableSpan
        let count = SaltEncryption.hide(
            key.span, salt: salt | 0x8000, authenticator: attempt.authenticator, secret: attempt.client.secret, into: &buffer)
        writer.append(vendor: AccessCredentials.microsoft, type, hidden.span.extracting(0..<count))
    }

    @_lifetime(writer: copy writer)
    private func appendV1Keys(
        _ hash: Digest16, _ subscriber: SubscriberRecord, _ attempt: Attempt, _ writer: inout PacketWriter
    ) {
        let keys = MSCHAP.V1.mppeKeys(ntHash: hash)
        var hidden = InlineArray<128, UInt8>(repeating: 0)
        var buffer = hidden.mutableSpan
        let count = UserPassword.hide(
            keys.span, requestAuthenticator: attempt.authenticator, secret: attempt.client.secret, into: &buffer)
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
