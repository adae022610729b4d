/// The inside of a tunnel of TEAP version 1 (RFC 9930 §3.6): one method after the other, each with its result and its crypto-binding, and
/// the result of all at the end.
///
/// A machine and its user may both have to prove themselves (`EAPTEAPSettings.identities`); the session is the user's then, and both have
/// to be subscribers who may be online.
struct EAPTEAPInside: Sendable {
    /// Who has proven to be what.
    struct Proof: Sendable, Equatable {
        /// Nil where neither side said it.
        let type: EAPTEAPIdentity?
        let identity: [UInt8]
        let method: EAPInnerMethod?
    }

    private enum Phase {
        case waiting
        /// A conversation of EAP.
        case conversing(EAPSession)
        /// The password was asked for.
        case awaitingPassword
        /// A method is done, and only its binding is out.
        case binding
        /// Success was said, and the peer has to say the same.
        case concluding
        /// Failure was said.
        case failing(EAPInsideStep)
    }

    private static let prompt = Array("Password".utf8)
    /// Messages with TLVs that nobody knows, and requests for something else, in one conversation.
    private static let indulgence = 3

    /// Who the peer says to be.
    private(set) var identity: [UInt8] = []
    private(set) var method: EAPInnerMethod?
    /// Nil before the peer has bound itself.
    private(set) var masterSessionKey: [UInt8]?
    private(set) var proofs: [Proof] = []
    private var phase = Phase.waiting
    private var keys: EAPTEAPKeys?
    /// What was said outside the tunnel.
    private var outer: [UInt8] = []
    /// It is out, and the peer has to answer it.
    private var binding: EAPTEAPBinding?
    private var usesEMSK = false
    /// Of the method that is going on: what was asked for, and what the peer said to be.
    private var asked: EAPTEAPIdentity?
    private var answered: EAPTEAPIdentity?
    private var hasAskedForPassword = false
    private var indulged = 0

    var memoryOctets: Int { if case .conversing(let session) = phase { session.memoryOctets + 512 } else { 512 } }

    /// Who is with the user: the machine, where both have proven themselves.
    var companion: [UInt8] { proofs.first { $0.identity != identity }?.identity ?? [] }

    /// What the conversation comes to, whatever the peer says now; nil while that is open.
    var ending: EAPInsideStep? { if case .failing(let end) = phase { end } else { nil } }

    /// Why the peer will be refused, whatever it says now; nil while that is open.
    var verdict: AccessReason? {
        switch phase {
        case .conversing(let session): session.verdict
        case .failing(.refused(let reason)), .failing(.turnedAway(let reason)): reason
        default: nil
        }
    }

    /// Somebody has shown a certificate in the tunnel.
    var isCertified: Bool { proofs.contains { $0.method == .eapTLS } }

    /// The machine is all that was proven, and whoever logs on later is still to be asked for.
    func awaitsUser(_ tls: EAPTLSSurroundings) -> Bool {
        tls.teap.identities == .machineThenUser && !proofs.isEmpty && !proofs.contains { $0.type == .user }
    }

    // MARK: Events

    /// Asks who is there.
    mutating func begin(_ conversation: TLSConversation, outer: [UInt8], _ tls: EAPTLSSurroundings) -> EAPInsideStep {
        guard prepare(conversation, outer, tls) else { return .refused(.tlsBroken) }
        return .answer(ask(for: tls.teap.identities.order[0], tls))
    }

