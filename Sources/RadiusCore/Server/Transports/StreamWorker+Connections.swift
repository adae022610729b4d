import CLinux
import Glibc
import Synchronization

/// How connections begin and end.
extension StreamWorker {
    /// Takes a few of the connections that wait at a listening socket.
    mutating func accept(_ position: Int) {
        let listener = listeners[position]
        for _ in 0..<StreamSettings.accepts {
            var peer = lm_address()
            let fd = lm_tcp_accept(listener.fd, &peer)
            guard fd >= 0 else {
                if fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM { suspend(position, peer) }
                return
            }
            census.countAccepted(listener.transport)
            admit(fd, peer, listener)
        }
    }

    /// The next sweep tries again: a socket that is ready and cannot be accepted would keep the thread busy.
    private mutating func suspend(_ position: Int, _ peer: lm_address) {
        lm_epoll_remove(epoll, listeners[position].fd)
        isListening[position] = false
        census.refuse(.noDescriptors, IPAddress(high: 0, low: 0), listeners[position].transport, client: nil)
    }

    private mutating func admit(_ fd: Int32, _ peer: lm_address, _ listener: StreamListener) {
        var address = peer
        let source = withUnsafeBytes(of: &address.octets) { IPAddress(octets: $0) }
        guard let client = path.snapshot.clients.rows.find(source) else {
            census.refuse(.unknownClient, source, listener.transport, client: nil)
            close(fd)
            return
        }
        guard let connection = begin(.socket(fd), listener, peer, client) else {
            close(fd)
            return
        }
        watch(connection)
    }

    /// Makes a connection; nil when a bound is against it, which is counted.
    mutating func begin(
        _ carrier: StreamCarrier, _ listener: StreamListener, _ peer: lm_address, _ client: UnsafePointer<ClientRow>
    ) -> StreamConnection? {
        var address = peer
        let source = withUnsafeBytes(of: &address.octets) { IPAddress(octets: $0) }
        let (transport, name) = (listener.transport, client.pointee.client.name)
        var refusal = census.enter(client.pointee.id, transport)
        if refusal == .tooManyHandshakes {
            if makeWay(for: client.pointee.id) { refusal = census.enter(client.pointee.id, transport) }
            if refusal == .tooManyHandshakes { census.askForPlace(for: client.pointee.id, by: number) }
        }
        if let refusal {
            census.refuse(refusal, source, transport, client: name)
            return nil
        }
        var tls: TLSConversation?
        if transport.isProtected {
            tls = conversation(source, transport, name)
            guard tls != nil else {
                census.leave(client.pointee.id, transport, wasHandshaking: true)
                return nil
            }
        }
        let connection = StreamConnection(
            carrier, handle: connections.nextHandle(), listener: listener, peer: peer, client: client, tls: tls, now: nowSeconds)
        connections.insert(connection)
        if connection.isHandshaking { begin(connection) }
        return connection
    }

    private func conversation(_ source: IPAddress, _ transport: StreamTransport, _ client: String) -> TLSConversation? {
        guard let context = transport == .dtls ? certificates?.currentForDatagrams : certificates?.current else { return nil }
        do throws(TLSFailure) {
            return try TLSConversation(context)
        } catch {
            census.refuse(.tls(error), source, transport, client: client)
            return nil
        }
    }

    /// Counts one more handshake; beyond the bound the oldest gives way.
    private mutating func begin(_ connection: StreamConnection) {
        handshakes.append(connection.handle)
        handshakeCount += 1
        let limit = max(1, settings.handshakes / max(1, settings.threads))
        if handshakes.count > 2 * limit || handshakeCount > limit {
            handshakes.removeAll { [connections] in connections[$0]?.isHandshaking != true }
        }
        guard handshakeCount > limit else { return }
        if let oldest = handshakes.first, oldest != connection.handle, let connection = connections[oldest] {
            handshakes.removeFirst()
            refuse(.displaced, connection)
        }
    }

