internal import CLinux

/// EAP over RADIUS (RFC 3579): a packet leaves the worker with what its conversation needs to know, and comes back as an answer.
extension PacketPath {
    /// RFC 3579 §2.2: Invalid EAP Packet (Ignored).
    private static let invalidEAPPacketIgnored: UInt32 = 202
    /// Error-Cause (RFC 5176 §3.5).
    private static let errorCause: UInt8 = 101
    /// Framed-MTU (RFC 2865 §5.12).
    private static let framedMTU: UInt8 = 12

    /// Hands an Access-Request with EAP-Message, which verified, to the conversations.
    @inline(never)
    mutating func converse(_ attempt: Attempt, _ token: ReplyToken, _ reply: UnsafeMutablePointer<lm_datagram>) -> Disposition {
        guard attempt.credentials.count == 0 else { return discard(attempt, token) }
        let message = Self.message(of: attempt.request)
        guard let service = environment.eap else {
            return refuse(.methodUnsupported, Self.failure(answering: message), .eap, attempt, reply)
        }
        guard message.isEmpty || attempt.userName?.isEmpty == false else {
            return refuse(.userNameMissing, Self.failure(answering: message), .eap, attempt, reply)
        }
        let arrival = EAPArrival(
            client: attempt.client.pointee.id, tenant: attempt.client.pointee.tenant,
            userName: Self.copy(attempt.request.value(.userName)),
            state: attempt.request.first(.state).map { Self.copy(attempt.request.octets($0)) }, message: message,
            framedMTU: Self.framedMTU(of: attempt.request))
        let work = attempt.work
        let parked = ParkedRequest(
            client: arrival.client, packet: work.pointee.packet, count: work.pointee.attributes.count,
            datagram: work.pointee.datagram.pointee, token: token, work: .eap(arrival))
        guard service.checks.submit(parked, to: completions) else {
            counters.add(.eapRefused)
            return refuse(.eapOverloaded, Self.failure(answering: message), .eap, attempt, reply)
        }
        counters.add(.eapRequests)
        return .parked
    }

    /// Drops a request that has EAP-Message beside a password (RFC 3579 §3.3, note 1).
    private mutating func discard(_ attempt: Attempt, _ token: ReplyToken) -> Disposition {
        counters.add(DecodeError.conflictingCredentials)
        tally.add(attempt.client) { $0.drops &+= 1 }
        attempt.client.pointee.withClient { $0.observation.refusals.add(DecodeError.conflictingCredentials) }
        recordDrop(.conflictingCredentials, attempt.client, attempt.work.pointee.datagram)
        if isStream { noteUnserved(attempt, DecodeError.conflictingCredentials.errorCause) }
        cache.forget(token)
        return .drop
    }

    /// Sends what a conversation answers.
    ///
    /// - Returns: `send` with a Challenge or an Accept, `delay` with a Reject, or `drop`.
    mutating func conclude(
        _ outcome: EAPOutcome, _ work: PacketWork, _ reply: UnsafeMutablePointer<lm_datagram>, token: ReplyToken
    ) -> Disposition {
        withUnsafePointer(to: work) { pointer in
            var attempt = Attempt(
                work: pointer, credentials: AccessCredentials(work.attributes), userName: work.attributes.first(.userName))
            switch outcome {
            case .drop, .wait:
                counters.add(.duplicatesInWork)
                if isStream { noteUnserved(attempt) }
                cache.forget(token)
                return .drop
            case .challenge(let packet, let state, let wasIgnored, let verdict):
                if let verdict { attempt.subscriber = find(verdict.identity, work) }
                let disposition = challenge(packet, state, wasIgnored, attempt, reply)
                // What is too large for a packet tells the device nothing, and has a row of its own.
                if let verdict, case .send = disposition {
                    log(.reject, verdict.reason, verdict.method, attempt, profile: 0, name: verdict.identity, server: 0)
                }
                return disposition
            case .refused(let packet, let verdict, let isNoted):
                attempt.subscriber = find(verdict.identity, work)
                return refuse(
                    verdict.reason, packet, verdict.method, attempt, reply, identity: verdict.identity, isNoted: isNoted)
            case .proven(let packet, let identity, let keys, let method, let isNoted):
                // The account may have changed, or gone, since the method ended.
                guard let subscriber = find(identity, work) else {
                    return refuse(.unknownSubscriber, Self.failure(answering: packet), method, attempt, reply, identity: identity)
                }
                attempt.subscriber = subscriber
                var verdict = AccessVerdict(subscriber, in: snapshot, at: nowUnixSeconds)
                if subscriber.isBound { verdict = Self.applyBindings(verdict, pointer, subscriber) }
                if snapshot.hasRules { verdict = applyRules(verdict, method, pointer, subscriber) }
                guard verdict.isAccepted else {
                    return refuse(verdict.reason, Self.failure(answering: packet), method, attempt, reply, identity: identity)
                }
                if isOneTooMany(verdict, attempt, subscriber) {
                    return refuse(.sessionLimit, Self.failure(answering: packet), method, attempt, reply, identity: identity)
                }
                return accept(verdict, packet, keys, method, attempt, subscriber, reply, identity: identity, isNoted: isNoted)
            }
        }
    }

