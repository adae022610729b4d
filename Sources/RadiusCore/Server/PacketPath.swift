import CLinux
import Glibc
import Synchronization

/// Which port a packet came to.
enum Service: UInt8 {
    case authentication, accounting
}

/// What becomes of one datagram.
enum Disposition: BitwiseCopyable {
    case drop
    /// The reply in the slot leaves with this batch.
    case send
    /// The reply in the slot waits for `journalRecords`.
    case journal
    /// The reply in the slot leaves once the journal is durable up to this sequence.
    case holdUntilDurable(UInt64)
    /// The reply in the slot leaves after the reject delay.
    case delay
    /// The request waits for a slow check, or its EAP conversation.
    case parked
}

/// One worker's way from datagrams to replies, a batch at a time: client, attributes and signature of all, then duplicate check and
/// handler of one after the other, then the signatures of all replies.
///
/// Owns everything it touches; waits, locks and logs nowhere. Confined to its worker's thread.
struct PacketPath: ~Copyable {
    let environment: ServerEnvironment
    let counters: WorkerCounters
    let events: AuthEventRing
    let completions: ParkedCompletions
    /// Where transactions are recorded; nil where the recorder is off.
    let flight: FlightLane?
    /// Requests come on connections, which `StreamOrigin` names in their slots.
    let isStream: Bool
    /// Packets for which a connection must not go on; for the worker to take.
    var faults: [StreamFault] = []
    /// Requests over RADIUS/1.1 that are not processed; for the worker to take.
    var unserved: [UnservedRequest] = []
    /// Of `snapshot`.
    private(set) var generation: UInt64
    /// Keeps alive what the rows, records and templates of a batch point to.
    private(set) var snapshot: Snapshot
    private let places = AttributePlaces()
    var batch = PacketBatch()
    var tally = ClientTally()
    var cache: ReplyCache
    var salt: UInt16
    /// Where policy rules run.
    var rules = PolicyScratch()
    var authenticationShare = FairShare()
    var accountingShare = FairShare()
    var nowNanoseconds: UInt64 = 0
    var nowSeconds: UInt32 = 0
    var nowMicroseconds: Int64 = 0
    /// Since 1970; ends in 2106.
    var nowUnixSeconds: UInt32 = 0
    /// From the batch's arrival until its requests are decided.
    var elapsedMicroseconds: Int64 = 0
    /// How long the request that is resumed was away; 0 for those of a batch.
    var awayMicroseconds: Int64 = 0

    init(
        environment: ServerEnvironment, counters: WorkerCounters, events: AuthEventRing, completions: ParkedCompletions,
        isStream: Bool = false
    ) {
        self.isStream = isStream
        self.environment = environment
        self.counters = counters
        self.events = events
        self.completions = completions
        flight = environment.recorder.lane()
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
        nowUnixSeconds = UInt32(truncatingIfNeeded: nowMicroseconds / 1_000_000)
        let current = environment.store.generation.load(ordering: .relaxed)
        if current != generation {
            generation = environment.store.generation.load(ordering: .acquiring)
            snapshot = environment.store.snapshot
            rules.outcome = PolicyOutcome()
        }
    }

    /// Handles what was received: replies that leave now stand in `port`'s batch, others are held by it.
    ///
    /// - Parameters:
    ///   - datagrams: at most `PacketBatch.capacity`; what lies behind a packet in its slot is overwritten.
    ///   - service: the port that they came to.
    ///   - port: where the replies leave.
    mutating func serve(_ datagrams: UnsafeBufferPointer<lm_datagram>, on service: Service, to port: inout ReplyPort) {
        // Replies are signed in their slots, so all of them must have one.
        port.flush()
        batch.removeAll()
        for position in datagrams.indices {
            guard let datagram = datagrams.baseAddress.map({ $0 + position }) else { break }
            // Without room to hold a response, an accounting packet is not looked at.
            if service == .accounting, !port.canHold(beside: batch.count) {
                counters.add(.heldFull)
                if isStream { noteUnserved(datagram) }
                continue
            }
            examine(datagram, on: service)
        }
        digestRequests()
        elapsedMicroseconds = Int64(truncatingIfNeeded: lm_realtime_nanoseconds() / 1000) &- nowMicroseconds
        for position in 0..<batch.count {
            let reply = port.slot(answering: batch.works[position].datagram)
            if answer(position, reply) {
                port.add()
                batch.bind(batch.works + position)
            }
        }
        journalRecords(to: &port)
        signReplies()
        recordTransactions()
        if service == .authentication { countLatency(.direct) }
        dispose(to: &port)
        tally.flush()
    }

