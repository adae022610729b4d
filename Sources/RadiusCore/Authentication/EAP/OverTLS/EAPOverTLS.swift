/// EAP-TLS (RFC 5216, RFC 9190), EAP-TTLSv0 (RFC 5281) and PEAPv0, the latter two with RFC 9427 for TLS 1.3, and TEAP (RFC 9930): a
/// handshake in fragments, then what the method has inside, then keys.
///
/// A TLS session is kept once the peer has proven everything. Whoever takes it up is the subscriber of that time, if the account is still
/// there, may be online, and has the same credential.
struct EAPOverTLS: Sendable {
    private indirect enum Inside: Sendable {
        /// EAP-TLS: the handshake is all.
        case certificate
        case attributes(EAPTTLSInside)
        case packets(EAPPEAPInside)
        case methods(EAPTEAPInside)
    }

    private enum Phase {
        case handshake
        /// The tunnel stands.
        case inside
        /// Whether the peer's certificate is still good is being asked.
        case asking
        /// All is proven; the peer has to say that it is content.
        case concluding
        /// An alert is on its way.
        case failing(AccessReason)
    }

    let type: EAPType
    /// Who the peer is by its certificate, or says to be in the tunnel; empty before it did.
    private(set) var claimed: [UInt8] = []
    private var channel: EAPTLSChannel
    private var inside: Inside
    private var phase = Phase.handshake
    private var hasWaited = false
    /// What was done in the tunnel of the session that is taken up.
    private var remembered: EAPInnerMethod?
    /// The peer's certificate, where somebody was asked about it.
    private var vouched: [UInt8] = []
    /// The server has sent a flight, so that the peer is in a handshake.
    private var hasSpoken = false

    init(_ type: EAPType, _ context: TLSContext, serverName: [UInt8], _ tls: EAPTLSSurroundings) {
        self.type = type
        channel = EAPTLSChannel(context, tls, outer: type == .teap ? EAPTEAPOuter(authority: serverName) : nil)
        inside =
            switch type {
            case .ttls: .attributes(EAPTTLSInside())
            case .peap: .packets(EAPPEAPInside())
            case .teap: .methods(EAPTEAPInside())
            default: .certificate
            }
    }

    /// The data of the first Request.
    var start: [UInt8] { channel.start }

    /// What a policy rule leaves to it, and to what is inside; nil for all versions.
    var versions: TLSSettings.Versions? { channel.versions }

    var memoryOctets: Int {
        switch inside {
        case .certificate: channel.memoryOctets
        case .attributes(let inside): channel.memoryOctets + inside.memoryOctets
        case .packets(let inside): channel.memoryOctets + inside.memoryOctets
        case .methods(let inside): channel.memoryOctets + inside.memoryOctets
        }
    }

    /// What the peer does in the tunnel, or did in the session that it takes up; nil before it does, and for EAP-TLS.
    var inner: EAPInnerMethod? {
        switch inside {
        case .certificate: nil
        case .attributes(let inside): remembered ?? inside.method
        case .packets(let inside): remembered ?? inside.method
        case .methods(let inside): remembered ?? inside.method
        }
    }

    /// Why the peer will be refused, whatever it says now; nil while that is open.
    var verdict: AccessReason? {
        if case .failing(let reason) = phase { return reason }
        return switch inside {
        case .certificate: nil
        case .attributes(let inside): inside.verdict
        case .packets(let inside): inside.verdict
        case .methods(let inside): inside.verdict
        }
    }

    mutating func receive(_ data: [UInt8], _ surroundings: EAPSurroundings) -> EAPStep {
        // Whatever the peer answers to an alert.
        if case .failing(let reason) = phase { return .refused(reason) }
        guard let tls = surroundings.tls else { return .refused(.tlsUnavailable) }
        switch channel.receive(data) {
        case .answer(let packet): return .request(packet)
        case .refused(let reason): return .refused(reason)
        case .acknowledged: return acknowledged(surroundings, tls)
        case .advanced(let conversation): return advanced(conversation, surroundings, tls)
        }
    }

