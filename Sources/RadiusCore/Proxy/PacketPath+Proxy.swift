internal import CLinux

/// A request of a realm that other servers answer: out by the proxy, and back as a reply of ours.
extension PacketPath {
    /// Hands an Access-Request, which verified, to the proxy when a policy rule, or else its User-Name, gives it to a realm with home
    /// servers.
    ///
    /// - Returns: nil when it is to be answered here.
    @inline(never)
    mutating func forward(_ attempt: Attempt, _ token: ReplyToken, _ reply: UnsafeMutablePointer<lm_datagram>) -> Disposition? {
        guard let service = environment.proxy, let plan = snapshot.proxy, let name = attempt.userName, !name.isEmpty,
            !attempt.credentials.hasEAP || attempt.credentials.count == 0
        else { return nil }
        let work = attempt.work
        let octets = UnsafeRawBufferPointer(start: work.pointee.packet + name.lowerBound, count: name.count)
        guard let match = match(octets, work, plan), let pool = match.realm.accessPool else { return nil }
        let packet = Span<UInt8>(_unsafeStart: work.pointee.packet, count: work.pointee.attributes.count)
        guard !ProxyState.isLooping(packet, mark: service.mark) else { return refuseProxied(.proxyLoop, attempt, reply) }
        let parked = ParkedRequest(
            client: attempt.client.pointee.id, packet: work.pointee.packet, count: work.pointee.attributes.count,
            datagram: work.pointee.datagram.pointee, token: token, work: .proxied(match.realm))
        parked.parkedNanoseconds = lm_monotonic_nanoseconds()
        let operatorNAS = service.operatorNAS(tenant: attempt.client.pointee.tenant, nas: attempt.client.pointee.id)
        let order = order(match, pool, attempt, name, operatorNAS) { [completions] outcome in
            parked.outcome = .proxied(outcome)
            completions.add(parked)
        }
        completions.expect()
        guard service.submit(order) else {
            completions.expectNoMore()
            return unanswered(.proxyOverloaded, match.realm, attempt, token, reply)
        }
        counters.add(.proxied)
        return .parked
    }

    private mutating func match(_ name: UnsafeRawBufferPointer, _ work: UnsafePointer<PacketWork>, _ plan: ProxyPlan) -> RealmMatch? {
        let tenant = work.pointee.client.pointee.tenant
        if snapshot.hasForwarding, let program = snapshot.forwardingProgram(of: tenant),
            let chosen = chooseRealm(program, name, work, plan)
        {
            return chosen
        }
        return plan.find(tenant: tenant, name: name)
    }

    private func order(
        _ match: RealmMatch, _ pool: HomeServerPool, _ attempt: Attempt, _ name: Range<Int>, _ operatorNAS: [UInt8]?,
        _ completion: @escaping @Sendable (ProxyOutcome) -> Void
    ) -> ProxyOrder {
        let request = attempt.request
        let station = request.first(.callingStationID).map { VendorPassage.copy(request.octets($0)) }
        let user = VendorPassage.copy(request.octets(name))
        let stripped = match.realm.strips && !match.user.isEmpty ? Array(user[match.user]) : nil
        return ProxyOrder(
            .access(attempt.client.pointee.client.secret), to: pool,
            received: VendorPassage.copy(Span(_unsafeStart: request.packet, count: request.count)), userName: stripped,
            filter: match.realm.requestFilter, dictionary: snapshot.dictionary, operatorNAS: operatorNAS,
            key: StickyServers.key(station ?? user, pool.id),
            stateKey: request.first(.state).map { StickyServers.key(VendorPassage.copy(request.octets($0)), pool.id) },
            stationKey: attempt.credentials.hasEAP ? station.map { StickyServers.key($0 + user, ~pool.id) } : nil, completion: completion)
    }

