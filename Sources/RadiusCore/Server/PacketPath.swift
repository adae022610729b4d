import CLinux
import Glibc
import Synchronization

/// Which port a packet came to.
enum Service: UInt8 {
    case authentication, accounting
}

/// What becomes of one datagram.
enum Disposition {
    case drop
    /// The reply in the slot leaves with this batch.
    case send
    /// The reply in the slot leaves once the journal is durable up to this sequence.
    case holdUntilDurable(UInt64)
    /// The reply in the slot leaves after the reject delay.
    case delay
    /// The request waits for a slow check.
    case parked
}

/// One worker's way from datagram to reply: client, attributes, duplicate check, handler, signature.
///
/// Owns everything it touches; waits, locks and logs nowhere. Confined to its worker's thread.
struct PacketPath: ~Copyable {
    let environment: ServerEnvironment
    let counters: WorkerCounters
    let events: AuthEventRing
    let completions: ParkedCompletions
    private var generation: UInt64
    var snapshot: Snapshot
    var index = AttributeIndex()
    var cache: ReplyCache
    var salt: UInt16
    var authenticationShare = FairShare()
    var accountingShare = FairShare()
    var nowNanoseconds: UInt64 = 0
    var nowSeconds: UInt32 = 0
    var nowMicroseconds: Int64 = 0

    init(environment: ServerEnvironment, counters: WorkerCounters, events: AuthEventRing, completions: ParkedCompletions) {
        self.environment = environment
        self.counters = counters
        self.events = events
        self.completions = completions
        generation = environment.store.generation.load(ordering: .acquiring)
        snapshot = environment.store.snapshot
        cache = ReplyCache(memoryOctets: environment.settings.replyCacheOctets)
        salt = UInt16.random(in: 0...UInt16.max)
    }

    /// Once a batch: reads the clock and takes up a new snapshot.
    mutating func beginBatch() {
        nowNanoseconds = lm_monotonic_nanoseconds()
        nowSeconds = UInt32(truncatingIfNeeded: nowNanoseconds / 1_000_000_000)
        nowMicroseconds = Int64(truncatingIfNeeded: lm_realtime_nanoseconds() / 1000)
        let current = environment.store.generation.load(ordering: .relaxed)
        if current != generation {
            generation = environment.store.generation.load(ordering: .acquiring)
            snapshot = environment.store.snapshot
        }
    }

    /// Handles one datagram; a reply is written to `reply.bytes` (4096 octets) and `reply.count`.
    mutating func handle(
        _ datagram: lm_datagram, on service: Service, reply: inout lm_datagram, token: inout ReplyToken
    ) -> Disposition {
        guard datagram.truncated == 0 else {
            counters.add(.truncatedDatagrams)
            return .drop
        }
        let source = Self.address(of: datagram)
        guard let client = snapshot.clients.find(source) else {
            counters.add(.unknownClients)
            environment.unknownClients.note(source)
            return .drop
        }
        guard admits(client, datagram, on: service) else { return .drop }
        do {
            let arrived = Span(_unsafeStart: datagram.bytes, count: Int(datagram.count))
            let packet = arrived.extracting(0..<(try PacketHeader.length(of: arrived)))
            try index.fill(from: packet)
            return try dispatch(packet, datagram, from: client, on: service, reply: &reply, token: &token)
        } catch {
            counters.add(error)
            client.observation.drops.add(1, ordering: .relaxed)
            return .drop
        }
    }

    private mutating func dispatch(
        _ packet: Span<UInt8>, _ datagram: lm_datagram, from client: NASClient, on service: Service, reply: inout lm_datagram,
        token: inout ReplyToken
    ) throws(DecodeError) -> Disposition {
        let code = PacketCode(rawValue: packet[0])
        switch (service, code) {
        case (.authentication, .accessRequest):
            try verifyAccess(packet, from: client)
        case (.accounting, .accountingRequest):
            try verifyAccounting(packet, from: client)
        case (_, .statusServer):
            try verifyStatus(packet, from: client)
            counters.add(.statusRequests)
            return status(packet, from: client, on: service, reply: &reply)
        default:
            throw .unsupportedCode
        }
        client.observation.lastSeenSeconds.store(nowMicroseconds / 1_000_000, ordering: .relaxed)
        switch cache.admit(Self.key(of: packet, datagram), nowSeconds: nowSeconds, reply: reply.bytes) {
        case .inWork:
            counters.add(.duplicatesInWork)
            return .drop
        case .answered(let count):
            counters.add(.duplicates)
            reply.count = UInt32(count)
            return .send
        case .fresh(let fresh):
            token = fresh
        }
        if service == .accounting { return try account(packet, datagram, from: client, reply: &reply, token: token) }
        return access(packet, datagram, from: client, reply: &reply, token: token, slow: nil)
    }

    /// Answers a Status-Server (RFC 5997 §3): Access-Accept or Accounting-Response, by port, signed.
    private func status(_ packet: Span<UInt8>, from client: NASClient, on service: Service, reply: inout lm_datagram) -> Disposition {
        var writer = PacketWriter(
            Self.memory(of: reply), code: service == .accounting ? .accountingResponse : .accessAccept, identifier: packet[1])
        writer.reserveMessageAuthenticator()
        finish(writer, answering: packet, from: client, reply: &reply)
        return .send
    }

    /// Copies each Proxy-State of the request, in order (RFC 2865 §5.33).
    @_lifetime(writer: copy writer)
    func echoProxyState(_ packet: Span<UInt8>, _ writer: inout PacketWriter) {
        var next = 0
        while let position = index.position(of: AttributeNumber.proxyState, from: next) {
            writer.append(AttributeNumber.proxyState, packet.extracting(index[position].range))
            next = position + 1
        }
    }

    /// Completes and signs the packet that `writer` holds.
    func finish(_ writer: consuming PacketWriter, answering packet: Span<UInt8>, from client: NASClient, reply: inout lm_datagram) {
        let finished = writer.finish()
        var bytes = MutableSpan(_unsafeStart: reply.bytes, count: finished.count)
        let authenticator = Self.authenticator(of: packet)
        if let offset = finished.messageAuthenticatorOffset {
            MessageAuthenticator.sign(&bytes, attributeOffset: offset, authenticator: authenticator, secret: client.secret)
        }
        ResponseAuthenticator.sign(&bytes, requestAuthenticator: authenticator, secret: client.secret)
        reply.count = UInt32(finished.count)
    }

    @_lifetime(immortal)
    static func memory(of slot: lm_datagram) -> MutableSpan<UInt8> {
        // The arena's octets live as long as the worker, which outlives every packet.
        let span = MutableSpan<UInt8>(_unsafeStart: slot.bytes, count: Int(slot.capacity))
        return _overrideLifetime(span, copying: ())
    }

    static func authenticator(of packet: Span<UInt8>) -> Digest16 {
        Digest16 { packet[4 + $0] }
    }

    static func address(of datagram: lm_datagram) -> IPAddress {
        withUnsafeBytes(of: datagram.peer.octets) { IPAddress(octets: $0) }
    }

    private static func key(of packet: Span<UInt8>, _ datagram: lm_datagram) -> ReplyCache.Key {
        var high: UInt64 = 0
        var low: UInt64 = 0
        for offset in 0..<8 {
            high = high << 8 | UInt64(packet[4 + offset])
            low = low << 8 | UInt64(packet[12 + offset])
        }
        return ReplyCache.Key(
            address: address(of: datagram), port: datagram.peer.port, identifier: packet[1], code: packet[0],
            authenticatorHigh: high, authenticatorLow: low)
    }
}