    private func find(_ identity: [UInt8], _ work: PacketWork) -> SubscriberRecord? {
        identity.withUnsafeBytes { snapshot.subscribers.find(tenant: work.client.pointee.tenant, name: $0) }
    }

    private mutating func challenge(
        _ packet: [UInt8], _ state: [UInt8], _ wasIgnored: Bool, _ attempt: Attempt, _ reply: UnsafeMutablePointer<lm_datagram>
    ) -> Disposition {
        var writer = begin(.accessChallenge, packet, attempt, reply)
        writer.append(AttributeNumber.state, state.span)
        writer.append(AttributeNumber.sessionTimeout, UInt32(clamping: environment.eap?.settings.responseSeconds ?? 30))
        if wasIgnored { writer.append(Self.errorCause, Self.invalidEAPPacketIgnored) }
        echoProxyState(attempt.request, &writer)
        guard !writer.overflowed else { return refuse(.replyTooLarge, Self.failure(answering: packet), .eap, attempt, reply) }
        finish(writer, to: attempt.client, reply)
        counters.add(.accessChallenges)
        return .send
    }

    private mutating func accept(
        _ verdict: AccessVerdict, _ packet: [UInt8], _ keys: EAPKeys?, _ method: AuthenticationMethod, _ attempt: Attempt,
        _ subscriber: SubscriberRecord, _ reply: UnsafeMutablePointer<lm_datagram>, identity: [UInt8], isNoted: Bool
    ) -> Disposition {
        var writer = begin(.accessAccept, packet, attempt, reply)
        // The device said another name outside its tunnel; accounting shall name the subscriber (RFC 2865 §5.1).
        if !Self.isSame(identity, attempt.request.value(.userName)) { writer.append(AttributeNumber.userName, identity.span) }
        let fault = appendAuthorization(verdict, attempt, subscriber, &writer)
        if let keys { appendKeys(keys, attempt, &writer) }
        echoProxyState(attempt.request, &writer)
        guard fault == nil, !writer.overflowed else {
            return refuse(fault ?? .replyTooLarge, Self.failure(answering: packet), method, attempt, reply, identity: identity)
        }
        if isOneTooMany(verdict, attempt, subscriber, isCertain: true) {
            return refuse(.sessionLimit, Self.failure(answering: packet), method, attempt, reply, identity: identity)
        }
        finish(writer, to: attempt.client, reply)
        noteAccept(verdict, method, attempt, name: identity, isNoted: isNoted)
        return .send
    }

    private mutating func refuse(
        _ reason: AccessReason, _ packet: [UInt8], _ method: AuthenticationMethod, _ attempt: Attempt,
        _ reply: UnsafeMutablePointer<lm_datagram>, identity: [UInt8] = [], isNoted: Bool = false
    ) -> Disposition {
        var writer = begin(.accessReject, packet, attempt, reply)
        if reason.isOfPolicy { Self.appendRuleMessage(rules.outcome.last, attempt.client, in: snapshot, &writer) }
        echoProxyState(attempt.request, &writer)
        finish(writer, to: attempt.client, reply)
        noteReject(reason, method, attempt, name: identity, isNoted: isNoted)
        return .delay
    }

    /// A reply that holds an EAP packet is always signed, whatever the client's settings say (RFC 3579 §3.2).
    @_lifetime(immortal)
    private func begin(
        _ code: PacketCode, _ packet: [UInt8], _ attempt: Attempt, _ reply: UnsafeMutablePointer<lm_datagram>
    ) -> PacketWriter {
        var writer = Self.begin(code, answering: attempt.request.packet, in: reply)
        writer.reserveMessageAuthenticator()
        writer.append(eap: packet)
        return writer
    }

    /// EAP-Message, joined in the packet's order (RFC 3579 §3.1).
    static func message(of request: RequestAttributes) -> [UInt8] {
        var message: [UInt8] = []
        var next = request.first(.eapMessage)
        while let range = next {
            message += copy(request.octets(range))
            next = request.next(.eapMessage, after: range)
        }
        return message
    }

    /// Framed-MTU (RFC 2865 §5.12), which only EAP looks at. The attributes' lengths were checked.
    private static func framedMTU(of request: RequestAttributes) -> Int? {
        var offset = PacketHeader.count
        while offset < request.count {
            let length = Int(request.packet[offset + 1])
            if request.packet[offset] == framedMTU, length == 6 {
                return (2..<6).reduce(0) { $0 << 8 | Int(request.packet[offset + $1]) }
            }
            offset += length
        }
        return nil
    }

    /// EAP-Failure under the identifier of `packet`, which may be of any length.
    static func failure(answering packet: [UInt8]) -> [UInt8] {
        EAPPacket.octets(.failure, packet.count > 1 ? packet[1] : 0)
    }

    private static func isSame(_ name: [UInt8], _ octets: Span<UInt8>) -> Bool {
        name.count == octets.count && name.indices.allSatisfy { name[$0] == octets[$0] }
    }

    private static func copy(_ octets: Span<UInt8>) -> [UInt8] { octets.indices.map { octets[$0] } }
}
