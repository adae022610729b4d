import CLinux
import Synchronization

/// An Access-Request from its credentials to Accept, Reject, or a slow check (RFC 2865 §4.1).
extension PacketPath {
    /// What the parts of answering one request share.
    struct Attempt {
        let client: NASClient
        let credentials: AccessCredentials
        let authenticator: Digest16
        let userName: Range<Int>?
        var subscriber: SubscriberRecord?

        var proof: PasswordProof {
            PasswordProof(credentials: credentials, authenticator: authenticator, secret: client.secret)
        }
    }

    /// Answers a request that verified.
    ///
    /// - Parameters:
    ///   - packet: the request, indexed and verified.
    ///   - datagram: as it arrived.
    ///   - client: who sent it.
    ///   - reply: receives the reply.
    ///   - token: names the reply's place in the cache.
    ///   - slow: the outcome of the slow check that the request was parked for; nil the first time.
    /// - Returns: `send` with an Accept, `delay` with a Reject, or `parked`.
    mutating func access(
        _ packet: Span<UInt8>, _ datagram: lm_datagram, from client: NASClient, reply: inout lm_datagram, token: ReplyToken,
        slow: PasswordHash.Outcome?
    ) -> Disposition {
        var attempt = Attempt(
            client: client, credentials: AccessCredentials(packet, index), authenticator: Self.authenticator(of: packet),
            userName: index.first(AttributeNumber.userName)?.range)
        if let refusal = precheck(attempt) { return refuse(refusal, packet, attempt, &reply) }
        guard let name = attempt.userName, let subscriber = find(packet.extracting(name), of: client) else {
            return refuse(.unknownSubscriber, packet, attempt, &reply)
        }
        attempt.subscriber = subscriber
        switch prove(packet, attempt, slow) {
        case .refused(let reason):
            return refuse(reason, packet, attempt, &reply)
        case .slow(let password):
            if park(packet, datagram, client.id, token, password, subscriber) { return .parked }
            return refuse(.overloaded, packet, attempt, &reply)
        case .matches:
            let decision = AccessDecision(subscriber, in: snapshot)
            guard decision.isAccepted else { return refuse(decision.reason, packet, attempt, &reply) }
            return accept(decision, packet, attempt, &reply)
        }
    }

    private func precheck(_ attempt: Attempt) -> AccessReason? {
        guard let name = attempt.userName, !name.isEmpty else { return .userNameMissing }
        switch attempt.credentials.count {
        case 0: return .noCredentials
        case 1: return nil
        default: return .conflictingCredentials
        }
    }

    func find(_ userName: Span<UInt8>, of client: NASClient) -> SubscriberRecord? {
        userName.withUnsafeBytes { snapshot.subscribers.find(tenant: client.tenant, name: $0) }
    }

    private func prove(_ packet: Span<UInt8>, _ attempt: Attempt, _ slow: PasswordHash.Outcome?) -> ProofOutcome {
        guard let slow else {
            guard let subscriber = attempt.subscriber, let name = attempt.userName else { return .refused(.unknownSubscriber) }
            return attempt.proof.check(packet, against: subscriber, userName: packet.extracting(name))
        }
        switch slow {
        case .matches: return .matches
        case .differs: return .refused(.wrongPassword)
        case .unusable: return .refused(.passwordHashUnusable)
        }
    }

    private func park(
        _ packet: Span<UInt8>, _ datagram: lm_datagram, _ client: Int64, _ token: ReplyToken, _ password: [UInt8],
        _ subscriber: SubscriberRecord
    ) -> Bool {
        let octets = (0..<packet.count).map { packet[$0] }
        let request = ParkedRequest(
            client: client, octets: octets, datagram: datagram, token: token, password: password, hash: Array(subscriber.credential))
        let taken = environment.slowChecks.submit(request, to: completions)
        counters.add(taken ? .parked : .parkedRefused)
        return taken
    }

    private mutating func accept(
        _ decision: AccessDecision, _ packet: Span<UInt8>, _ attempt: Attempt, _ reply: inout lm_datagram
    ) -> Disposition {
        guard let subscriber = attempt.subscriber else { return refuse(.unknownSubscriber, packet, attempt, &reply) }
        var writer = PacketWriter(Self.memory(of: reply), code: .accessAccept, identifier: packet[1])
        if attempt.client.sendsMessageAuthenticator { writer.reserveMessageAuthenticator() }
        let complete = AcceptAttributes.append(
            decision, of: subscriber, to: attempt.client.vendor, in: snapshot, secret: attempt.client.secret,
            authenticator: attempt.authenticator, writer: &writer)
        do {
            try appendMSCHAPSuccess(packet, attempt, &writer)
        } catch {
            return refuse(.malformedCredentials, packet, attempt, &reply)
        }
        echoProxyState(packet, &writer)
        guard complete, !writer.overflowed else { return refuse(.replyTooLarge, packet, attempt, &reply) }
        finish(writer, answering: packet, from: attempt.client, reply: &reply)
        counters.add(.accessAccepts)
        attempt.client.observation.accepts.add(1, ordering: .relaxed)
        record(decision.reason, packet, attempt, profile: decision.profile?.id ?? 0)
        return .send
    }

    private mutating func refuse(
        _ reason: AccessReason, _ packet: Span<UInt8>, _ attempt: Attempt, _ reply: inout lm_datagram
    ) -> Disposition {
        var writer = PacketWriter(Self.memory(of: reply), code: .accessReject, identifier: packet[1])
        if attempt.client.sendsMessageAuthenticator { writer.reserveMessageAuthenticator() }
        appendMSCHAPFailure(packet, attempt, &writer)
        echoProxyState(packet, &writer)
        finish(writer, answering: packet, from: attempt.client, reply: &reply)
        counters.add(.accessRejects)
        attempt.client.observation.rejects.add(1, ordering: .relaxed)
        record(reason, packet, attempt, profile: 0)
        return .delay
    }

    /// Hands the outcome to the authentication log; a full ring drops it, counted there.
    private func record(_ reason: AccessReason, _ packet: Span<UInt8>, _ attempt: Attempt, profile: Int64) {
        counters.add(reason)
        let accepted = reason == .accepted || reason == .acceptedCaptive
        let event = AuthEvent(
            atMicroseconds: nowMicroseconds, tenant: attempt.client.tenant, nas: attempt.client.id,
            subscriber: attempt.subscriber?.id ?? 0, profile: profile,
            durationMicroseconds: Int64(lm_realtime_nanoseconds() / 1000) - nowMicroseconds, outcome: accepted ? .accept : .reject,
            method: attempt.credentials.method.rawValue, reason: reason.rawValue)
        events.push(
            event, userName: value(AttributeNumber.userName, packet), callingStation: value(AttributeNumber.callingStationID, packet),
            nasPortID: value(AttributeNumber.nasPortID, packet))
    }

    @_lifetime(copy packet)
    private func value(_ attribute: UInt8, _ packet: Span<UInt8>) -> Span<UInt8> {
        packet.extracting(index.first(attribute)?.range ?? 0..<0)
    }
}
