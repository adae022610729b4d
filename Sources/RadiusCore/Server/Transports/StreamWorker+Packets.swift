import CLinux
import Glibc

/// Octets to packets to replies to octets.
extension StreamWorker {
    /// Reads what an established connection brought.
    mutating func receive(_ connection: StreamConnection) {
        // Nothing is watched of it but its end.
        guard !connection.isPaused else { return end(connection, .peer) }
        let count = lm_stream_receive(connection.fd, scratch, StreamSettings.turnOctets)
        if count == -Int(EAGAIN) { return }
        guard count >= 0 else { return end(connection, .error) }
        guard count > 0 else { return end(connection, .peer) }
        census.countReceived(count, connection.transport)
        let octets = Span(_unsafeStart: UnsafePointer(scratch), count: count)
        guard let tls = connection.tls else {
            connection.framer.append(octets)
            return gather(connection)
        }
        tls.receive(octets)
        proceed(connection, tls)
    }

    /// Goes on with what TLS has made of the octets that it was given.
    mutating func proceed(_ connection: StreamConnection, _ tls: TLSConversation) {
        if connection.transport == .dtls {
            gatherRecords(connection, tls)
        } else {
            let clear = tls.read()
            connection.framer.append(clear.span)
            gather(connection)
        }
        guard connections[connection.handle] != nil else { return }
        switch tls.state {
        case .failed(let failure): refuse(.tls(failure), connection)
        case .closed: sayGoodbye(connection, tls)
        case .handshaking, .established:
            if tls.outputCount > 0 { connections.mark(connection) }
        }
    }

    /// Ends the connection of a peer that has said goodbye. What it asked before is answered first: nothing can follow our own goodbye.
    private mutating func sayGoodbye(_ connection: StreamConnection, _ tls: TLSConversation) {
        finishBatches()
        connections.mark(connection)
        writeAll()
        guard connections[connection.handle] != nil else { return }
        tls.close()
        _ = connection.write(now: nowSeconds)
        end(connection, .peer)
    }

    /// Moves complete packets into the batches, until the peer has so many replies to read that it must read first.
    mutating func gather(_ connection: StreamConnection) {
        do throws(StreamFramer.BadLength) {
            while connection.outputCount <= StreamSettings.outputPause, let length = try connection.framer.next() {
                if connection.reverse != nil, takeAnswer(length, of: connection) { continue }
                if connection.tokens == nil {
                    add(connection, code: connection.framer.code) { place in
                        connection.framer.take(length, into: place)
                        return length
                    }
                } else {
                    translate(length, of: connection)
                }
                // Serving a full batch may have ended it.
                guard connections[connection.handle] != nil else { return }
            }
        } catch {
            return refuse(.badLength(error.length), connection)
        }
        if connection.outputCount > StreamSettings.outputPause { connection.isPaused = true }
        if connection.hasPartialPacket, !connection.isPaused {
            if connection.packetBegan == nil { connection.packetBegan = nowSeconds }
        } else {
            connection.packetBegan = nil
        }
        watch(connection)
    }

    /// Takes the next packet out when it answers a request of ours; whether it did.
    private mutating func takeAnswer(_ length: Int, of connection: StreamConnection) -> Bool {
        guard let code = connection.framer.code, PacketCode(rawValue: code).answersDynamicAuthorization else { return false }
        connection.framer.take(length, into: scratch)
        return takeAnswer(connection, Span(_unsafeStart: UnsafePointer(scratch), count: length))
    }

    /// Adds a packet of RADIUS/1.1 as the packet path knows it. One that cannot be had so ends the connection where its peer breaks the
    /// rules, and is answered with a Protocol-Error else.
    private mutating func translate(_ length: Int, of connection: StreamConnection) {
        connection.framer.take(length, into: scratch)
        let packet = Span(_unsafeStart: UnsafePointer(scratch), count: length)
        do throws(DecodeError) {
            guard let (octets, mark) = try connection.tokens?.request(packet, connections.dictionary) else { return }
            add(connection, code: octets[0], mark) { place in
                place.update(from: octets, count: octets.count)
                return octets.count
            }
        } catch {
            path.dropUntranslated(error, of: connection.source)
            if error.endsConnection { return refuse(.badPacket(error), connection) }
            path.noteUnserved(packet, token: TokenPacket.token(of: packet), on: connection.handle, error.errorCause)
            answerUnserved()
        }
    }

