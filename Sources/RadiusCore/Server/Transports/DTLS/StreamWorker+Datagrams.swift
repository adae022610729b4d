import CLinux

/// Datagrams of DTLS to packets: whose they are, what is kept for whom, and when.
extension StreamWorker {
    /// Takes what has come to the port. Data is read at once; what belongs to a handshake waits for its turn.
    mutating func receiveDatagrams() {
        guard let datagrams else { return }
        let arrived = datagrams.receive()
        for position in arrived.indices {
            guard let datagram = arrived.baseAddress.map({ $0 + position }) else { return }
            receive(datagram, at: datagrams)
        }
    }

    private mutating func receive(_ datagram: UnsafePointer<lm_datagram>, at port: DTLSPort) {
        census.countReceived(Int(datagram.pointee.count), .dtls)
        guard datagram.pointee.truncated == 0 else { return census.datagrams.add(.tooLong) }
        let peer = DTLSPeer(datagram)
        guard let client = path.snapshot.clients.rows.find(peer.address) else {
            environment.unknownClients.note(peer.address)
            return census.datagrams.add(.unknownClient)
        }
        let octets = Span(_unsafeStart: UnsafePointer(datagram.pointee.bytes), count: Int(datagram.pointee.count))
        if DTLSClientHello.begins(octets) { return greet(datagram, octets, peer, client, at: port) }
        let sessions = port[peer]
        let established = connection(of: sessions.established)
        // Under keys it may be of the session as well as of the attempt that shall take its place; whose it is not cannot read it.
        if let established, sessions.handshaking == nil || DTLSClientHello.isProtected(octets) {
            if receive(octets, of: established) { return }
        }
        guard let handshaking = connection(of: sessions.handshaking) else {
            return census.datagrams.add(established == nil ? .noSession : .noRecord)
        }
        if !port.wait(octets, of: handshaking) { census.datagrams.add(.handshakesFull) }
    }

    private func connection(of session: DTLSPort.Session?) -> StreamConnection? {
        guard let session else { return nil }
        return connections[session.handle]
    }

    /// Meets a ClientHello. Until its sender has shown by a cookie that it is where it says, nothing is kept of it (RFC 6347 §4.2.1); a
    /// session that its sender has already goes on until the new one is there.
    private mutating func greet(
        _ datagram: UnsafePointer<lm_datagram>, _ octets: Span<UInt8>, _ peer: DTLSPeer, _ client: UnsafePointer<ClientRow>,
        at port: DTLSPort
    ) {
        guard isAccepting, certificates?.currentForDatagrams != nil else { return census.datagrams.add(.notServing) }
        guard let hello = DTLSClientHello(octets) else { return census.datagrams.add(.malformedHello) }
        let sessions = port[peer]
        guard sessions.handshaking?.random != hello.random, sessions.established?.random != hello.random else {
            return census.datagrams.add(.repeatedHello)
        }
        guard port.accepts(hello, from: peer, nowSeconds: nowSeconds) else {
            census.datagrams.addAsked()
            return census.countSent(port.ask(hello, of: peer, at: datagram.pointee.peer, nowSeconds: nowSeconds), .dtls)
        }
        guard port.canWait else { return census.datagrams.add(.handshakesFull) }
        census.countAccepted(.dtls)
        if let attempt = connection(of: sessions.handshaking) { end(attempt, .renewed) }
        guard let connection = begin(.datagrams(port, peer), port.listener, datagram.pointee.peer, client) else { return }
        port[peer].handshaking = DTLSPort.Session(handle: connection.handle, random: hello.random)
        _ = port.wait(octets, of: connection)
    }

    /// Goes on with handshakes, one datagram after the other, for a bounded time.
    mutating func serveHandshakeDatagrams() {
        guard let datagrams else { return }
        let end = lm_monotonic_nanoseconds() + StreamSettings.handshakeNanoseconds
        while let (handle, octets) = datagrams.takeWaiting() {
            if let connection = connections[handle] {
                connection.waitingDatagrams -= 1
                shakeHands(connection, octets)
            } else {
                census.datagrams.add(.noSession)
            }
            if lm_monotonic_nanoseconds() >= end { return }
        }
    }

    private mutating func shakeHands(_ connection: StreamConnection, _ octets: [UInt8]) {
        guard connection.isHandshaking, let tls = connection.tls else {
            if !receive(octets.span, of: connection) { census.datagrams.add(.noRecord) }
            return
        }
        connections.mark(connection)
        tls.receive(octets.span)
        goOn(connection, tls)
    }

    /// Reads a datagram of an established connection.
    ///
    /// - Returns: whether anything came of it.
    private mutating func receive(_ octets: Span<UInt8>, of connection: StreamConnection) -> Bool {
        guard let tls = connection.tls else { return false }
        let before = connection.records
        tls.receive(octets)
        proceed(connection, tls)
        // The end of the session, or a repetition of what the peer missed, is something, too.
        return connection.records != before || connections[connection.handle] == nil || connection.isDirty
    }

    /// Adds what the records hold to the batches, a packet each. What follows a packet's Length is padding (RFC 7360 §2.2.1).
    mutating func gatherRecords(_ connection: StreamConnection, _ tls: TLSConversation) {
        while let count = tls.readRecord(into: scratch, capacity: StreamSettings.turnOctets) {
            connection.records &+= 1
            let length = min(count, PacketHeader.maximumLength)
            let record = scratch
            if connection.reverse != nil, takeAnswer(connection, Span(_unsafeStart: UnsafePointer(record), count: length)) { continue }
            add(connection, code: record[0]) { place in
                place.update(from: record, count: length)
                return length
            }
            // Serving a full batch may have ended it.
            guard connections[connection.handle] != nil else { return }
        }
    }

    /// Sends the last flight of a handshake again when its time has come.
    mutating func repeatFlight(_ connection: StreamConnection) {
        guard let tls = connection.tls else { return }
        tls.repeatFlight()
        if tls.outputCount > 0 { connections.mark(connection) }
        if case .failed(let failure) = tls.state { refuse(.tls(failure), connection) }
    }
}
