import CLinux

/// An Access-Request from its credentials to Accept, Reject, or a slow check (RFC 2865 §4.1).
extension PacketPath {
    /// What the parts of answering one request share.
    struct Attempt {
        let work: UnsafePointer<PacketWork>
        let credentials: AccessCredentials
        let userName: Range<Int>?
        var subscriber: SubscriberRecord?

        var request: RequestAttributes { work.pointee.attributes }
        var client: UnsafePointer<ClientRow> { work.pointee.client }
        var authenticator: Digest16 { PacketPath.authenticator(of: work.pointee.packet) }
    }

    /// Answers a request that verified.
    ///
    /// - Parameters:
    ///   - work: the request, its digests computed.
    ///   - reply: receives the reply.
    ///   - token: names the reply's place in the cache.
    ///   - slow: the outcome of the slow check that the request was parked for; nil the first time.
    /// - Returns: `send` with an Accept, `delay` with a Reject, or `parked`.
    mutating func access(
        _ work: PacketWork, _ reply: UnsafeMutablePointer<lm_datagram>, token: ReplyToken, slow: PasswordHash.Outcome?
    ) -> Disposition {
        withUnsafePointer(to: work) { pointer in
            var attempt = Attempt(
                work: pointer, credentials: AccessCredentials(work.attributes), userName: work.attributes.first(.userName))
            if snapshot.hasRealms, slow == nil, let forwarded = forward(attempt, token, reply) { return forwarded }
            if attempt.credentials.hasEAP { return converse(attempt, token, reply) }
            if let refusal = Self.precheck(attempt) { return refuse(refusal, attempt, reply) }
            guard let name = attempt.userName, let subscriber = find(name, work) ?? findStation(name, work) else {
                return refuse(.unknownSubscriber, attempt, reply)
            }
            attempt.subscriber = subscriber
            switch prove(attempt, subscriber, slow) {
            case .refused(let reason):
                return refuse(reason, attempt, reply)
            case .slow(let password):
                if park(work, token, password, subscriber) { return .parked }
                return refuse(.overloaded, attempt, reply)
            case .matches:
                var verdict = AccessVerdict(subscriber, in: snapshot, at: nowUnixSeconds)
                if subscriber.isBound { verdict = Self.applyBindings(verdict, pointer, subscriber) }
                if snapshot.hasRules { verdict = applyRules(verdict, attempt.credentials.method, pointer, subscriber) }
                guard verdict.isAccepted else { return refuse(verdict.reason, attempt, reply) }
                if isOneTooMany(verdict, attempt, subscriber) { return refuse(.sessionLimit, attempt, reply) }
                return accept(verdict, attempt, subscriber, reply, token)
            }
        }
    }

    private static func precheck(_ attempt: Attempt) -> AccessReason? {
        guard let name = attempt.userName, !name.isEmpty else { return .userNameMissing }
        switch attempt.credentials.count {
        case 0: return .noCredentials
        case 1: return nil
        default: return .conflictingCredentials
        }
    }

    func find(_ name: Range<Int>, _ work: PacketWork) -> SubscriberRecord? {
        let octets = UnsafeRawBufferPointer(start: work.packet + name.lowerBound, count: name.count)
        return snapshot.subscribers.find(hash: work.nameHash, tenant: work.client.pointee.tenant, name: octets)
    }

    /// The subscriber that has the name, a hardware address in another notation than the record's, and authenticates by it.
    @inline(never)
    private func findStation(_ name: Range<Int>, _ work: PacketWork) -> SubscriberRecord? {
        guard let address = HardwareAddress(work.attributes.octets(name)) else { return nil }
        let text = address.text
        let found = text.span.withUnsafeBytes { snapshot.subscribers.find(tenant: work.client.pointee.tenant, name: $0) }
        return found.flatMap { $0.authenticatesByMAC ? $0 : nil }
    }

    private func prove(_ attempt: Attempt, _ subscriber: SubscriberRecord, _ slow: PasswordHash.Outcome?) -> ProofOutcome {
        guard let slow else {
            let proof = PasswordProof(
                credentials: attempt.credentials, request: attempt.request, pads: batch.jobs + attempt.work.pointee.pads,
                clear: batch.clear, hashes: batch.hashes)
            return proof.check(subscriber)
        }
        switch slow {
        case .matches: return .matches
        case .differs: return .refused(.wrongPassword)
        case .unusable: return .refused(.passwordHashUnusable)
        }
    }