    /// All was proven in the session that is taken up, by `name`. No method runs; tunnel and result are bound to each other.
    mutating func beginResumed(
        as name: [UInt8], _ conversation: TLSConversation, outer: [UInt8], _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> EAPInsideStep {
        guard prepare(conversation, outer, tls) else { return .refused(.tlsBroken) }
        identity = name
        phase = .concluding
        return .answer(bind(.nothing, surroundings) + EAPTEAPMessage.result(.success))
    }

    private mutating func prepare(_ conversation: TLSConversation, _ outer: [UInt8], _ tls: EAPTLSSurroundings) -> Bool {
        guard let seed = conversation.exportKeyingMaterial(label: EAPTEAPKeys.seedLabel, count: EAPTEAPKeys.seedCount) else { return false }
        keys = EAPTEAPKeys(
            seed: seed, digest: conversation.keyDigest, macDigest: conversation.macDigest, schedule: tls.teap.schedule)
        self.outer = outer
        return true
    }

    /// Octets that the peer wrote into the tunnel, of any length and content.
    mutating func receive(_ octets: [UInt8], _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings) -> EAPInsideStep {
        // Whatever the peer answers to a failure.
        if let ending { return ending }
        guard let message = EAPTEAPMessage(octets, passesOverPAC: tls.teap.schedule == .rfc7170) else {
            return fail(.tunnelMalformed, .unexpected)
        }
        guard message.unknown.isEmpty else { return decline(message) }
        if let end = judge(message) { return end }
        switch phase {
        case .waiting, .failing: return fail(.eapUnexpected, .unexpected)
        case .concluding: return conclude(message)
        case .binding: return .answer(ask(for: next(tls), tls))
        case .conversing, .awaitingPassword: return prove(message, surroundings, tls)
        }
    }

    /// Goes on after `waiting`.
    mutating func goOn(_ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings) -> EAPInsideStep {
        guard case .conversing(var session) = phase else { return .refused(.eapUnexpected) }
        let action = session.goOn(Self.inside(surroundings, tls))
        return follow(action, session, surroundings, tls)
    }

    // MARK: What holds for each message

    /// Names the TLVs that are not known here; the rest of the message does not count (§4.2.5).
    private mutating func decline(_ message: EAPTEAPMessage) -> EAPInsideStep {
        indulged += 1
        guard message.result == nil, indulged <= Self.indulgence else { return fail(.tunnelMalformed, .unexpected) }
        return .answer(message.unknown.flatMap { EAPTEAPMessage.nak($0) })
    }

    /// The binding first, and only then results (§4.3); nil when the message may be looked at further.
    private mutating func judge(_ message: EAPTEAPMessage) -> EAPInsideStep? {
        // The peer's own end needs no binding, nor an answer.
        if message.result == .failure || (message.error ?? 0) >= 2000 {
            return .refused((2001...2007).contains(message.error ?? 0) && message.error != 2002 ? .tunnelUnbound : .eapPeerRefused)
        }
        if message.intermediateResult == .failure { return fail(.eapPeerRefused, .authenticationFailed) }
        guard let binding else { return message.binding == nil ? nil : fail(.tunnelMalformed, .unexpected) }
        guard let tlv = message.binding else { return fail(.tunnelUnbound, .tunnelCompromised) }
        switch binding.judge(tlv) {
        case .wrong(let error): return fail(.tunnelUnbound, error)
        case .bound(let usesEMSK): self.usesEMSK = usesEMSK
        }
        // There is none where no method ran.
        guard proofs.isEmpty || message.intermediateResult == .success else { return fail(.tunnelMalformed, .unexpected) }
        self.binding = nil
        return nil
    }

    /// The peer's result; or a wish, which is not granted (§4.2.9).
    private mutating func conclude(_ message: EAPTEAPMessage) -> EAPInsideStep {
        guard message.actions.isEmpty else {
            indulged += 1
            guard indulged <= Self.indulgence, message.actions.allSatisfy({ $0 == 1 || $0 == 2 }) else {
                return fail(.tunnelMalformed, .unexpected)
            }
            guard !message.actions.contains(2) else { return fail(.eapPeerRefused, nil) }
            return .answer(EAPTEAPMessage.result(.success))
        }
        guard message.result == .success, message.payload == nil, message.credentials == nil else {
            return fail(.tunnelMalformed, .unexpected)
        }
        masterSessionKey = keys?.masterSessionKey(usesEMSK: usesEMSK)
        return .proven
    }

    /// Says that all has failed, and awaits that the peer says the same; the reason is for the log.
    private mutating func fail(_ reason: AccessReason, _ error: EAPTEAPError?, ofMethod: Bool = false) -> EAPInsideStep {
        end(with: .refused(reason), error, ofMethod: ofMethod)
    }

    private mutating func end(with step: EAPInsideStep, _ error: EAPTEAPError?, ofMethod: Bool) -> EAPInsideStep {
        phase = .failing(step)
        return .answer(
            (ofMethod ? EAPTEAPMessage.intermediateResult(.failure) : []) + EAPTEAPMessage.result(.failure)
                + (error.map { EAPTEAPMessage.error($0) } ?? []))
    }
}

// MARK: - Methods

extension EAPTEAPInside {
    private static func inside(_ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings) -> EAPSurroundings {
        // RFC 9930: the tunnel's session may be taken up, and none in it.
        surroundings.inside(methods: tls.teap.methods.compactMap(\.type), resumes: false)
    }

