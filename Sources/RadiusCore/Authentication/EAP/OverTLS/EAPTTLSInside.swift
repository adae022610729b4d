/// The inside of a tunnel of TTLS (RFC 5281 §11): the peer logs in with attributes, as it would at a NAS, or by a conversation of EAP.
///
/// Challenges of CHAP and MS-CHAP are keying material of the tunnel, so that nothing said elsewhere is of use in it.
struct EAPTTLSInside: Sendable {
    /// Who the peer says to be.
    private(set) var identity: [UInt8] = []
    private(set) var method: EAPInnerMethod?
    private var session: EAPSession?

    var memoryOctets: Int { session?.memoryOctets ?? 0 }

    /// Why the peer will be refused, whatever it says now; nil while that is open.
    var verdict: AccessReason? { session?.verdict }

    /// Octets that the peer wrote into the tunnel, of any length and content.
    mutating func receive(
        _ octets: [UInt8], _ conversation: TLSConversation, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> EAPInsideStep {
        guard let attributes = EAPTTLSAttributes(octets) else { return .refused(.tunnelMalformed) }
        guard attributes.methods.count <= 1 else { return .refused(.conflictingCredentials) }
        guard let chosen = attributes.methods.first else { return .refused(.tunnelEmpty) }
        if let message = attributes.eapMessage { return converse(message, surroundings, tls) }
        guard session == nil, let chosen else { return .refused(.eapUnexpected) }
        method = chosen
        guard tls.ttlsMethods.contains(chosen) else { return .refused(.tunnelMethodRefused) }
        guard let name = attributes.userName, !name.isEmpty else { return .refused(.userNameMissing) }
        guard name.count <= EAPSession.longestIdentity else { return .refused(.tunnelMalformed) }
        identity = name
        guard let account = surroundings.account(name) else { return .refused(.unknownSubscriber) }
        return prove(chosen, attributes, conversation, account)
    }

    private func prove(
        _ method: EAPInnerMethod, _ attributes: EAPTTLSAttributes, _ conversation: TLSConversation, _ account: EAPAccount
    ) -> EAPInsideStep {
        let count = method == .msCHAP ? 8 : 16
        guard let material = conversation.exportKeyingMaterial(label: "ttls challenge", count: count + 1) else {
            return .refused(.tlsBroken)
        }
        let challenge = EAPTTLSChallenge(octets: Array(material.prefix(count)), identifier: material[count])
        switch method {
        case .pap: return Self.step(account.check(password: Self.withoutPadding(attributes.password ?? []).span))
        case .chap: return Self.step(challenge.chap(attributes, account))
        case .msCHAP: return Self.step(challenge.msCHAP(attributes, account))
        case .msCHAPv2: return challenge.msCHAPv2(attributes, account, identity)
        case .eapMD5, .eapGTC, .eapMSCHAPv2, .eapTLS: return .refused(.eapUnexpected)
        }
    }

    private static func step(_ proof: EAPProof) -> EAPInsideStep {
        switch proof {
        case .matches: .proven
        case .refused(let reason): .refused(reason)
        }
    }

    /// RFC 5281 §11.2.5: zeros at the end hide how long a password is.
    private static func withoutPadding(_ password: [UInt8]) -> [UInt8] {
        Array(password[..<(password.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0)])
    }

    private mutating func converse(_ message: [UInt8], _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings) -> EAPInsideStep {
        var session = self.session ?? EAPSession()
        let action = session.receive(message, surroundings.inside(methods: tls.ttlsMethods.compactMap(\.type)))
        return follow(action, session)
    }

    /// Goes on after `waiting`.
    mutating func goOn(_ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings) -> EAPInsideStep {
        guard var session else { return .refused(.eapUnexpected) }
        let action = session.goOn(surroundings.inside(methods: tls.ttlsMethods.compactMap(\.type)))
        return follow(action, session)
    }

    private mutating func follow(_ action: EAPSession.Action, _ session: EAPSession) -> EAPInsideStep {
        self.session = session
        identity = [session.proven, session.claimed].first { !$0.isEmpty } ?? session.identity
        method = EAPInnerMethod(session.method)
        switch action {
        case .request(let packet), .again(let packet): return .answer(EAPTTLSAttributes.eapMessage(packet))
        case .success: return .proven
        case .wait(let inquiry): return .waiting(inquiry)
        case .failure(_, .eapNoCommonMethod): return .refused(.tunnelMethodRefused)
        case .failure(_, let reason): return .refused(reason)
        }
    }
}

/// A challenge that nobody sends, since both ends of a tunnel know it (RFC 5281 §11.1).
struct EAPTTLSChallenge {
    /// 16 octets, or 8 for MS-CHAP.
    let octets: [UInt8]
    let identifier: UInt8

    func chap(_ attributes: EAPTTLSAttributes, _ account: EAPAccount) -> EAPProof {
        guard let response = attributes.chapPassword, response.count == 17, response[0] == identifier,
            attributes.chapChallenge == octets
        else { return .refused(.malformedCredentials) }
        switch account.credential {
        case .none: return .refused(.noPasswordSet)
        case .ntHash, .hash: return .refused(.methodNeedsClearText)
        case .clearText(let password):
            let matches = try? CHAP.verify(response: response.span, challenge: octets.span, password: password.span)
            return EAPProof(matches ?? false)
        }
    }

    func msCHAP(_ attributes: EAPTTLSAttributes, _ account: EAPAccount) -> EAPProof {
        guard let response = attributes.msCHAPResponse, isAnswered(by: response, attributes) else { return .refused(.malformedCredentials) }
        switch Self.ntHash(of: account) {
        case .refused(let reason): return .refused(reason)
        case .hash(let hash):
            let matches = try? MSCHAP.V1.verify(response: response.span, challenge: octets.span, ntHash: hash)
            return EAPProof(matches ?? false)
        }
    }

    /// The server proves itself in return, and the peer has to be content with that (RFC 5281 §11.2.4).
    func msCHAPv2(_ attributes: EAPTTLSAttributes, _ account: EAPAccount, _ identity: [UInt8]) -> EAPInsideStep {
        guard let response = attributes.msCHAP2Response, isAnswered(by: response, attributes) else {
            return .refused(.malformedCredentials)
        }
        switch Self.ntHash(of: account) {
        case .refused(let reason): return .refused(reason)
        case .hash(let hash):
            let hashed = MSCHAP.V2.challengeHash(response: response.span, challenge: octets.span, userName: identity.span)
            guard MSCHAP.V2.verify(response: response.span, challengeHash: hashed, ntHash: hash) else { return .refused(.wrongPassword) }
            let proof = MSCHAP.V2.authenticatorResponse(
                response: response.span, challengeHash: hashed, hashHash: MSCHAP.hash(ofNTHash: hash))
            return .conclude(EAPTTLSAttributes.msCHAP2Success([identifier] + proof.indices.map { proof[$0] }))
        }
    }

    private func isAnswered(by response: [UInt8], _ attributes: EAPTTLSAttributes) -> Bool {
        response.count == MSCHAP.responseCount && response[0] == identifier && attributes.msCHAPChallenge == octets
    }

    private enum NTHash {
        case hash(Digest16)
        case refused(AccessReason)
    }

    private static func ntHash(of account: EAPAccount) -> NTHash {
        switch account.credential {
        case .none: return .refused(.noPasswordSet)
        case .hash: return .refused(.methodNeedsNTHash)
        case .clearText, .ntHash: return account.ntHash.map { .hash($0) } ?? .refused(.malformedCredentials)
        }
    }
}