    private func park(_ work: PacketWork, _ token: ReplyToken, _ password: [UInt8], _ subscriber: SubscriberRecord) -> Bool {
        let request = ParkedRequest(
            client: work.client.pointee.id, packet: work.packet, count: work.attributes.count, datagram: work.datagram.pointee,
            token: token, work: .password(password, hash: Array(subscriber.credential)))
        let taken = environment.slowChecks.submit(request, to: completions)
        counters.add(taken ? .parked : .parkedRefused)
        return taken
    }

    private mutating func accept(
        _ verdict: AccessVerdict, _ attempt: Attempt, _ subscriber: SubscriberRecord, _ reply: UnsafeMutablePointer<lm_datagram>,
        _ token: ReplyToken
    ) -> Disposition {
        let client = attempt.client
        var writer = Self.begin(.accessAccept, answering: attempt.request.packet, in: reply)
        if client.pointee.sendsMessageAuthenticator { writer.reserveMessageAuthenticator() }
        let fault = appendAuthorization(verdict, attempt, subscriber, &writer)
        if attempt.credentials.isMSCHAP { appendMSCHAPSuccess(attempt, subscriber, &writer) }
        echoProxyState(attempt.request, &writer)
        guard fault == nil, !writer.overflowed else {
            if fault == .addressPoolRefilling { return postpone(attempt, token) }
            return refuse(fault ?? .replyTooLarge, attempt, reply)
        }
        if isOneTooMany(verdict, attempt, subscriber, isCertain: true) { return refuse(.sessionLimit, attempt, reply) }
        finish(writer, to: client, reply)
        noteAccept(verdict, attempt.credentials.method, attempt)
        return .send
    }

    /// No answer, so that the NAS asks again.
    @inline(never)
    private mutating func postpone(_ attempt: Attempt, _ token: ReplyToken) -> Disposition {
        log(.silence, .addressPoolRefilling, attempt.credentials.method, attempt, profile: 0, name: [], server: 0)
        recordSilence(.addressPoolRefilling, attempt)
        counters.add(.addressesAwaited)
        cache.forget(token)
        if isStream { noteUnserved(attempt) }
        return .drop
    }

    /// Appends what the subscriber may do.
    ///
    /// - Returns: why the log-in must be refused after all; nil when it need not.
    @inline(__always)
    @_lifetime(writer: copy writer)
    func appendAuthorization(
        _ verdict: AccessVerdict, _ attempt: Attempt, _ subscriber: SubscriberRecord, _ writer: inout PacketWriter
    ) -> AccessReason? {
        let client = attempt.client
        let start = writer.count
        let complete = AcceptAttributes.appendPlain(verdict, of: subscriber, to: client.pointee.vendor, in: snapshot, writer: &writer)
        let isPlain = !rules.outcome.hasEdits && !AcceptAttributes.needsKeys(verdict, of: subscriber, to: client.pointee.vendor)
        if !isPlain || subscriber.isLimited {
            let fired = rules.outcome.hasEdits ? rules.fired : nil
            return Self.appendRest(verdict, attempt.work, subscriber, in: snapshot, fired, from: start, complete, &writer)
        }
        return complete ? nil : .replyTooLarge
    }

    /// Appends what is hidden for this packet and what comes from pools, and does what the policy rules that hold say of the attributes
    /// from `start` on.
    ///
    /// Static: a call on the path itself would copy all of it.
    @inline(never)
    @_lifetime(writer: copy writer)
    private static func appendRest(
        _ verdict: AccessVerdict, _ work: UnsafePointer<PacketWork>, _ subscriber: SubscriberRecord, in snapshot: Snapshot,
        _ fired: UnsafeMutablePointer<UInt64>?, from start: Int, _ isComplete: Bool, _ writer: inout PacketWriter
    ) -> AccessReason? {
        let client = work.pointee.client
        let keys = HideKeys(secret: client.pointee.client.secret, authenticator: authenticator(of: work.pointee.packet))
        let complete = AcceptAttributes.appendKeyed(
            verdict, of: subscriber, to: client.pointee.vendor, in: snapshot, keys: keys, writer: &writer)
        if let profile = verdict.profile?.takeUnretainedValue(), !profile.pools.isEmpty {
            let claimant = AddressClaimant(subscriber: subscriber.id, calling: work.pointee.attributes.value(.callingStationID))
            if let fault = AcceptAttributes.appendAddresses(profile, claimant, from: start, writer: &writer) { return fault }
        }
        if let fired, let program = snapshot.program(of: client.pointee.tenant) {
            program._withUnsafeGuaranteedRef { PolicyScratch.edit($0, fired, from: start, &writer) }
        }
        AcceptAttributes.boundSession(verdict, of: subscriber, to: client.pointee.vendor, from: start, writer: &writer)
        return isComplete && complete ? nil : .replyTooLarge
    }