    /// Ends a handshake of `client` that goes on for so long that its peer may be stuck, so that a new one has its place. Younger ones
    /// stay: when a whole network comes back at once, each would end another's.
    private mutating func makeWay(for client: Int64) -> Bool {
        for (place, handle) in handshakes.enumerated() {
            guard let connection = connections[handle], connection.isHandshaking else { continue }
            // They stand in the order in which they began.
            guard nowSeconds &- connection.began >= StreamSettings.stuckSeconds else { return false }
            guard connection.client == client else { continue }
            handshakes.remove(at: place)
            refuse(.displaced, connection)
            return true
        }
        return false
    }

    /// Goes on with handshakes, one step of one after the other, for a bounded time.
    mutating func serveHandshakes() {
        let end = lm_monotonic_nanoseconds() + StreamSettings.handshakeNanoseconds
        var event = lm_ready()
        while lm_epoll_wait(handshakeEpoll, &event, 1, 0) == 1 {
            if let connection = connections[ConnectionHandle(number: event.key)] { shakeHands(connection, event.events) }
            if lm_monotonic_nanoseconds() >= end { return }
        }
    }

    private mutating func shakeHands(_ connection: StreamConnection, _ events: UInt32) {
        guard let tls = connection.tls else { return }
        connections.mark(connection)
        guard events & LM_READABLE != 0 else { return }
        let count = lm_stream_receive(connection.fd, scratch, StreamSettings.turnOctets)
        if count == -Int(EAGAIN) { return }
        guard count > 0 else { return end(connection, count == 0 ? .peer : .error) }
        census.countReceived(count, .tls)
        tls.receive(Span(_unsafeStart: UnsafePointer(scratch), count: count))
        goOn(connection, tls)
    }

    /// Sees what came of a step of a handshake.
    mutating func goOn(_ connection: StreamConnection, _ tls: TLSConversation) {
        switch tls.state {
        case .handshaking: break
        case .failed(let failure): refuse(.tls(failure), connection)
        case .established, .closed: establish(connection, tls)
        }
    }

    private mutating func establish(_ connection: StreamConnection, _ tls: TLSConversation) {
        if let refusal = objection(to: connection) ?? Self.agree(connection, tls) { return refuse(refusal, connection) }
        connection.isHandshaking = false
        handshakeCount -= 1
        let version = tls.applicationProtocol.flatMap { RadiusVersions(applicationProtocol: $0) }
        census.establish(connection.client, connection.transport, version)
        switch connection.carrier {
        case .socket(let fd):
            lm_epoll_remove(handshakeEpoll, fd)
            connection.interest = 0
        case .datagrams(let port, let peer):
            if let before = port.establish(connection.handle, of: peer), let session = connections[before] { end(session, .renewed) }
        }
        connection.lastPacket = nowSeconds
        announce(connection)
        proceed(connection, tls)
    }

    /// Takes up the version of RADIUS that TLS has agreed on, one of those that its context allows; a reason when there is none, of which
    /// the peer is told (RFC 9765 §3.3.1).
    private static func agree(_ connection: StreamConnection, _ tls: TLSConversation) -> StreamRefusal? {
        let allowed = tls.context.settings.applicationProtocols
        guard let chosen = tls.applicationProtocol else {
            // A server that knows no ALPN allows 1.0 alone.
            guard !allowed.isEmpty, !RadiusVersions.v10.applicationProtocols.allSatisfy(allowed.contains) else { return nil }
            tls.write(TokenPacket.versionDemanded)
            return .versionMissing
        }
        if RadiusVersions(applicationProtocol: chosen) == .v11 { connection.tokens = ServerTokens() }
        return nil
    }

    /// Why the client of a connection may not use it; nil when it may.
    func objection(to connection: StreamConnection) -> StreamRefusal? {
        guard let row = path.snapshot.clients.rows.find(connection.source), row.pointee.id == connection.client else {
            return .clientChanged
        }
        guard connection.transport.isProtected, let identities = row.pointee.client.tlsIdentities else { return nil }
        if let name = connection.tls?.presharedKeyName {
            return identities.contains(.presharedKey(name)) ? nil : .identityMismatch(TLSIdentity.presharedKey(name).description)
        }
        guard let certificate = connection.tls?.peer else { return .identityMismatch("nobody") }
        return identities.contains { $0.isNamed(by: certificate) } ? nil : .identityMismatch(Self.names(in: certificate))
    }