    /// Tells peers that speak RADIUS/1.1 which of their requests are not processed, and why (RFC 9765 §6.1).
    mutating func answerUnserved() {
        guard !path.unserved.isEmpty else { return }
        let unserved = path.unserved
        path.unserved.removeAll()
        for request in unserved {
            guard let connection = connections[request.connection] else { continue }
            connection.reply(TokenPacket.protocolError(token: request.token, request.cause, proxyStates: request.proxyStates))
            connections.mark(connection)
            counters.add(.protocolErrors)
        }
    }

    /// Adds a packet to its batch; `take` moves it to its place and says how many octets it has.
    mutating func add(
        _ connection: StreamConnection, code: UInt8?, _ mark: RequestMark? = nil, _ take: (UnsafeMutablePointer<UInt8>) -> Int
    ) {
        let isAccounting = connection.service.map { $0 == .accounting } ?? (code == PacketCode.accountingRequest.rawValue)
        if isAccounting {
            if accountingRequests.isFull { serve(.accounting) }
            Self.fill(accountingRequests.slots + accountingRequests.count, connection, mark, take)
            accountingRequests.count += 1
        } else {
            if authenticationRequests.isFull { serve(.authentication) }
            Self.fill(authenticationRequests.slots + authenticationRequests.count, connection, mark, take)
            authenticationRequests.count += 1
        }
        connection.lastPacket = nowSeconds
        connection.packetBegan = nil
    }

    private static func fill(
        _ slot: UnsafeMutablePointer<lm_datagram>, _ connection: StreamConnection, _ mark: RequestMark?,
        _ take: (UnsafeMutablePointer<UInt8>) -> Int
    ) {
        slot.pointee.count = UInt32(truncatingIfNeeded: take(slot.pointee.bytes))
        slot.pointee.truncated = 0
        slot.pointee.peer = connection.peer
        StreamOrigin(connection: connection.handle, transport: connection.transport, mark: mark).write(to: slot)
    }

    /// Serves what the batches hold, and ends the connections whose packets are at fault.
    mutating func finishBatches() {
        if authenticationRequests.count > 0 { serve(.authentication) }
        if accountingRequests.count > 0 { serve(.accounting) }
    }

    private mutating func serve(_ service: Service) {
        if service == .accounting {
            let batch = UnsafeBufferPointer(start: UnsafePointer(accountingRequests.slots), count: accountingRequests.count)
            path.serve(batch, on: .accounting, to: &accounting)
            accounting.flush()
            accountingRequests.count = 0
        } else {
            let batch = UnsafeBufferPointer(start: UnsafePointer(authenticationRequests.slots), count: authenticationRequests.count)
            path.serve(batch, on: .authentication, to: &authentication)
            authentication.flush()
            authenticationRequests.count = 0
        }
        answerUnserved()
        guard !path.faults.isEmpty else { return }
        let faults = path.faults
        path.faults.removeAll()
        for fault in faults {
            if let connection = connections[fault.connection] { refuse(.badPacket(fault.reason), connection) }
        }
    }

    /// Writes to all connections that have something to write.
    mutating func writeAll() {
        for connection in connections.takeDirty() where connections[connection.handle] != nil { write(connection) }
        datagrams?.flush()
    }

    private mutating func write(_ connection: StreamConnection) {
        let (outcome, octets) = connection.write(now: nowSeconds)
        census.countSent(octets, connection.transport)
        if case .failed = outcome { return end(connection, .error) }
        if case .failed(let failure)? = connection.tls?.state { return refuse(.tls(failure), connection) }
        guard connection.outputCount <= StreamSettings.outputLimit else { return refuse(.notReading, connection) }
        if connection.isPaused, connection.outputCount <= StreamSettings.outputResume {
            connection.isPaused = false
            // What was read before the pause comes first; its replies leave in the next turn at the latest.
            gather(connection)
            finishBatches()
            guard connections[connection.handle] != nil else { return }
        }
        watch(connection)
    }

    /// Watches a connection for what can be done with it now.
    func watch(_ connection: StreamConnection) {
        guard case .socket(let fd) = connection.carrier else { return }
        if connection.outputCount > StreamSettings.outputPause { connection.isPaused = true }
        let interest = (connection.isPaused ? 0 : LM_READABLE) | (connection.outputCount > 0 || connection.isDirty ? LM_WRITABLE : 0)
        guard interest != connection.interest else { return }
        connection.interest = interest
        _ = lm_epoll_set(
            connection.isHandshaking ? handshakeEpoll : epoll, fd, connection.handle.number, interest)
    }
}