    @inline(__always)
    mutating func noteAccept(
        _ verdict: AccessVerdict, _ method: AuthenticationMethod, _ attempt: Attempt, name: [UInt8] = [], isNoted: Bool = false
    ) {
        counters.add(.accessAccepts)
        tally.add(attempt.client) { $0.accepts &+= 1 }
        let profile = verdict.profile?._withUnsafeGuaranteedRef { $0.id } ?? 0
        record(verdict.reason, method, attempt, profile: profile, name: name, isNoted: isNoted)
    }

    mutating func refuse(
        _ reason: AccessReason, _ attempt: Attempt, _ reply: UnsafeMutablePointer<lm_datagram>
    ) -> Disposition {
        let client = attempt.client
        var writer = Self.begin(.accessReject, answering: attempt.request.packet, in: reply)
        if client.pointee.sendsMessageAuthenticator { writer.reserveMessageAuthenticator() }
        if attempt.credentials.isMSCHAP { appendMSCHAPFailure(attempt, &writer) }
        if reason.isOfPolicy { Self.appendRuleMessage(rules.outcome.last, client, in: snapshot, &writer) }
        echoProxyState(attempt.request, &writer)
        finish(writer, to: client, reply)
        noteReject(reason, attempt.credentials.method, attempt)
        return .delay
    }

    @inline(__always)
    mutating func noteReject(
        _ reason: AccessReason, _ method: AuthenticationMethod, _ attempt: Attempt, name: [UInt8] = [], server: Int64 = 0,
        isNoted: Bool = false
    ) {
        counters.add(.accessRejects)
        tally.add(attempt.client) { $0.rejects &+= 1 }
        attempt.client.pointee.withClient { $0.observation.refusals.add(reason) }
        record(reason, method, attempt, profile: 0, name: name, server: server, isNoted: isNoted)
    }

    /// Says in recorder and log what the reply that was written last came to; `isNoted`: the log knows.
    func record(
        _ reason: AccessReason, _ method: AuthenticationMethod, _ attempt: Attempt, profile: Int64, name: [UInt8], server: Int64 = 0,
        isNoted: Bool = false
    ) {
        batch.annotate(FlightNote(reason: reason.rawValue, method: method.rawValue, subscriber: attempt.subscriber?.id ?? 0))
        if !isNoted {
            log(reason.isAcceptance ? .accept : .reject, reason, method, attempt, profile: profile, name: name, server: server)
        }
    }

    /// Hands the outcome to the authentication log; a full ring drops it, counted there. `name` is the subscriber's where User-Name may
    /// be another, as with a tunnel; empty else.
    func log(
        _ outcome: AuthEvent.Outcome, _ reason: AccessReason, _ method: AuthenticationMethod, _ attempt: Attempt, profile: Int64,
        name: [UInt8], server: Int64
    ) {
        counters.add(reason)
        let event = AuthEvent(
            atMicroseconds: nowMicroseconds, tenant: attempt.client.pointee.tenant, nas: attempt.client.pointee.id,
            subscriber: attempt.subscriber?.id ?? 0, profile: profile, durationMicroseconds: awayMicroseconds &+ elapsedMicroseconds,
            outcome: outcome, method: method.rawValue, reason: reason.rawValue, homeServer: server)
        if let bound = attempt.subscriber?.boundTo { return logBound(event, bound, attempt, name: name) }
        events.push(
            event, userName: name.isEmpty ? attempt.request.value(.userName) : name.span,
            callingStation: attempt.request.value(.callingStationID),
            nasPortID: attempt.request.value(.nasPortID))
    }
}