    private static func names(in certificate: CertificateDescription) -> String {
        let names = certificate.names.dnsNames + certificate.names.ipAddresses
        return (names.isEmpty ? [certificate.subject] : names).prefix(4).joined(separator: ", ")
    }

    /// Ends a connection that did wrong; an alert of TLS still leaves if the socket takes it. Over datagrams nothing else tells the peer.
    mutating func refuse(_ refusal: StreamRefusal, _ connection: StreamConnection) {
        guard connections[connection.handle] != nil else { return }
        census.refuse(refusal, connection.source, connection.transport, client: connection.clientName)
        if connection.transport == .dtls { connection.tls?.close() }
        if refusal != .notReading { _ = connection.write(now: nowSeconds) }
        discard(connection)
    }

    /// Ends a connection without anybody's fault.
    mutating func end(_ connection: StreamConnection, _ reason: StreamEnd) {
        guard connections[connection.handle] != nil else { return }
        census.countClosed(connection.transport, reason)
        discard(connection)
    }

    private mutating func discard(_ connection: StreamConnection) {
        connections.remove(connection)
        if connection.isHandshaking { handshakeCount -= 1 } else { forget(connection) }
        census.leave(connection.client, connection.transport, wasHandshaking: connection.isHandshaking)
        switch connection.carrier {
        case .socket(let fd):
            _ = shutdown(fd, Int32(SHUT_WR))
            close(fd)
        case .datagrams(let port, let peer): port.forget(connection.handle, of: peer)
        }
    }

    /// Each second: deadlines, clients that changed, ports that can be listened to now, places that other threads ask for.
    mutating func sweep() {
        if isAccepting { listen() }
        for client in census.crowded(for: number) { _ = makeWay(for: client) }
        // Of the snapshot that `objection` looks into, which may be older than the one in force.
        let hasChanged = path.generation != knownGeneration
        knownGeneration = path.generation
        for connection in connections.all {
            tendReverse(connection)
            if let refusal = overdue(connection) ?? (hasChanged && !connection.isHandshaking ? objection(to: connection) : nil) {
                refuse(refusal, connection)
            } else if !connection.isHandshaking, nowSeconds &- connection.lastPacket >= UInt32(settings.idleSeconds) {
                connection.tls?.close()
                _ = connection.write(now: nowSeconds)
                end(connection, .idle)
            } else if connection.isHandshaking, connection.transport == .dtls {
                repeatFlight(connection)
            }
        }
    }

    private func overdue(_ connection: StreamConnection) -> StreamRefusal? {
        if connection.isHandshaking {
            return nowSeconds &- connection.began >= UInt32(settings.handshakeSeconds) ? .handshakeTimeout : nil
        }
        if let began = connection.packetBegan, nowSeconds &- began >= UInt32(settings.packetSeconds) { return .packetTimeout }
        let isStalled = connection.outputCount > 0 && nowSeconds &- connection.lastTaken >= UInt32(settings.stallSeconds)
        return isStalled ? .notReading : nil
    }

    mutating func listen() {
        for (position, listener) in listeners.enumerated() where !isListening[position] {
            if listener.transport == .tls, certificates?.current == nil { continue }
            guard listener.listen() else { continue }
            isListening[position] = lm_epoll_set(epoll, listener.fd, Key.firstListener + UInt64(position), LM_READABLE) == 0
        }
    }

    /// A peer that connects now is told at once that nobody is here.
    mutating func stopListening() {
        isAccepting = false
        for position in listeners.indices {
            if isListening[position] { lm_epoll_remove(epoll, listeners[position].fd) }
            isListening[position] = false
            close(listeners[position].fd)
        }
    }
}
