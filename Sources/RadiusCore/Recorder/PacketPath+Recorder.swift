import CLinux

/// What an answer leaves for the flight recorder besides its octets.
struct FlightNote: BitwiseCopyable {
    var reason = FlightHeader.noReason
    var method: UInt8 = 0
    var outcome = FlightOutcome.answered
    var subscriber: Int64 = 0
}

extension PacketBatch {
    /// Says what the reply that was written last is an answer to; the packet must stay until `recordTransactions`. Not of a Status-Server:
    /// one every few seconds from each NAS would displace what people look for.
    @inline(__always)
    func bind(_ work: UnsafePointer<PacketWork>) {
        guard work.pointee.kind != .status else { return }
        let last = replies + (replyCount &- 1)
        last.pointee.request = UnsafePointer(work.pointee.packet)
        last.pointee.requestCount = work.pointee.attributes.count
    }

    /// Says what the reply that was written last came to.
    @inline(__always)
    func annotate(_ note: FlightNote) { replies[replyCount &- 1].note = note }
}

/// Copying transactions into the flight recorder: once a reply is signed, and before it may be taken out of its slot.
extension PacketPath {
    /// Copies all replies of the batch with their requests.
    mutating func recordTransactions() {
        guard let flight else { return }
        var header = FlightHeader()
        header.atMicroseconds = nowMicroseconds &- awayMicroseconds
        header.durationMicroseconds = UInt32(clamping: awayMicroseconds &+ elapsedMicroseconds)
        header.wasParked = awayMicroseconds > 0
        header.isStream = isStream
        for position in 0..<batch.replyCount { Self.record(batch.replies + position, header, flight) }
    }

    /// Counts what the answers of the batch took.
    mutating func countLatency(_ path: LatencyCells.Path) {
        let inBatch = (lm_monotonic_nanoseconds() &- nowNanoseconds) / 1000
        counters.latency.add(path, microseconds: inBatch &+ UInt64(clamping: awayMicroseconds), answers: batch.replyCount)
    }

    @inline(__always)
    private static func record(_ entry: UnsafePointer<UnsignedReply>, _ common: FlightHeader, _ flight: FlightLane) {
        guard let request = entry.pointee.request else { return }
        var header = common
        let note = entry.pointee.note
        header.tenant = entry.pointee.client.pointee.tenant
        header.nas = entry.pointee.client.pointee.id
        header.subscriber = note.subscriber
        header.reason = note.reason
        header.method = note.method
        header.outcome = note.outcome
        switch entry.pointee.disposition {
        case .delay: header.isDelayed = true
        case .drop: header.outcome = .unstored
        case .send, .journal, .holdUntilDurable, .parked: break
        }
        header.peer = address(of: entry.pointee.reply)
        header.peerPort = entry.pointee.reply.pointee.peer.port
        let ring = request[0] == PacketCode.accountingRequest.rawValue ? flight.accounting : flight.access
        ring.push(
            header, request: request, entry.pointee.requestCount, reply: entry.pointee.reply.pointee.bytes,
            Int(entry.pointee.reply.pointee.count))
    }

    /// Copies a request that is dropped.
    @inline(never)
    mutating func recordDrop(_ reason: DecodeError, _ client: UnsafePointer<ClientRow>, _ datagram: UnsafePointer<lm_datagram>) {
        guard let flight, let bytes = datagram.pointee.bytes else { return }
        var header = unanswered(client, datagram)
        header.outcome = .dropped
        header.drop = reason.rawValue
        // Behind the packet stands the secret while a digest is computed.
        var count = Int(datagram.pointee.count)
        if count >= PacketHeader.count {
            let length = Int(bytes[2]) << 8 | Int(bytes[3])
            if length >= PacketHeader.count { count = min(count, length) }
        }
        flight.drops.push(header, request: bytes, count, reply: nil, 0)
    }

    /// Copies a request that waited so long that it is not answered.
    func recordExpiry(_ parked: ParkedRequest) {
        guard let flight else { return }
        withUnsafePointer(to: parked.datagram) { datagram in
            guard let client = client(of: datagram, parked.octets, parked.count) else { return }
            var header = unanswered(client, datagram)
            header.atMicroseconds &-= away(parked)
            header.durationMicroseconds = UInt32(clamping: away(parked))
            header.outcome = .expired
            header.wasParked = true
            flight.drops.push(header, request: parked.octets, parked.count, reply: nil, 0)
        }
    }

    /// Copies a log-in that is not answered, for `reason`.
    func recordSilence(_ reason: AccessReason, _ attempt: Attempt) {
        guard let flight else { return }
        var header = unanswered(attempt.client, attempt.work.pointee.datagram)
        header.atMicroseconds &-= awayMicroseconds
        header.durationMicroseconds = UInt32(clamping: awayMicroseconds)
        header.outcome = .expired
        header.reason = reason.rawValue
        header.method = attempt.credentials.method.rawValue
        header.subscriber = attempt.subscriber?.id ?? 0
        header.wasParked = awayMicroseconds > 0
        flight.drops.push(header, request: attempt.work.pointee.packet, attempt.work.pointee.attributes.count, reply: nil, 0)
    }

    /// How long a request waited elsewhere, in microseconds.
    func away(_ parked: ParkedRequest) -> Int64 {
        Int64(truncatingIfNeeded: (max(nowNanoseconds, parked.parkedNanoseconds) &- parked.parkedNanoseconds) / 1000)
    }

    private func unanswered(_ client: UnsafePointer<ClientRow>, _ datagram: UnsafePointer<lm_datagram>) -> FlightHeader {
        var header = FlightHeader()
        header.atMicroseconds = nowMicroseconds
        header.tenant = client.pointee.tenant
        header.nas = client.pointee.id
        header.peer = Self.address(of: datagram)
        header.peerPort = datagram.pointee.peer.port
        header.isStream = isStream
        return header
    }
}
