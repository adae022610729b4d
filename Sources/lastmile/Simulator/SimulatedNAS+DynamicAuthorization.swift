import RadiusCore

/// CoA and Disconnect requests (RFC 5176) to a simulated NAS.
extension SimulatedNAS {
    /// Replies that are kept for repetitions.
    private static var answeredLimit: Int { 256 }

    /// Takes a datagram that arrived on the CoA port.
    ///
    /// `wall`: seconds since 1970, for Event-Timestamp.
    mutating func requested(_ datagram: [UInt8], now: Int, wall: UInt32) -> [Action] {
        let server = DynamicAuthorizationServer(secret: plan.secret)
        let request: DynamicAuthorizationServer.Request
        do { request = try server.verify(datagram.span, now: wall) } catch {
            return [.event(SimulatorEvent(.dropped, nil, [.init("reason", .string(Self.reason(error)))]))]
        }
        let key = [request.identifier] + request.authenticator
        if let known = answered.first(where: { $0.key == key }) { return [.reply(known.reply)] }
        let shown = SimulatorEvent.attributes(request.attributes, dictionary)
        let kind = JSONValue.Member("request", .string(request.kind == .coa ? "coa" : "disconnect"))
        switch plan.answer {
        case .silence: return [.event(SimulatorEvent(.ignored, nil, [kind, shown]))]
        case .refuse(let cause): return refuse(request, cause, server, key, [kind, shown])
        case .acknowledge: break
        }
        let found = sessions.indices.filter { sessions[$0].isLive && request.mismatch(with: identity(sessions[$0])) == nil }
        guard !found.isEmpty else { return refuse(request, cause(request), server, key, [kind, shown]) }
        let reply = server.acknowledge(request)
        let actions = request.kind == .coa ? change(found, request, shown, now) : disconnect(found, now)
        remember(key, reply)
        return actions + [.reply(reply)]
    }

    private mutating func change(
        _ found: [Int], _ request: DynamicAuthorizationServer.Request, _ shown: JSONValue.Member, _ now: Int
    ) -> [Action] {
        found.map { index in
            sessions[index].apply(request.attributes, now: now)
            return .event(SimulatorEvent(.changed, sessions[index], [shown]))
        }
    }

    /// The Stop leaves before the ACK.
    private mutating func disconnect(_ found: [Int], _ now: Int) -> [Action] {
        var events: [Action] = []
        for index in found {
            events.append(.event(SimulatorEvent(.disconnected, sessions[index])))
            if let action = sessions[index].end(SimulatedSession.Cause.adminReset, now: now) { enqueue(index, action) }
        }
        return pump(now) + events
    }

    private mutating func refuse(
        _ request: DynamicAuthorizationServer.Request, _ cause: ErrorCause, _ server: DynamicAuthorizationServer, _ key: [UInt8],
        _ members: [JSONValue.Member]
    ) -> [Action] {
        let reply = server.refuse(request, cause: cause)
        remember(key, reply)
        let facts: [JSONValue.Member] = [.init("error_cause", .number(cause.rawValue)), .init("name", .string(cause.name))]
        return [.event(SimulatorEvent(.refused, nil, facts + members)), .reply(reply)]
    }

    /// Why no live session fits: the request names none, another NAS's, or one that is not here.
    private func cause(_ request: DynamicAuthorizationServer.Request) -> ErrorCause {
        request.mismatch(with: nasIdentity) ?? .sessionContextNotFound
    }

    private mutating func remember(_ key: [UInt8], _ reply: [UInt8]) {
        if answered.count >= Self.answeredLimit { answered.removeFirst() }
        answered.append((key, reply))
    }

    private static func reason(_ error: DynamicAuthorizationError) -> String {
        switch error {
        case .packet(let error): error.explanation
        case .staleTimestamp: "Event-Timestamp is more than 300 seconds off: a replay, or clocks that differ"
        }
    }
}
