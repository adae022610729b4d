/// What came of holding a request's proof against the stored credential.
enum ProofOutcome {
    case matches
    case refused(AccessReason)
    /// The stored hash takes long to check: the password, in clear, goes to the slow checks.
    case slow(password: [UInt8])
}

/// Checks a password proof against a stored credential. Synchronous; does not allocate, except for `slow`.
struct PasswordProof {
    let credentials: AccessCredentials
    let authenticator: Digest16
    let secret: SharedSecret

    func check(_ packet: Span<UInt8>, against subscriber: SubscriberRecord, userName: Span<UInt8>) -> ProofOutcome {
        guard subscriber.credentialKind != .none else { return .refused(.noPasswordSet) }
        do {
            switch credentials.method {
            case .pap: return try pap(packet, subscriber)
            case .chap: return try chap(packet, subscriber)
            case .msCHAP, .msCHAPv2: return try msCHAP(packet, subscriber, userName)
            case .eap: return .refused(.methodUnsupported)
            case .none: return .refused(.noCredentials)
            }
        } catch {
            return .refused(.malformedCredentials)
        }
    }

    private func pap(_ packet: Span<UInt8>, _ subscriber: SubscriberRecord) throws(DecodeError) -> ProofOutcome {
        guard let range = credentials.password else { return .refused(.noCredentials) }
        var clear = InlineArray<128, UInt8>(repeating: 0)
        var buffer = clear.mutableSpan
        let count = try UserPassword.reveal(
            packet.extracting(range), requestAuthenticator: authenticator, secret: secret, into: &buffer)
        let password = clear.span.extracting(0..<count)
        switch subscriber.credentialKind {
        case .clearText:
            return outcome(PAP.verify(password, clearText: stored(subscriber)))
        case .ntHash:
            guard let hash = ntHash(of: subscriber) else { return .refused(.noPasswordSet) }
            return outcome(PAP.verify(password, ntHash: hash))
        case .hash:
            return .slow(password: (0..<count).map { clear[$0] })
        case .none:
            return .refused(.noPasswordSet)
        }
    }

    private func chap(_ packet: Span<UInt8>, _ subscriber: SubscriberRecord) throws(DecodeError) -> ProofOutcome {
        guard let range = credentials.chapPassword else { return .refused(.noCredentials) }
        guard subscriber.credentialKind == .clearText else { return .refused(.methodNeedsClearText) }
        let response = packet.extracting(range)
        if let challenge = credentials.chapChallenge {
            return outcome(try CHAP.verify(response: response, challenge: packet.extracting(challenge), password: stored(subscriber)))
        }
        return outcome(try CHAP.verify(response: response, challenge: authenticator.span, password: stored(subscriber)))
    }

    private func msCHAP(
        _ packet: Span<UInt8>, _ subscriber: SubscriberRecord, _ userName: Span<UInt8>
    ) throws(DecodeError) -> ProofOutcome {
        guard subscriber.credentialKind != .hash else { return .refused(.methodNeedsNTHash) }
        guard let challenge = credentials.msChallenge, let hash = ntHash(of: subscriber) else { return .refused(.malformedCredentials) }
        if let range = credentials.ms2Response {
            return outcome(
                try MSCHAP.V2.verify(
                    response: packet.extracting(range), challenge: packet.extracting(challenge), ntHash: hash, userName: userName))
        }
        guard let range = credentials.msResponse else { return .refused(.noCredentials) }
        return outcome(try MSCHAP.V1.verify(response: packet.extracting(range), challenge: packet.extracting(challenge), ntHash: hash))
    }

    /// The MD4 of the password (RFC 2759 §8.3), stored or computed; nil when the clear text is not UTF-8.
    func ntHash(of subscriber: SubscriberRecord) -> Digest16? {
        guard subscriber.credentialKind == .ntHash else { return MSCHAP.ntHash(ofUTF8: stored(subscriber)) }
        let credential = subscriber.credential
        guard credential.count == 16 else { return nil }
        return Digest16 { credential[$0] }
    }

    /// The LAN Manager hash that MS-CHAP-MPPE-Keys begins with (RFC 2548 §2.4.1); only clear text has one.
    func lmHash(of subscriber: SubscriberRecord) -> Digest16? {
        subscriber.credentialKind == .clearText ? MSCHAP.lmHash(ofASCII: stored(subscriber)) : nil
    }

    @_lifetime(immortal)
    private func stored(_ subscriber: SubscriberRecord) -> Span<UInt8> {
        // The snapshot in force keeps the record's memory alive for the whole batch.
        let span = Span<UInt8>(_unsafeElements: subscriber.credential.assumingMemoryBound(to: UInt8.self))
        return _overrideLifetime(span, copying: ())
    }

    private func outcome(_ matches: Bool) -> ProofOutcome {
        matches ? .matches : .refused(.wrongPassword)
    }
}
