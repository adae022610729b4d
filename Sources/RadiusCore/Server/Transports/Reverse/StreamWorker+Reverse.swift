import CLinux

/// Requests of ours to NAS over the connections that these have opened.
extension StreamWorker {
    /// Makes a connection, whose peer TLS has proven, known to those who have something to say to its NAS.
    func announce(_ connection: StreamConnection) {
        let known = ReverseCoA.Connection(
            transport: connection.transport, source: connection.source, worker: number, handle: connection.handle)
        reverse.add(known, of: connection.client)
    }

    /// What waited on a connection that is gone waits no more.
    func forget(_ connection: StreamConnection) {
        reverse.remove(connection.handle, of: connection.client, worker: number)
        for request in connection.reverse?.endAll() ?? [] { reverse.finish(request, .refused(.connectionLost)) }
    }

    /// Sends what was handed to this thread.
    func sendReverse() {
        for request in reverse.collect(number) {
            do throws(CoARefusal) { try send(request) } catch { reverse.finish(request, .refused(error)) }
        }
    }

    private func send(_ request: ReverseRequest) throws(CoARefusal) {
        guard let connection = connections[request.connection] else { throw .notConnected }
        // A peer that does not read what it has gets no more.
        guard connection.outputCount <= StreamSettings.outputPause else { throw .connectionFull }
        if connection.reverse == nil { connection.reverse = begin(on: connection) }
        let seconds = UInt32(truncatingIfNeeded: lm_realtime_nanoseconds() / 1_000_000_000)
        let begun = try connection.reverse?.begin(request, connections.dictionary, at: lm_monotonic_nanoseconds(), timestamp: seconds)
        guard let octets = begun else { throw .notConnected }
        connection.reply(octets)
        connections.mark(connection)
        reverse.count { $0.sent += 1 }
    }

    private func begin(on connection: StreamConnection) -> ReverseExchanges {
        let timing = connection.transport == .dtls ? reverse.timing.datagrams : reverse.timing.streams
        return ReverseExchanges(timing: timing, tokens: connection.tokens == nil ? nil : ClientTokens(secret: .ofTLS))
    }

    /// Takes a packet for an answer to a request of ours, if its Code says so.
    ///
    /// - Parameters:
    ///   - connection: that brought it, and has had requests.
    ///   - packet: of at least 20 octets where the connection is a stream.
    /// - Returns: whether it was one; then it goes no further.
    mutating func takeAnswer(_ connection: StreamConnection, _ packet: Span<UInt8>) -> Bool {
        guard connection.reverse != nil, !packet.isEmpty, PacketCode(rawValue: packet[0]).answersDynamicAuthorization else { return false }
        connection.lastPacket = nowSeconds
        connection.packetBegan = nil
        guard let length = try? PacketHeader.length(of: packet) else {
            reverse.count { $0.malformed += 1 }
            return true
        }
        switch connection.reverse?.take(packet.extracting(0..<length), connections.dictionary, index: &answerIndex) {
        case .outcome(let request, let outcome): reverse.finish(request, outcome)
        case .rejected(let rejection): reverse.count { $0.add(rejection) }
        case .unmatched, nil: reverse.count { $0.unmatched += 1 }
        }
        return true
    }

    /// Each second: what is sent again, and what is given up.
    func tendReverse(_ connection: StreamConnection) {
        guard connection.reverse?.isEmpty == false, let due = connection.reverse?.tick(at: lm_monotonic_nanoseconds()) else { return }
        for packet in due.again {
            connection.reply(packet)
            connections.mark(connection)
            reverse.count { $0.resent += 1 }
        }
        for (request, attempts) in due.silent { reverse.finish(request, .timeout(attempts: attempts)) }
    }
}
