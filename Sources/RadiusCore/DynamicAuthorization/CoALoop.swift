import CLinux
import Glibc

/// The client's thread: takes requests in, sends, repeats, reads replies. Everything here belongs to that thread.
struct CoALoop: ~Copyable {
    /// One request on its way.
    private struct Exchange {
        let submission: CoASubmission
        let packet: [UInt8]
        let serial: UInt64
        var retransmission: CoARetransmission
    }

    private struct ExchangeKey: Hashable {
        let lane: CoALaneKey
        let identifier: UInt8
    }

    private let engine: CoAEngine
    private let timing: CoARetransmission.Timing
    private let outstandingPerNAS: Int
    private var lanes: [CoALaneKey: CoALane] = [:]
    private var exchanges: [ExchangeKey: Exchange] = [:]
    private var deadlines = CoADeadlines()
    private var serial: UInt64 = 0
    private var generator = SystemRandomNumberGenerator()
    private var index = AttributeIndex()
    private let arena = DatagramArena()

    /// Where the next lane begins. A NAS must not take a request for the repetition of one that it answered within the same second, so what
    /// was used is not used again soon, even by a lane that begins anew.
    private var nextIdentifier = UInt8.random(in: 0...255)

    init(engine: CoAEngine, timing: CoARetransmission.Timing, outstandingPerNAS: Int) {
        self.engine = engine
        self.timing = timing
        self.outstandingPerNAS = outstandingPerNAS
    }

    /// Runs until the engine stops; then ends all that is in hand.
    mutating func run() {
        engine.began()
        let descriptors: InlineArray<2, Int32> = [engine.socket, engine.wakeUp]
        var isStopping = false
        while !isStopping {
            let timeout = millisecondsToNextDeadline()
            _ = descriptors.span.withUnsafeBufferPointer { lm_wait($0.baseAddress, 2, timeout) }
            lm_eventfd_drain(engine.wakeUp)
            receive()
            let mail = engine.collect()
            for submission in mail.arrived { accept(submission) }
            fireDeadlines()
            isStopping = mail.isStopping
        }
        endEverything()
        engine.end()
    }

    /// -1 when nothing is due ever; rounded up, so that a deadline has passed when the wait ends.
    private func millisecondsToNextDeadline() -> Int32 {
        guard let first = deadlines.first else { return -1 }
        let now = lm_monotonic_nanoseconds()
        guard first > now else { return 0 }
        return Int32(clamping: (first - now) / 1_000_000 + 1)
    }

    private mutating func accept(_ submission: CoASubmission) {
        let key = submission.lane
        let lane = CoALane(startingAt: nextIdentifier)
        lanes[key, default: lane].enqueue(submission)
        fill(key)
    }

    /// Starts as many waiting requests as the lane has room for.
    private mutating func fill(_ key: CoALaneKey) {
        while let started = lanes[key]?.start(limit: outstandingPerNAS) {
            nextIdentifier &+= 1
            begin(started.submission, ExchangeKey(lane: key, identifier: started.identifier))
        }
        if lanes[key]?.isEmpty == true { lanes[key] = nil }
    }

    private mutating func begin(_ submission: CoASubmission, _ key: ExchangeKey) {
        let seconds = UInt32(truncatingIfNeeded: lm_realtime_nanoseconds() / 1_000_000_000)
        let packet = submission.request.encode(
            identifier: key.identifier, timestamp: seconds, secret: submission.peer.secret,
            hasMessageAuthenticator: submission.peer.sendsMessageAuthenticator)
        serial += 1
        var exchange = Exchange(
            submission: submission, packet: packet, serial: serial, retransmission: CoARetransmission(timing: timing))
        guard case .send(let until) = exchange.retransmission.handle(.begin, at: lm_monotonic_nanoseconds(), using: &generator) else {
            return
        }
        exchanges[key] = exchange
        deadlines.insert(.init(until: until, lane: key.lane, identifier: key.identifier, serial: serial))
        let status = transmit(packet, to: submission.peer)
        if status < 0, !Self.isPassing(-status) {
            // Not `finish`: whoever fills the lane goes on by itself, however many requests the system refuses in a row.
            end(key, .refused(.transport(-status)))
        }
    }

    /// Refusals that may be over by the next attempt.
    private static func isPassing(_ code: Int32) -> Bool {
        [EAGAIN, ENOBUFS, ENOMEM, ECONNREFUSED].contains(code)
    }

