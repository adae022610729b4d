internal import CLinux
internal import Glibc

/// A connection over DTLS: a socket of its own that knows its server, a packet in each record, a record in each datagram.
extension StreamClient {
    /// The kernel's buffer for what comes: replies to as many requests as may wait.
    static let datagramBufferOctets: Int32 = 1 << 20
    /// How often a handshake looks whether a flight is due.
    static let flightMilliseconds: Int32 = 100
    /// Datagrams that are taken in one turn.
    private static let arrivals = 32

    /// Begins the handshake: to connect a datagram's socket asks nobody.
    func shakeHands() {
        guard let tls else { return }
        status = .handshaking
        tls.start()
        settle(tls)
    }

    /// Sends the last flight of the handshake again when its time has come.
    func repeatFlight() {
        guard isDatagram, status == .handshaking, let tls else { return }
        tls.repeatFlight()
        settle(tls)
    }

    /// Takes what has come.
    ///
    /// - Returns: the packets of it.
    func receiveDatagrams() -> [[UInt8]] {
        var found: [[UInt8]] = []
        var octets = [UInt8](repeating: 0, count: DTLSPort.arrivalOctets + 1)
        for _ in 0..<Self.arrivals where wantsToRead {
            let count = lm_stream_receive(fd, &octets, octets.count)
            if count == -Int(EAGAIN) { break }
            if count < 0 {
                isUnreachable(Int32(-count))
            } else if count == 0 || count == octets.count {
                losses.passedOver += 1
            } else {
                take(octets.span.extracting(0..<count), &found)
            }
        }
        return found
    }

    /// Sends the handshake's flights, and each packet in a datagram of its own. What the system does not take is lost, as on the way.
    func writeDatagrams(_ now: UInt32) {
        while status == .handshaking || status == .open {
            if wire.isEmpty { refillDatagram() }
            guard !wire.isEmpty else {
                taken = now
                return
            }
            let count = sendDatagram()
            if count == -Int(EAGAIN) { return }
            wire.removeFirst(wire.count)
            taken = now
            guard count < 0 else { continue }
            losses.unsent += 1
            isUnreachable(Int32(-count))
        }
    }

    private func sendDatagram() -> Int {
        let count = wire.withOctets { lm_stream_send(fd, $0.baseAddress, $0.count) }
        // The error is of the datagram before, and this one was not sent.
        guard count == -Int(ECONNREFUSED), status == .open else { return count }
        return wire.withOctets { lm_stream_send(fd, $0.baseAddress, $0.count) }
    }

    /// The system says that the server cannot be reached. That ends an attempt; a connection stays, since anybody can send the message that
    /// the system has it from (RFC 8085 §5.2), and the owner notices silence.
    private func isUnreachable(_ error: Int32) {
        if status == .handshaking, error != EMSGSIZE { end(.system(error)) }
    }

    private func refillDatagram() {
        guard let tls else { return }
        if tls.outputCount == 0, status == .open, !packets.isEmpty {
            let length = packets.withOctets { Int($0[2]) << 8 | Int($0[3]) }
            if !tls.write(packets.take(limit: length)) { return settle(tls) }
        }
        wire.append(
            [UInt8](unsafeUninitializedCapacity: DTLSPort.departureOctets) { buffer, filled in filled = tls.takeDatagram(into: buffer) })
        settle(tls)
    }

    private func take(_ datagram: Span<UInt8>, _ found: inout [[UInt8]]) {
        guard let tls else { return }
        let wasOpen = status == .open
        let before = tls.outputCount
        tls.receive(datagram)
        var isUseful = tls.outputCount != before
        while let record = record(of: tls) {
            isUseful = true
            guard let packet = packet(in: record) else { return }
            found.append(packet)
        }
        settle(tls)
        if wasOpen, status == .open, !isUseful { losses.passedOver += 1 }
    }

    private func record(of tls: TLSConversation) -> [UInt8]? {
        var count: Int?
        let octets = [UInt8](unsafeUninitializedCapacity: 16_384) { buffer, filled in
            count = buffer.baseAddress.flatMap { tls.readRecord(into: $0, capacity: buffer.count) }
            filled = count ?? 0
        }
        return count == nil ? nil : octets
    }

    /// The packet of a record, without what follows its Length (RFC 7360 §2.2.1). One that is none ends the connection (§5.2).
    private func packet(in record: [UInt8]) -> [UInt8]? {
        let length = record.count >= PacketHeader.count ? Int(record[2]) << 8 | Int(record[3]) : record.count
        guard length >= PacketHeader.count, length <= PacketHeader.maximumLength else { return refuse(.badLength(length)) }
        guard length <= record.count else { return refuse(.cutPacket(record.count)) }
        return Array(record[..<length])
    }

    private func refuse(_ ending: Ending) -> [UInt8]? {
        if let tls {
            tls.close()
            sendLast(tls)
        }
        end(ending)
        return nil
    }
}