    /// Goes on after `waiting`.
    mutating func goOn(_ surroundings: EAPSurroundings) -> EAPStep {
        guard let conversation = channel.conversation, let tls = surroundings.tls else { return .refused(.tlsUnavailable) }
        switch (phase, inside) {
        case (.asking, .certificate):
            phase = .inside
            return conversation.isResumed ? resume(conversation, surroundings, tls) : certify(conversation, surroundings, tls)
        case (.inside, .attributes(var attributes)):
            let step = attributes.goOn(surroundings, tls)
            claimed = attributes.identity
            inside = .attributes(attributes)
            return follow(step, conversation, surroundings, tls)
        case (.inside, .packets(var packets)):
            let step = packets.goOn(conversation, surroundings, tls)
            claimed = packets.identity
            inside = .packets(packets)
            return follow(step, conversation, surroundings, tls)
        case (.inside, .methods(var methods)):
            let step = methods.goOn(surroundings, tls)
            claimed = methods.identity
            inside = .methods(methods)
            return follow(step, conversation, surroundings, tls)
        default: return .invalid
        }
    }

    // MARK: Events

    private mutating func advanced(
        _ conversation: TLSConversation, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> EAPStep {
        switch (conversation.state, phase) {
        case (.failed(let failure), _):
            // For the log: who has this certificate will want to know.
            if let refused = conversation.refusedPeer { claimed = Self.name(of: refused, surroundings, tls) ?? [] }
            return fail(AccessReason(failure), conversation)
        case (.closed, _): return .refused(.tlsPeerGaveUp)
        case (.handshaking, _):
            hasSpoken = true
            return .request(channel.flush())
        case (.established, .handshake): return established(conversation, surroundings, tls)
        case (.established, .inside): return hear(conversation, surroundings, tls)
        // Data, where the peer has only to agree.
        case (.established, _): return refuse(.eapPeerRefused, conversation)
        }
    }

    /// RFC 5216 §2.1.3: the peer learns why by an alert, and answers it, before it is turned away. To one that answers its first flight,
    /// wpa_supplicant says nothing more, and nothing would be logged.
    private mutating func fail(_ reason: AccessReason, _ conversation: TLSConversation) -> EAPStep {
        guard conversation.outputCount > 0, hasSpoken else { return .refused(reason) }
        phase = .failing(reason)
        return .request(channel.flush())
    }

    private mutating func acknowledged(_ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings) -> EAPStep {
        guard let conversation = channel.conversation else { return .refused(.eapUnexpected) }
        switch (phase, inside) {
        case (.concluding, _):
            return finish(conversation, surroundings, tls)
        case (.inside, .packets(var packets)) where !packets.hasBegun:
            let request = packets.begin()
            inside = .packets(packets)
            return say(request, conversation)
        case (.inside, .attributes) where !hasWaited:
            // Some peers take this for their turn.
            hasWaited = true
            return .request(channel.flush())
        case (.inside, .methods(let methods)):
            return follow(methods.ending ?? .refused(.tunnelEmpty), conversation, surroundings, tls)
        case (.inside, _): return refuse(.tunnelEmpty, conversation)
        default: return refuse(.eapUnexpected, conversation)
        }
    }

    private mutating func established(
        _ conversation: TLSConversation, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> EAPStep {
        phase = .inside
        if conversation.isResumed { return resume(conversation, surroundings, tls) }
        if case .certificate = inside { return certify(conversation, surroundings, tls) }
        conversation.offerSession()
        switch inside {
        case .packets(var packets) where conversation.protocolVersion == .tls13:
            let request = packets.begin()
            inside = .packets(packets)
            return say(request, conversation)
        case .methods(var methods):
            let step = methods.begin(conversation, outer: channel.outerOctets, tls)
            inside = .methods(methods)
            return follow(step, conversation, surroundings, tls)
        // The end of the handshake goes first, or an empty packet; in TTLS the peer may have spoken with its own end.
        case .packets, .certificate: return .request(channel.flush())
        case .attributes: return hear(conversation, surroundings, tls)
        }
    }

    private mutating func hear(
        _ conversation: TLSConversation, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> EAPStep {
        let octets = conversation.read()
        guard !octets.isEmpty else { return .request(channel.flush()) }
        let step: EAPInsideStep
        switch inside {
        case .certificate: return refuse(.tunnelMalformed, conversation)
        case .attributes(var attributes):
            step = attributes.receive(octets, conversation, surroundings, tls)
            claimed = attributes.identity
            inside = .attributes(attributes)
        case .packets(var packets):
            step = packets.receive(octets, conversation, surroundings, tls)
            claimed = packets.identity
            inside = .packets(packets)
        case .methods(var methods):
            step = methods.receive(octets, surroundings, tls)
            claimed = methods.identity
            inside = .methods(methods)
        }
        return follow(step, conversation, surroundings, tls)
    }

    private mutating func follow(
        _ step: EAPInsideStep, _ conversation: TLSConversation, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> EAPStep {
        switch step {
        case .answer(let octets): return say(octets, conversation)
        case .conclude(let octets):
            phase = .concluding
            return say(octets, conversation)
        case .proven: return finish(conversation, surroundings, tls)
        case .refused(let reason): return refuse(reason, conversation)
        case .turnedAway(let reason):
            conversation.forgetSession()
            return .turnedAway(reason, as: claimed)
        case .waiting(let inquiry): return .waiting(inquiry)
        }
    }

    private mutating func say(_ octets: [UInt8], _ conversation: TLSConversation) -> EAPStep {
        guard conversation.write(octets) else { return refuse(.tlsBroken, conversation) }
        return .request(channel.flush())
    }

    private func refuse(_ reason: AccessReason, _ conversation: TLSConversation) -> EAPStep {
        conversation.forgetSession()
        return .refused(reason)
    }

    // MARK: Proof

    private mutating func certify(
        _ conversation: TLSConversation, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> EAPStep {
        guard let peer = conversation.peer else { return refuse(.certificateMissing, conversation) }
        guard let name = Self.name(of: peer, surroundings, tls) else { return refuse(.certificateWithoutName, conversation) }
        claimed = name
        if let step = vouch(conversation.statusSubject, conversation, tls) { return step }
        return conclude(conversation, surroundings, tls)
    }

    /// Asks whether a certificate is still good; nil when it is, or nobody is to be asked.
    private mutating func vouch(_ subject: OCSPSubject?, _ conversation: TLSConversation, _ tls: EAPTLSSurroundings) -> EAPStep? {
        guard let service = tls.status else { return nil }
        vouched = subject?.identifier ?? []
        switch subject.map({ service.status(of: $0) }) ?? .unreachable {
        case .good: return nil
        case .revoked: return refuse(.certificateRevoked, conversation)
        case .unknown: return refuse(.certificateStatusUnknown, conversation)
        case .unreachable: return service.settings.isRequired ? refuse(.certificateStatusUnknown, conversation) : nil
        case .pending(let inquiry):
            phase = .asking
            return .waiting(inquiry)
        }
    }

    /// Who a certificate is: the first of its names that is a subscriber's, else the first at all.
    private static func name(
        of certificate: CertificateDescription, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> [UInt8]? {
        let names = tls.names.flatMap { $0.names(in: certificate) }.map { Array($0.utf8) }
        return names.first { surroundings.account($0) != nil } ?? names.first
    }

    private mutating func resume(
        _ conversation: TLSConversation, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> EAPStep {
        guard let memory = EAPSessionMemory(conversation.remembered), memory.type == type, memory.tenant == tls.tenant else {
            return refuse(.tlsSessionVoid, conversation)
        }
        claimed = memory.identity
        if let step = turnAway(conversation, surroundings) { return step }
        let companion = memory.companion.isEmpty ? nil : surroundings.account(memory.companion)
        if let refusal = companion?.refusal {
            conversation.forgetSession()
            return .turnedAway(refusal, as: claimed)
        }
        guard let account = surroundings.account(claimed),
            memory
                == EAPSessionMemory(
                    type, memory.inner, tenant: tls.tenant, identity: claimed, account, certificate: memory.certificate,
                    companion: companion.map { (memory.companion, $0) })
        else { return refuse(.tlsSessionVoid, conversation) }
        if case .certificate = inside, let service = tls.status {
            guard let subject = service.subject(memory.certificate) else { return refuse(.tlsSessionVoid, conversation) }
            if let step = vouch(subject, conversation, tls) { return step }
        }
        // Rules about methods hold for what was proven then.
        remembered = memory.inner
        switch inside {
        case .certificate, .attributes: return conclude(conversation, surroundings, tls)
        case .packets(var packets):
            conversation.offerSession()
            let request = packets.beginResumed(as: claimed, conversation, surroundings, tls)
            inside = .packets(packets)
            return say(request, conversation)
        case .methods(var methods):
            conversation.offerSession()
            let step = methods.beginResumed(as: claimed, conversation, outer: channel.outerOctets, surroundings, tls)
            inside = .methods(methods)
            return follow(step, conversation, surroundings, tls)
        }
    }

    /// Nothing is left to prove: says so where the version wants it, and waits for the peer where something is to be sent.
    private mutating func conclude(
        _ conversation: TLSConversation, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> EAPStep {
        if let step = turnAway(conversation, surroundings) { return step }
        if conversation.protocolVersion == .tls13 {
            // RFC 9190 §2.1.1: a ticket goes before the octet that says that all is well; RFC 9427 §4 has the same octet for TTLS.
            if tls.resumes { conversation.offerSession() }
            guard conversation.write([0]) else { return refuse(.tlsBroken, conversation) }
        }
        return finish(conversation, surroundings, tls)
    }

    private mutating func finish(
        _ conversation: TLSConversation, _ surroundings: EAPSurroundings, _ tls: EAPTLSSurroundings
    ) -> EAPStep {
        if let step = turnAway(conversation, surroundings) { return step }
        guard conversation.outputCount == 0 else {
            phase = .concluding
            return .request(channel.flush())
        }
        guard let account = surroundings.account(claimed), let keys = keys(conversation) else { return refuse(.tlsBroken, conversation) }
        var companion: (identity: [UInt8], account: EAPAccount)?
        if case .methods(let methods) = inside, !methods.companion.isEmpty {
            guard let other = surroundings.account(methods.companion) else { return refuse(.unknownSubscriber, conversation) }
            if let refusal = other.refusal {
                conversation.forgetSession()
                return .turnedAway(refusal, as: claimed)
            }
            companion = (methods.companion, other)
        }
        if isCertifiedInside || awaitsUser(tls) || isUnnamed(tls) || !tls.resumes {
            // Whether that certificate still counts, or who has logged on since, nobody would ask again.
            conversation.forgetSession()
        } else {
            let memory = EAPSessionMemory(
                type, inner, tenant: tls.tenant, identity: claimed, account, certificate: vouched, companion: companion)
            conversation.keepSession(remembering: memory.octets)
        }
        return .proven(keys, as: claimed)
    }

    private func awaitsUser(_ tls: EAPTLSSurroundings) -> Bool {
        if case .methods(let methods) = inside { methods.awaitsUser(tls) } else { false }
    }

    /// Whether the peer's certificate should be asked about, and cannot be.
    private func isUnnamed(_ tls: EAPTLSSurroundings) -> Bool {
        if case .certificate = inside { tls.status != nil && vouched.isEmpty } else { false }
    }

    /// The keys of a PEAP that is bound to its inside, and of TEAP, are of both; those of the others are the tunnel's alone.
    private func keys(_ conversation: TLSConversation) -> EAPKeys? {
        let own = conversation.eapKeys(type: UInt8(truncatingIfNeeded: type.number))
        let master: [UInt8]? =
            switch inside {
            case .certificate, .attributes: own?.masterSessionKey
            case .packets(let packets): packets.masterSessionKey ?? own?.masterSessionKey
            case .methods(let methods): methods.masterSessionKey
            }
        guard let master else { return nil }
        let extended = type == .tls ? own?.extendedMasterSessionKey ?? [] : []
        return EAPKeys(receive: Array(master.prefix(32)), send: Array(master.dropFirst(32).prefix(32)), extended: extended)
    }

    private var isCertifiedInside: Bool { if case .methods(let methods) = inside { methods.isCertified } else { inner == .eapTLS } }

    /// Refuses whoever is gone or may not be online; nil for the others.
    private func turnAway(_ conversation: TLSConversation, _ surroundings: EAPSurroundings) -> EAPStep? {
        guard let account = surroundings.account(claimed) else { return refuse(.unknownSubscriber, conversation) }
        guard let refusal = account.refusal else { return nil }
        conversation.forgetSession()
        return .turnedAway(refusal, as: claimed)
    }
}
