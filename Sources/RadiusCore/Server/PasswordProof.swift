internal import CLinux

/// What came of holding a request's proof against the stored credential.
enum ProofOutcome {
    case matches
    case refused(AccessReason)
    /// The stored hash takes long to check: the password, in clear, goes to the slow checks.
    case slow(password: [UInt8])
}

/// What an MS-CHAP proof leaves for the answer to it.
struct MSCHAPHashes: BitwiseCopyable {
    var ntHash = Digest16(repeating: 0)
    /// Version 2 only.
    var challengeHash = InlineArray<8, UInt8>(repeating: 0)
}

/// Checks a password proof against a stored credential. Synchronous; does not allocate, except for `slow`.
struct PasswordProof {
    let credentials: AccessCredentials
    let request: RequestAttributes
    /// The digests that hide User-Password, computed.
    let pads: UnsafePointer<lm_md5_job>
    /// Room for a password in clear.
    let clear: UnsafeMutablePointer<UInt8>
    /// Room for what an MS-CHAP proof computes and its answer needs again.
    let hashes: UnsafeMutablePointer<MSCHAPHashes>

    /// Whether a User-Password may have this length (RFC 2865 §5.2).
    static func isPossible(_ password: Range<Int>) -> Bool {
        password.count >= 16 && password.count <= UserPassword.maximumCount && password.count & 15 == 0
    }

    func check(_ subscriber: SubscriberRecord) -> ProofOutcome {
        guard subscriber.credentialKind != .none else {
            return subscriber.authenticatesByMAC ? station(subscriber) : .refused(.noPasswordSet)
        }
        do {
            switch credentials.method {
            case .pap: return pap(subscriber)
            case .chap: return try chap(subscriber)
            case .msCHAP, .msCHAPv2: return try msCHAP(subscriber)
            case .none: return .refused(.noCredentials)
            default: return .refused(.methodUnsupported)
            }
        } catch {
            return .refused(.malformedCredentials)
        }
    }

    /// MAC authentication: the name stands for the password, in whatever notation, and Calling-Station-Id does not contradict it.
    private func station(_ subscriber: SubscriberRecord) -> ProofOutcome {
        guard let address = HardwareAddress(request.value(.userName)) else { return .refused(.wrongPassword) }
        if request.contains(.callingStationID), HardwareAddress(request.value(.callingStationID)) != address {
            return .refused(.wrongStation)
        }
        switch credentials.method {
        case .pap:
            guard let range = credentials.password, Self.isPossible(range) else { return .refused(.malformedCredentials) }
            return outcome(HardwareAddress(Span(_unsafeStart: UnsafePointer(clear), count: reveal(range))) == address)
        case .chap:
            guard let range = credentials.chapPassword else { return .refused(.noCredentials) }
            let challenge = credentials.chapChallenge ?? 4..<20
            let verified = try? CHAP.verify(
                response: request.octets(range), challenge: request.octets(challenge), password: request.value(.userName))
            return verified.map(outcome) ?? .refused(.malformedCredentials)
        default: return .refused(.methodNeedsClearText)
        }
    }

    private func pap(_ subscriber: SubscriberRecord) -> ProofOutcome {
        guard let range = credentials.password else { return .refused(.noCredentials) }
        guard Self.isPossible(range) else { return .refused(.malformedCredentials) }
        let password = Span(_unsafeStart: UnsafePointer(clear), count: reveal(range))
        switch subscriber.credentialKind {
        case .clearText:
            return outcome(PAP.verify(password, clearText: Self.stored(subscriber)))
        case .ntHash:
            guard let hash = Self.ntHash(of: subscriber) else { return .refused(.noPasswordSet) }
            return outcome(PAP.verify(password, ntHash: hash))
        case .hash:
            return .slow(password: password.indices.map { password[$0] })
        case .none:
            return .refused(.noPasswordSet)
        }
    }

    /// Writes the password to `clear`.
    ///
    /// - Returns: its length, without the zeros that end it.
    private func reveal(_ range: Range<Int>) -> Int {
        for block in 0..<range.count / 16 { pads[block].store(to: clear + block * 16) }
        let hidden = UnsafeRawPointer(request.packet + range.lowerBound)
        let open = UnsafeMutableRawPointer(clear)
        for offset in stride(from: 0, to: range.count, by: 8) {
            let pad = open.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let word = hidden.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            open.storeBytes(of: word ^ pad, toByteOffset: offset, as: UInt64.self)
        }
        var count = range.count
        while count > 0, clear[count &- 1] == 0 { count &-= 1 }
        return count
    }

    private func chap(_ subscriber: SubscriberRecord) throws(DecodeError) -> ProofOutcome {
        guard let range = credentials.chapPassword else { return .refused(.noCredentials) }
        guard subscriber.credentialKind == .clearText else { return .refused(.methodNeedsClearText) }
        let challenge = credentials.chapChallenge ?? 4..<20
        return outcome(
            try CHAP.verify(
                response: request.octets(range), challenge: request.octets(challenge), password: Self.stored(subscriber)))
    }

    private func msCHAP(_ subscriber: SubscriberRecord) throws(DecodeError) -> ProofOutcome {
        guard subscriber.credentialKind != .hash else { return .refused(.methodNeedsNTHash) }
        guard let challenge = credentials.msChallenge, let hash = Self.ntHash(of: subscriber) else {
            return .refused(.malformedCredentials)
        }
        hashes.pointee.ntHash = hash
        if let range = credentials.ms2Response {
            guard range.count == MSCHAP.responseCount, challenge.count == 16 else { throw .msCHAPLength }
            let response = request.octets(range)
            hashes.pointee.challengeHash = MSCHAP.V2.challengeHash(
                response: response, challenge: request.octets(challenge), userName: request.value(.userName))
            return outcome(MSCHAP.V2.verify(response: response, challengeHash: hashes.pointee.challengeHash, ntHash: hash))
        }
        guard let range = credentials.msResponse else { return .refused(.noCredentials) }
        return outcome(try MSCHAP.V1.verify(response: request.octets(range), challenge: request.octets(challenge), ntHash: hash))
    }

    /// The MD4 of the password (RFC 2759 §8.3), stored or computed; nil when the clear text is not UTF-8.
    static func ntHash(of subscriber: SubscriberRecord) -> Digest16? {
        guard subscriber.credentialKind == .ntHash else { return MSCHAP.ntHash(ofUTF8: stored(subscriber)) }
        let credential = subscriber.credential
        guard credential.count == 16 else { return nil }
        return Digest16 { credential[$0] }
    }

    /// The LAN Manager hash that MS-CHAP-MPPE-Keys begins with (RFC 2548 §2.4.1); only clear text has one.
    static func lmHash(of subscriber: SubscriberRecord) -> Digest16? {
        subscriber.credentialKind == .clearText ? MSCHAP.lmHash(ofASCII: stored(subscriber)) : nil
    }

    @_lifetime(immortal)
    private static func stored(_ subscriber: SubscriberRecord) -> Span<UInt8> {
        // The snapshot in force keeps the record's memory alive for the whole batch.
        let span = Span<UInt8>(_unsafeElements: subscriber.credential.assumingMemoryBound(to: UInt8.self))
        return _overrideLifetime(span, copying: ())
    }

    private func outcome(_ matches: Bool) -> ProofOutcome {
        matches ? .matches : .refused(.wrongPassword)
    }
}