    private func transmit(_ packet: [UInt8], to peer: CoAPeer) -> Int32 {
        var packet = packet
        return packet.withUnsafeMutableBufferPointer { octets in
            var slot = lm_datagram()
            slot.bytes = octets.baseAddress
            slot.capacity = UInt32(octets.count)
            slot.count = UInt32(octets.count)
            slot.peer = peer.address.datagramAddress(port: peer.port)
            engine.count { $0.sent += 1 }
            return lm_send(engine.socket, &slot, 1)
        }
    }

    private mutating func fireDeadlines() {
        let now = lm_monotonic_nanoseconds()
        while let due = deadlines.pop(notAfter: now) {
            let key = ExchangeKey(lane: due.lane, identifier: due.identifier)
            guard var exchange = exchanges[key], exchange.serial == due.serial else { continue }
            let action = exchange.retransmission.handle(.timer, at: now, using: &generator)
            exchanges[key] = exchange
            switch action {
            case .resend(let until):
                engine.count { $0.resent += 1 }
                _ = transmit(exchange.packet, to: exchange.submission.peer)
                deadlines.insert(.init(until: until, lane: due.lane, identifier: due.identifier, serial: due.serial))
            case .wait(let until):
                deadlines.insert(.init(until: until, lane: due.lane, identifier: due.identifier, serial: due.serial))
            case .giveUp(let attempts):
                engine.count { $0.timeouts += 1 }
                finish(key, .timeout(attempts: attempts))
            case .send, .complete, .ignore:
                break
            }
        }
    }

    private mutating func receive() {
        while true {
            let count = Int(lm_receive(engine.socket, arena.slots, UInt32(arena.capacity)))
            guard count > 0 else { return }
            for position in 0..<count { read(arena.slots[position]) }
            if count < arena.capacity { return }
        }
    }

    private mutating func read(_ slot: lm_datagram) {
        guard slot.truncated == 0, let bytes = slot.bytes else { return engine.count { $0.malformed += 1 } }
        let datagram = Span(_unsafeElements: UnsafeBufferPointer(start: bytes, count: Int(slot.count)))
        guard let length = try? PacketHeader.length(of: datagram) else { return engine.count { $0.malformed += 1 } }
        let address = withUnsafeBytes(of: slot.peer.octets) { IPAddress(octets: $0) }
        let lane = CoALaneKey(address: address, port: slot.peer.port)
        let key = ExchangeKey(lane: lane, identifier: datagram[1])
        guard var exchange = exchanges[key] else { return engine.count { $0.unmatched += 1 } }
        guard let outcome = verified(datagram.extracting(0..<length), answering: exchange) else { return }
        _ = exchange.retransmission.handle(.reply, at: lm_monotonic_nanoseconds(), using: &generator)
        finish(key, outcome)
    }

    /// The reply's meaning; nil, and counted, when it is no answer to trust.
    private mutating func verified(_ packet: Span<UInt8>, answering exchange: borrowing Exchange) -> CoAOutcome? {
        let authenticator = Digest16 { exchange.packet[4 + $0] }
        let submission = exchange.submission
        do throws(CoAReply.Rejection) {
            let outcome = try CoAReply.read(
                packet, to: submission.request.kind, authenticator: authenticator, secret: submission.peer.secret, index: &index)
            engine.count { if case .ack = outcome { $0.acks += 1 } else { $0.naks += 1 } }
            return outcome
        } catch {
            engine.count { $0.add(error) }
            return nil
        }
    }

    /// Ends an exchange and lets the next one of its lane begin.
    private mutating func finish(_ key: ExchangeKey, _ outcome: CoAOutcome) {
        end(key, outcome)
        fill(key.lane)
    }

    private mutating func end(_ key: ExchangeKey, _ outcome: CoAOutcome) {
        guard let exchange = exchanges.removeValue(forKey: key) else { return }
        lanes[key.lane]?.release(key.identifier)
        if case .refused = outcome { engine.count { $0.refused += 1 } }
        engine.finish(exchange.submission, outcome)
    }

    private mutating func endEverything() {
        let running = exchanges.values.map(\.submission)
        var waiting: [CoASubmission] = []
        for key in lanes.keys { waiting += lanes[key]?.drain() ?? [] }
        exchanges = [:]
        lanes = [:]
        for submission in running + waiting {
            engine.count { $0.refused += 1 }
            engine.finish(submission, .refused(.shutDown))
        }
    }
}