    /// Answers with what a home server said, or as the realm says for none.
    ///
    /// - Returns: `send`, `delay` with a refusal of our own, or `drop`.
    mutating func concludeProxied(
        _ outcome: ProxyOutcome, _ parked: ParkedRequest, _ work: PacketWork, _ reply: UnsafeMutablePointer<lm_datagram>
    ) -> Disposition {
        guard case .proxied(let realm) = parked.work else { return .drop }
        return withUnsafePointer(to: work) { pointer in
            let attempt = Attempt(
                work: pointer, credentials: AccessCredentials(work.attributes), userName: work.attributes.first(.userName))
            switch outcome {
            case .reply(let answer): return pass(answer, realm, attempt, reply)
            case .failed(let reason, let server, let cause):
                return unanswered(reason, realm, attempt, parked.token, reply, server: server, cause)
            }
        }
    }

    private mutating func pass(
        _ answer: ProxyReply, _ realm: Realm, _ attempt: Attempt, _ reply: UnsafeMutablePointer<lm_datagram>
    ) -> Disposition {
        let client = attempt.client
        let attributes: [UInt8]
        do throws(ProxyFault) {
            attributes = try ReturnedReply.attributes(
                of: answer.octets.span, realm.replyFilter, snapshot.dictionary, from: Hop(answer.server.secret, answer.authenticator),
                to: Hop(client.pointee.client.secret, attempt.authenticator), salt: &salt)
        } catch {
            return refuseProxied(.proxyUnusable, attempt, reply, server: answer.server.id)
        }
        var writer = Self.begin(answer.code, answering: attempt.request.packet, in: reply)
        if client.pointee.sendsMessageAuthenticator || attempt.credentials.hasEAP { writer.reserveMessageAuthenticator() }
        writer.append(encoded: attributes.span)
        echoProxyState(attempt.request, &writer)
        guard !writer.overflowed else { return refuseProxied(.replyTooLarge, attempt, reply, server: answer.server.id) }
        finish(writer, to: client, reply)
        noteProxied(answer, attempt)
        return .send
    }

    private mutating func noteProxied(_ answer: ProxyReply, _ attempt: Attempt) {
        let method = attempt.credentials.method
        switch answer.code {
        case .accessAccept:
            counters.add(.accessAccepts)
            tally.add(attempt.client) { $0.accepts &+= 1 }
            record(.proxyAccepted, method, attempt, profile: 0, name: [], server: answer.server.id)
        case .accessReject: noteReject(.proxyRejected, method, attempt, server: answer.server.id)
        default: counters.add(.accessChallenges)
        }
    }

    /// No home server answered: a refusal, or silence, after which the NAS asks again, here or elsewhere. Over RADIUS/1.1 it is told why.
    private mutating func unanswered(
        _ reason: AccessReason, _ realm: Realm, _ attempt: Attempt, _ token: ReplyToken, _ reply: UnsafeMutablePointer<lm_datagram>,
        server: Int64 = 0, _ cause: ErrorCause? = nil
    ) -> Disposition {
        counters.add(.proxyUnanswered)
        if realm.rejectsUnanswered || reason == .proxyUnusable { return refuseProxied(reason, attempt, reply, server: server) }
        log(.silence, reason, attempt.credentials.method, attempt, profile: 0, name: [], server: server)
        recordSilence(reason, attempt)
        if isStream { noteUnserved(attempt, cause ?? (reason == .proxyNoServer ? .requestNotRoutable : .otherProxyProcessingError)) }
        cache.forget(token)
        return .drop
    }

    private mutating func refuseProxied(
        _ reason: AccessReason, _ attempt: Attempt, _ reply: UnsafeMutablePointer<lm_datagram>, server: Int64 = 0
    ) -> Disposition {
        var writer = Self.begin(.accessReject, answering: attempt.request.packet, in: reply)
        let hasEAP = attempt.credentials.hasEAP
        if attempt.client.pointee.sendsMessageAuthenticator || hasEAP { writer.reserveMessageAuthenticator() }
        if hasEAP { writer.append(eap: Self.failure(answering: Self.message(of: attempt.request))) }
        echoProxyState(attempt.request, &writer)
        finish(writer, to: attempt.client, reply)
        noteReject(reason, attempt.credentials.method, attempt, server: server)
        return .delay
    }
}

extension VendorPassage {
    static func copy(_ octets: Span<UInt8>) -> [UInt8] { octets.indices.map { octets[$0] } }
}
