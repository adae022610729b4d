internal import CLinux

/// One request's way through the home servers of its pool.
extension ProxyLoop {
    /// Sends an order to the home server whose turn it is.
    ///
    /// - Parameters:
    ///   - order: what is to be sent.
    ///   - tried: servers that did not answer it.
    ///   - began: when it came in.
    ///   - reason: why the last of them is none to wait for.
    func dispatch(_ order: ProxyOrder, tried: [Int64], beganAt began: UInt64, after reason: AccessReason = .proxyTimeout) {
        let now = lm_monotonic_nanoseconds()
        let last = tried.last ?? 0
        guard now - began < UInt64(engine.settings.totalMilliseconds) * 1_000_000 else {
            return engine.finish(order, .failed(reason, server: last))
        }
        let holder = order.stateKey.flatMap { sticky.find($0, at: now) }
        // Whoever does not know the conversation can only break it.
        if holder != nil, !tried.isEmpty { return engine.finish(order, .failed(reason, server: last)) }
        let pool = order.pool.servers.compactMap { lane(of: $0.id, at: now) }
        let preferred = holder ?? order.stationKey.flatMap { sticky.find($0, at: now) }
        switch PoolChoice.choose(order.pool.kind, pool.map(\.candidate), tried: tried, preferred: preferred, key: order.key) {
        case .none: engine.finish(order, .failed(tried.isEmpty ? .proxyNoServer : reason, server: last))
        case .full: engine.finish(order, .failed(.proxyOverloaded, server: last))
        case .server(let place): forward(order, to: pool[place], tried: tried, beganAt: began, at: now)
        }
    }

    private func forward(_ order: ProxyOrder, to lane: HomeServerLane, tried: [Int64], beganAt began: UInt64, at now: UInt64) {
        let serial = newSerial()
        let server = lane.server
        guard let channel = lane.channel(newKey, watch: { watch($0, lane) }), let identifier = channel.claim(for: serial) else {
            return engine.finish(order, .failed(.proxyOverloaded, server: server.id))
        }
        let proxyState = ProxyState(mark: engine.mark, number: serial)
        do throws(ProxyFault) {
            let exchange = Exchange(
                serial: serial, order: order, code: order.isAccess ? .accessRequest : .accountingRequest, lane: lane, channel: channel,
                identifier: identifier, request: try make(order, for: server, identifier, proxyState), proxyState: proxyState, sentAt: now,
                beganAt: began, tried: tried + [server.id])
            lane.meter.add(order.isAccess ? .accessRequests : .accountingRequests)
            if let key = order.stationKey { sticky.remember(key, server.id, at: now) }
            begin(exchange, until: now + Self.window(server) / (server.transport.losesPackets ? 2 : 1))
            transmit(exchange, at: now)
        } catch {
            channel.release(identifier)
            engine.finish(order, .failed(.proxyUnusable, server: server.id))
        }
    }

    private func make(
        _ order: ProxyOrder, for server: HomeServer, _ identifier: UInt8, _ proxyState: ProxyState
    ) throws(ProxyFault) -> ForwardedRequest {
        let passage = ForwardedRequest.Passage(
            userName: order.userName, filter: order.filter, dictionary: order.dictionary, proxyState: proxyState,
            operatorNAS: order.operatorNAS)
        let received = order.received
        switch order.kind {
        case .access(let secret):
            return try .access(received.span, secret: secret, passage, to: Self.hop(server), identifier: identifier)
        case .accounting(let arrived):
            let waited = Int64(truncatingIfNeeded: lm_realtime_nanoseconds() / 1000) - arrived
            return try .accounting(
                received.span, passage, secret: server.secret, delaySeconds: UInt32(clamping: waited / 1_000_000),
                identifier: identifier)
        }
    }

    /// A hop whose authenticator nobody can foresee (RFC 2865 §3).
    private static func hop(_ server: HomeServer) -> Hop {
        var generator = SystemRandomNumberGenerator()
        return Hop(server.secret, Digest16 { _ in UInt8.random(in: 0...255, using: &generator) })
    }

    private static func window(_ server: HomeServer) -> UInt64 { UInt64(max(1, server.timing.responseMilliseconds)) * 1_000_000 }

    private func transmit(_ exchange: Exchange, at now: UInt64) {
        // Also what the connection does not take any more finds no answer.
        if exchange.order != nil { exchange.channel.requested(at: now) }
        let isSent = exchange.channel.send(exchange.request.octets, to: exchange.lane.server.address, port: exchange.port)
        if !isSent { exchange.lane.meter.add(.sendFailures) }
        guard let stream = exchange.channel.stream else { return }
        _ = stream.attend(nowSeconds: HomeServerLane.seconds(now)).map { receive($0, exchange.channel, exchange.lane, at: now) }
        countLosses(of: exchange.channel, exchange.lane, at: now)
        rewatch(exchange.channel)
    }

    /// A Status-Server to a home server that is not alive.
    func probe(_ lane: HomeServerLane, at now: UInt64) {
        let serial = newSerial()
        guard let channel = lane.channel(newKey, watch: { watch($0, lane) }), let identifier = channel.claim(for: serial) else { return }
        let exchange = Exchange(
            serial: serial, order: nil, code: .statusServer, lane: lane, channel: channel, identifier: identifier,
            request: .statusServer(to: Self.hop(lane.server), identifier: identifier),
            proxyState: ProxyState(mark: engine.mark, number: serial), sentAt: now, beganAt: now, tried: [])
        channel.asked(at: now, isAnswered: lane.liveness.knowsStatusServer)
        lane.meter.add(.statusServers)
        begin(exchange, until: now + Self.window(lane.server))
        transmit(exchange, at: now)
    }

    /// The time for a reply is over, or half of it.
    ///
    /// - Returns: when to look again.
    func expire(_ exchange: Exchange, at now: UInt64) -> UInt64? {
        let (lane, server) = (exchange.lane, exchange.lane.server)
        guard let order = exchange.order else {
            lane.liveness.probeMissed()
            forget(exchange)
            return nil
        }
        if !exchange.isRepeated, server.transport.losesPackets {
            exchange.isRepeated = true
            lane.meter.add(.repetitions)
            transmit(exchange, at: now)
            return exchange.sentAt + Self.window(server)
        }
        lane.meter.add(.timeouts)
        lane.liveness.missed(sentAt: exchange.sentAt, at: now)
        forget(exchange)
        dispatch(order, tried: exchange.tried, beganAt: exchange.beganAt)
        return nil
    }
}
