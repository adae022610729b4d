internal import CLinux

/// What arrives from home servers, and which of it is believed.
extension ProxyLoop {
    /// Reads what a channel has.
    func attend(_ key: UInt64) {
        guard let (channel, lane) = channels[key] else { return }
        let now = lm_monotonic_nanoseconds()
        guard let stream = channel.stream else { return receiveDatagrams(channel, lane, at: now) }
        let wasOpen = channel.isOpen
        for packet in stream.attend(nowSeconds: HomeServerLane.seconds(now)) { receive(packet, channel, lane, at: now) }
        countLosses(of: channel, lane, at: now)
        if !wasOpen, channel.isOpen { lane.opened(channel, at: now) }
        settle(channel, lane, at: now)
    }

    /// Watches a connection on, or ends what was on it when it is no more.
    func settle(_ channel: HomeServerChannel, _ lane: HomeServerLane, at now: UInt64) {
        guard let stream = channel.stream, case .ended(let ending) = stream.status else { return rewatch(channel) }
        drop(channel, lane)
        lane.ended(ending, wasIdle: channel.count == 0, at: now)
        for exchange in channel.all.compactMap({ exchanges[$0] }) {
            forget(exchange)
            if let order = exchange.order { dispatch(order, tried: exchange.tried, beganAt: exchange.beganAt) }
        }
    }

    private func receiveDatagrams(_ channel: HomeServerChannel, _ lane: HomeServerLane, at now: UInt64) {
        let count = Int(lm_receive(channel.fd, arena.slots, UInt32(arena.capacity)))
        for place in 0..<max(0, count) {
            let slot = arena.slots[place]
            guard slot.truncated == 0, let bytes = slot.bytes else {
                lane.meter.add(.malformed)
                continue
            }
            let address = withUnsafeBytes(of: slot.peer.octets) { IPAddress(octets: $0) }
            let packet = Array(UnsafeBufferPointer(start: bytes, count: Int(slot.count)))
            guard address == lane.server.address else {
                lane.meter.add(.wrongSource)
                continue
            }
            receive(packet, channel, lane, from: slot.peer.port, at: now)
        }
    }

    /// Takes one packet, of whatever octets.
    ///
    /// - Parameters:
    ///   - packet: as it arrived.
    ///   - channel: where.
    ///   - lane: whose.
    ///   - port: where it came from; nil on a connection.
    ///   - now: the monotonic clock.
    func receive(_ packet: [UInt8], _ channel: HomeServerChannel, _ lane: HomeServerLane, from port: UInt16? = nil, at now: UInt64) {
        channel.heard(at: now)
        guard packet.count >= PacketHeader.count else { return lane.meter.add(.malformed) }
        guard let exchange = channel.serial(of: packet[1]).flatMap({ exchanges[$0] }) else { return lane.meter.add(.unmatched) }
        guard port == nil || port == exchange.port else {
            // Log-ins and accounting share a socket, and so its identifiers.
            return lane.meter.add(channel.isLate(packet, secret: lane.server.secret) ? .unmatched : .wrongSource)
        }
        do throws(HomeServerReply.Refusal) {
            let octets = try HomeServerReply.verified(packet, answering: exchange.request, code: exchange.code, from: lane.server)
            accept(octets, exchange, at: now)
        } catch {
            if error != .messageAuthenticatorMissing, channel.isLate(packet, secret: lane.server.secret) {
                return lane.meter.add(.unmatched)
            }
            lane.meter.add(error.counter)
            guard error != .messageAuthenticatorMissing else { return }
            // RFC 6613 §2.6.4, RFC 7360 §5.2; over UDP there is nothing to close.
            channel.stream?.close(nowSeconds: HomeServerLane.seconds(now), because: .badPacket)
        }
    }

    private func accept(_ octets: [UInt8], _ exchange: Exchange, at now: UInt64) {
        let lane = exchange.lane
        lane.proven()
        guard let order = exchange.order else {
            lane.meter.add(.statusAnswers)
            lane.liveness.probeAnswered(at: now)
            return forget(exchange)
        }
        lane.liveness.answered(at: now)
        lane.measured(nanoseconds: now - exchange.sentAt)
        if !exchange.proxyState.isLast(in: octets.span) { lane.meter.add(.proxyStateMissing) }
        let code = PacketCode(rawValue: octets[0])
        switch code {
        case .accessAccept: lane.meter.add(.accepts)
        case .accessReject: lane.meter.add(.rejects)
        case .accountingResponse: lane.meter.add(.accountingResponses)
        case .accessChallenge:
            lane.meter.add(.challenges)
            if let state = ReturnedReply.state(of: octets.span) {
                sticky.remember(StickyServers.key(state, order.pool.id), lane.server.id, at: now)
            }
        default:
            lane.meter.add(.protocolErrors)
            let cause = ReturnedReply.errorCause(of: octets.span)
            if exchange.channel.stream?.version == .v11, !Self.concernsServer(cause) {
                return finish(exchange, .failed(.proxyDeclined, server: lane.server.id, cause: cause))
            }
            // It will not process the request: perhaps another one will.
            forget(exchange)
            return dispatch(order, tried: exchange.tried, beganAt: exchange.beganAt, after: .proxyDeclined)
        }
        finish(exchange, .reply(ProxyReply(octets: octets, server: lane.server, authenticator: exchange.request.authenticator)))
    }

    /// Whether a Protocol-Error with that Error-Cause speaks of the server, so that another may do, and not of the request (RFC 9765
    /// §6.1).
    private static func concernsServer(_ cause: ErrorCause?) -> Bool {
        cause == .requestNotRoutable || cause == .otherProxyProcessingError || cause == .resourcesUnavailable
    }
}