    /// Finds client, length and attributes of one datagram and adds it to the batch, or counts why not.
    private mutating func examine(_ datagram: UnsafePointer<lm_datagram>, on service: Service) {
        guard datagram.pointee.truncated == 0, let bytes = datagram.pointee.bytes else {
            counters.add(.truncatedDatagrams)
            return
        }
        guard let client = client(of: datagram, bytes, Int(datagram.pointee.count)) else {
            counters.add(.unknownClients)
            noteUnknown(datagram, bytes, on: service)
            if isStream { noteUnserved(datagram) }
            return
        }
        guard admits(client, datagram, on: service) else {
            if isStream { noteUnserved(datagram) }
            return
        }
        do {
            let count = try PacketHeader.length(of: Span(_unsafeStart: bytes, count: Int(datagram.pointee.count)))
            let attributes = try RequestAttributes(
                bytes, count: count, offsets: batch.offsets + batch.count &* RequestAttributes.capacity, places)
            let kind = try kind(of: bytes[0], on: service)
            batch.works[batch.count] = PacketWork(
                datagram: datagram, packet: bytes, client: client, attributes: attributes, kind: kind, service: service)
            try gatherDigests(batch.count)
            batch.count &+= 1
        } catch {
            drop(error, client, datagram)
        }
    }

    private func kind(of code: UInt8, on service: Service) throws(DecodeError) -> PacketWork.Kind {
        switch (service, PacketCode(rawValue: code)) {
        case (.authentication, .accessRequest): .access
        case (.accounting, .accountingRequest): .accounting
        case (_, .statusServer): .status
        case (.authentication, .coaRequest) where isStream, (.authentication, .disconnectRequest) where isStream: .unwanted
        default: throw .unsupportedCode
        }
    }

    private mutating func drop(_ reason: DecodeError, _ client: UnsafePointer<ClientRow>, _ datagram: UnsafePointer<lm_datagram>) {
        counters.add(reason)
        tally.add(client) { $0.drops &+= 1 }
        client.pointee.withClient { $0.observation.refusals.add(reason) }
        recordDrop(reason, client, datagram)
        guard isStream else { return }
        if reason.endsConnection {
            faults.append(StreamFault(connection: StreamOrigin(datagram).connection, reason: reason))
        } else {
            noteUnserved(datagram, reason.errorCause)
        }
    }

    /// Answers one request of the batch, whose digests are there, into `reply`.
    ///
    /// - Returns: whether the slot was used.
    private mutating func answer(_ position: Int, _ reply: UnsafeMutablePointer<lm_datagram>) -> Bool {
        let work = batch.works + position
        do {
            try verify(work.pointee)
            switch work.pointee.kind {
            case .status:
                counters.add(.statusRequests)
                status(work.pointee, reply)
                return true
            case .unwanted:
                decline(work.pointee, reply)
                return true
            case .access, .accounting:
                return try answerOnce(work.pointee, reply)
            }
        } catch {
            drop(error, work.pointee.client, work.pointee.datagram)
            return false
        }
    }

    /// Answers a request that verified, unless it is a duplicate.
    private mutating func answerOnce(_ work: PacketWork, _ reply: UnsafeMutablePointer<lm_datagram>) throws(DecodeError) -> Bool {
        let seconds = nowMicroseconds / 1_000_000
        tally.add(work.client) { $0.seenSeconds = seconds }
        let lookup = cache.admit(Self.key(of: work), hash: work.cacheHash, nowSeconds: nowSeconds, reply: reply.pointee.bytes)
        let token: ReplyToken
        switch lookup {
        case .inWork:
            counters.add(.duplicatesInWork)
            return false
        case .answered(let count):
            counters.add(.duplicates)
            reply.pointee.count = UInt32(truncatingIfNeeded: count)
            addReply(UnsignedReply(reply: reply, client: work.client, signatureOffset: 0, isSigned: true))
            batch.replies[batch.replyCount &- 1].note.outcome = .repeated
            return true
        case .fresh(let fresh):
            token = fresh
        }
        let disposition =
            work.kind == .accounting ? try account(work, reply, token) : access(work, reply, token: token, slow: nil)
        switch disposition {
        case .send, .delay, .journal, .holdUntilDurable:
            settle(disposition, token)
            return true
        case .drop, .parked:
            return false
        }
    }

