/// Requests of ours that wait for their answers on one connection that a NAS opened. Their identifiers, or Tokens, are a space of their
/// own, apart from those of the NAS's requests. A value without a clock.
struct ReverseExchanges {
    private struct Exchange {
        let request: ReverseRequest
        /// As RADIUS/1.0 has it.
        let packet: [UInt8]
        var retransmission: CoARetransmission
        var until: UInt64
    }

    /// What a packet of the NAS is to them.
    enum Answer {
        case outcome(ReverseRequest, CoAOutcome)
        /// Nothing waits for it: it is late, or nobody asked.
        case unmatched
        case rejected(CoAReply.Rejection)
    }

    /// What is due at one moment.
    struct Due {
        /// Packets to send again.
        var again: [[UInt8]] = []
        /// Requests that have ended, with the number of attempts.
        var silent: [(request: ReverseRequest, attempts: Int)] = []
    }

    private let timing: CoARetransmission.Timing
    private var identifiers = IdentifierSpace(startingAt: UInt8.random(in: 0...255))
    private var exchanges: [UInt8: Exchange] = [:]
    /// Where RADIUS/1.1 is spoken.
    private var tokens: ClientTokens?
    private var generator = SystemRandomNumberGenerator()

    init(timing: CoARetransmission.Timing, tokens: ClientTokens?) {
        self.timing = timing
        self.tokens = tokens
    }

    var isEmpty: Bool { exchanges.isEmpty }

    /// Takes a request in; `now` is monotonic nanoseconds, `timestamp` seconds since 1970; `dictionary` knows what RADIUS/1.0 hides.
    ///
    /// - Returns: what the NAS is to be sent.
    /// - Throws: `connectionFull`; `invalid` for what RADIUS/1.1 has no room for.
    mutating func begin(
        _ request: ReverseRequest, _ dictionary: RadiusDictionary, at now: UInt64, timestamp: UInt32
    ) throws(CoARefusal) -> [UInt8] {
        guard let identifier = identifiers.claim() else { throw .connectionFull }
        let packet = request.request.encode(
            identifier: identifier, timestamp: timestamp, secret: request.secret, hasMessageAuthenticator: request.isSigned)
        var octets = packet
        if tokens != nil {
            guard let translated = tokens?.request(packet.span, dictionary) else {
                identifiers.release(identifier)
                throw .invalid(.packetTooLong)
            }
            octets = translated
        }
        var retransmission = CoARetransmission(timing: timing)
        var until = now
        if case .send(let first) = retransmission.handle(.begin, at: now, using: &generator) { until = first }
        exchanges[identifier] = Exchange(request: request, packet: packet, retransmission: retransmission, until: until)
        return octets
    }

    /// Reads a packet of the NAS whose Code is an answer's; exactly the packet, of at least 20 octets.
    mutating func take(_ packet: Span<UInt8>, _ dictionary: RadiusDictionary, index: inout AttributeIndex) -> Answer {
        guard tokens != nil else { return match(packet, index: &index) }
        do throws(ClientTokens.Refusal) {
            guard let reply = try tokens?.reply(packet, dictionary) else { return .unmatched }
            return match(reply.span, index: &index)
        } catch .unmatched {
            return .unmatched
        } catch {
            return .rejected(.malformed)
        }
    }

    private mutating func match(_ packet: Span<UInt8>, index: inout AttributeIndex) -> Answer {
        let identifier = packet[1]
        guard let exchange = exchanges[identifier] else { return .unmatched }
        let authenticator = Digest16 { exchange.packet[4 + $0] }
        do throws(CoAReply.Rejection) {
            let outcome = try CoAReply.read(
                packet, to: exchange.request.request.kind, authenticator: authenticator, secret: exchange.request.secret,
                takesProtocolError: tokens != nil, index: &index)
            end(identifier)
            return .outcome(exchange.request, outcome)
        } catch {
            return .rejected(error)
        }
    }

    /// Says what is due at `now`.
    mutating func tick(at now: UInt64) -> Due {
        var due = Due()
        for (identifier, known) in exchanges where known.until <= now {
            var exchange = known
            switch exchange.retransmission.handle(.timer, at: now, using: &generator) {
            case .resend(let until):
                due.again.append(exchange.packet)
                exchange.until = until
                exchanges[identifier] = exchange
            case .giveUp(let attempts):
                due.silent.append((exchange.request, attempts))
                end(identifier)
            case .send, .wait, .complete, .ignore: break
            }
        }
        return due
    }

    /// Ends all: the connection is gone.
    mutating func endAll() -> [ReverseRequest] {
        let requests = exchanges.values.map(\.request)
        for identifier in exchanges.keys { identifiers.release(identifier) }
        exchanges = [:]
        return requests
    }

    private mutating func end(_ identifier: UInt8) {
        exchanges[identifier] = nil
        identifiers.release(identifier)
    }
}

extension PacketCode {
    /// What a NAS answers to CoA and Disconnect, over RADIUS/1.1 also by Protocol-Error.
    var answersDynamicAuthorization: Bool {
        self == .protocolError || CoARequest.Kind.allCases.contains { self == $0.ackCode || self == $0.nakCode }
    }
}