    /// Whom to ask for once more; nil when nobody is left. What the peer did not call otherwise counts as what was asked for.
    private func next(_ tls: EAPTLSSurroundings) -> EAPTEAPIdentity? {
        tls.teap.identities.order.compactMap { $0 }.first { type in !proofs.contains { $0.type == type } }
    }

    /// The device was asked for a user, whom it need not have.
    private func isOptional(_ tls: EAPTLSSurroundings) -> Bool {
        tls.teap.identities == .machineThenUser && asked == .user && proofs.contains { $0.type == .machine }
    }

    private mutating func ask(for type: EAPTEAPIdentity?, _ tls: EAPTLSSurroundings) -> [UInt8] {
        (asked, answered, hasAskedForPassword) = (type, nil, false)
        let head = type.map { EAPTEAPMessage.tlv(EAPTEAPMessage.Number.identityType, [0, UInt8($0.rawValue)]) } ?? []
        return head + (tls.teap.methods.first == .pap ? askForPassword() : askForIdentity())
    }

    private mutating func askForPassword() -> [UInt8] {
        phase = .awaitingPassword
        hasAskedForPassword = true
        return EAPTEAPMessage.tlv(EAPTEAPMessage.Number.passwordRequest, Self.prompt)
    }

    private mutating func askForIdentity() -> [UInt8] {
        var session = EAPSession()
        let packet = session.start().packet
        phase = .conversing(session)
        return EAPTEAPMessage.tlv(EAPTEAPMessage.Number.payload, packet)
    }