    /// Says what becomes of the reply that was written last.
    mutating func settle(_ disposition: Disposition, _ token: ReplyToken) {
        let last = batch.replies + (batch.replyCount &- 1)
        last.pointee.disposition = disposition
        last.pointee.token = token
    }

    /// Answers a Status-Server (RFC 5997 §3): Access-Accept or Accounting-Response, by port, signed.
    private mutating func status(_ work: PacketWork, _ reply: UnsafeMutablePointer<lm_datagram>) {
        let code: PacketCode = work.service == .accounting ? .accountingResponse : .accessAccept
        var writer = Self.begin(code, answering: work.packet, in: reply)
        writer.reserveMessageAuthenticator()
        finish(writer, to: work.client, reply)
    }

    /// Sends, stores or holds the signed replies of the batch.
    mutating func dispose(to port: inout ReplyPort) {
        let delay = UInt64(environment.settings.rejectDelayMilliseconds) &* 1_000_000
        for position in 0..<batch.replyCount {
            let entry = batch.replies + position
            let reply = entry.pointee.reply
            switch entry.pointee.disposition {
            case .delay where delay > 0 && mayDelay(port):
                port.hold(reply, until: lm_monotonic_nanoseconds() &+ delay, token: entry.pointee.token)
            case .holdUntilDurable(let sequence):
                port.hold(reply, until: sequence, token: entry.pointee.token)
            case .send, .delay:
                cache.store(entry.pointee.token, reply.pointee.bytes, count: Int(reply.pointee.count))
            case .drop, .parked, .journal:
                break
            }
        }
        batch.replyCount = 0
    }

    /// Whether a Reject is held back: at once instead when too many wait already, which a flood of wrong passwords brings about.
    private func mayDelay(_ port: borrowing ReplyPort) -> Bool {
        if port.canHold() { return true }
        counters.add(.rejectsUndelayed)
        return false
    }

    /// Goes on with a request whose slow check, or step of a conversation, has ended. The client may be gone by now, or
    /// another may have its address; then nobody is answered.
    mutating func resume(_ parked: ParkedRequest, to port: inout ReplyPort) {
        guard !parked.isExpired else {
            counters.add(.parkedExpired)
            recordExpiry(parked)
            if isStream { withUnsafePointer(to: parked.datagram) { noteUnserved($0, parked.octets, parked.count) } }
            return cache.forget(parked.token)
        }
        port.flush()
        batch.removeAll()
        awayMicroseconds = away(parked)
        withUnsafePointer(to: parked.datagram) { answer(parked, $0, &port) }
        signReplies()
        recordTransactions()
        switch parked.outcome {
        case .password: countLatency(.slowCheck)
        case .eap: countLatency(.eap)
        case .proxied: countLatency(.proxy)
        }
        awayMicroseconds = 0
        dispose(to: &port)
        tally.flush()
    }

    private mutating func answer(_ parked: ParkedRequest, _ datagram: UnsafePointer<lm_datagram>, _ port: inout ReplyPort) {
        guard let client = client(of: datagram, parked.octets, parked.count), client.pointee.id == parked.client else {
            counters.add(.unknownClients)
            return cache.forget(parked.token)
        }
        do {
            let attributes = try RequestAttributes(parked.octets, count: parked.count, offsets: batch.offsets, places)
            var work = PacketWork(
                datagram: datagram, packet: parked.octets, client: client, attributes: attributes, kind: .access, service: .authentication)
            hashName(&work)
            elapsedMicroseconds = Int64(truncatingIfNeeded: lm_realtime_nanoseconds() / 1000) &- nowMicroseconds
            let reply = port.slot(answering: datagram)
            let disposition =
                switch parked.outcome {
                case .password(let outcome): access(work, reply, token: parked.token, slow: outcome)
                case .eap(let outcome): conclude(outcome, work, reply, token: parked.token)
                case .proxied(let outcome): concludeProxied(outcome, parked, work, reply)
                }
            if case .drop = disposition { return }
            settle(disposition, parked.token)
            port.add()
            batch.bind(&work)
        } catch {
            counters.add(error)
        }
    }
}