    private mutating func prove(
        _ message: EAPTEAPMessage, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> EAPInsideStep {
        // A peer that wants something else now, or is done, has not been through what it has to.
        guard message.actions.isEmpty, message.result == nil else { return fail(.eapUnexpected, .unexpected) }
        if isOptional(tls), isFromNobody(message) { return leaveOut() }
        guard isWelcome(message.identityType, tls) else { return fail(.tunnelIdentityRefused, .authenticationFailed) }
        switch (phase, message.payload, message.credentials) {
        case (.conversing(let session), let packet?, _): return converse(packet, session, surroundings, tls)
        case (.awaitingPassword, _, let credentials?): return check(credentials, surroundings, tls)
        case (.awaitingPassword, nil, nil) where message.refused.contains(EAPTEAPMessage.Number.passwordRequest):
            guard tls.teap.methods.contains(where: { $0.type != nil }) else { return fail(.tunnelMethodRefused, .methodNotSupported) }
            return .answer(askForIdentity())
        case (_, nil, nil): return fail(.tunnelEmpty, .unexpected)
        default: return fail(.eapUnexpected, .unexpected)
        }
    }

    /// There is no user yet: nothing is said of one, or, as Windows has it, an empty name.
    private func isFromNobody(_ message: EAPTEAPMessage) -> Bool {
        guard message.credentials == nil, message.refused.isEmpty else { return false }
        if case .conversing(let session) = phase, !session.identity.isEmpty { return false }
        guard let payload = message.payload else { return true }
        guard let packet = try? EAPPacket(payload.span) else { return false }
        return packet.code == .response && packet.type == .identity && packet.data.isEmpty
    }

    /// Whether the peer may be what it says to be: what is allowed, the same all the time, and nothing that it has proven already (§4.2.3).
    private mutating func isWelcome(_ type: UInt16?, _ tls: EAPTLSSurroundings) -> Bool {
        guard let type else { return true }
        guard let type = EAPTEAPIdentity(rawValue: type), tls.teap.identities.allows(type) else { return false }
        guard answered == nil || answered == type, !proofs.contains(where: { $0.type == type }) else { return false }
        answered = type
        return true
    }

    private mutating func converse(
        _ packet: [UInt8], _ session: EAPSession, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> EAPInsideStep {
        var session = session
        let action = session.receive(packet, Self.inside(surroundings, tls))
        return follow(action, session, surroundings, tls)
    }

    private mutating func follow(
        _ action: EAPSession.Action, _ session: EAPSession, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> EAPInsideStep {
        phase = .conversing(session)
        identity = [session.proven, session.claimed].first { !$0.isEmpty } ?? session.identity
        method = EAPInnerMethod(session.method)
        switch action {
        case .request(let packet), .again(let packet): return .answer(EAPTEAPMessage.tlv(EAPTEAPMessage.Number.payload, packet))
        case .wait(let inquiry): return .waiting(inquiry)
        case .success(_, let keys): return succeed(.method(session.method ?? .nak, keys), surroundings, tls)
        case .failure(_, let reason):
            // No method has begun: the request for a password works with whatever is stored.
            let isUnmet = reason == .eapNoCommonMethod || reason == .eapMethodNeedsPassword
            if isUnmet, tls.teap.methods.contains(.pap), !hasAskedForPassword { return .answer(askForPassword()) }
            let reason = reason == .eapNoCommonMethod ? AccessReason.tunnelMethodRefused : reason
            return fail(reason, EAPTEAPError(reason), ofMethod: true)
        }
    }

    private mutating func check(
        _ credentials: EAPTEAPMessage.Credentials, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> EAPInsideStep {
        method = .pap
        guard credentials.name.count <= EAPSession.longestIdentity else { return fail(.tunnelMalformed, .unexpected) }
        identity = credentials.name
        let proof = surroundings.account(identity)?.check(password: credentials.password.span) ?? .refused(.unknownSubscriber)
        switch proof {
        case .matches: return succeed(.password, surroundings, tls)
        case .refused(let reason): return fail(reason, EAPTEAPError(reason), ofMethod: true)
        }
    }

    /// A method is done: says so, binds it, and goes on to the next, or to the end.
    private mutating func succeed(
        _ inner: EAPTEAPKeys.Inner, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> EAPInsideStep {
        if let refusal = surroundings.account(identity)?.refusal {
            return end(with: .turnedAway(refusal), .authorizationFailed, ofMethod: true)
        }
        // The kind is the device's word: one account must not do for both. Names are compared as the look-up compares them.
        guard !proofs.contains(where: { $0.identity == identity }) else {
            return fail(.tunnelIdentityRefused, .authenticationFailed, ofMethod: true)
        }
        proofs.append(Proof(type: answered ?? asked, identity: identity, method: method))
        let head = EAPTEAPMessage.intermediateResult(.success) + bind(inner, surroundings)
        guard let next = next(tls) else {
            settle()
            return .answer(head + EAPTEAPMessage.result(.success))
        }
        // wpa_supplicant up to 2.10 forgets the method's keys when the next begins with the same message.
        guard tls.teap.schedule != .rfc7170 else {
            phase = .binding
            return .answer(head)
        }
        return .answer(head + ask(for: next, tls))
    }

    /// There is no user: the machine is all. Its binding has been judged.
    private mutating func leaveOut() -> EAPInsideStep {
        settle()
        return .answer(EAPTEAPMessage.result(.success))
    }

    /// All is proven; the session is the user's, if there is one.
    private mutating func settle() {
        phase = .concluding
        let owner = proofs.first { $0.type == .user } ?? proofs.last
        if let owner { (identity, method) = (owner.identity, owner.method) }
    }

    private mutating func bind(_ inner: EAPTEAPKeys.Inner, _ surroundings: EAPSurroundings) -> [UInt8] {
        guard var keys else { preconditionFailure("bound before there is a tunnel") }
        keys.add(inner)
        self.keys = keys
        let (first, second) = (surroundings.random(), surroundings.random())
        let binding = EAPTEAPBinding(
            keys: keys, nonce: first.indices.map { first[$0] } + second.indices.map { second[$0] }, outer: outer)
        self.binding = binding
        return binding.request
    }
}
