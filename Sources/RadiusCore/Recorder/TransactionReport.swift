/// A recorded transaction as people read it: decoded, secrets left out, and what became of it in words.
public struct TransactionReport: Sendable {
    /// A packet without its authenticator, which is a challenge to some and a proof to others.
    public struct Packet: Sendable, Equatable {
        public let code: String
        public let identifier: UInt8
        public let octets: Int
        /// Name, perhaps with a tag, and value, in the packet's order.
        public let attributes: [Attribute]
        /// Why it could not be read to its end; nil for a sound packet.
        public let malformed: String?
    }

    public struct Attribute: Sendable, Equatable {
        public let name: String
        public let value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    public let atMicroseconds: Int64
    /// The same in UTC (RFC 3339), to the microsecond.
    public var at: String {
        let seconds = UInt32(clamping: atMicroseconds / 1_000_000)
        let fraction = String(1_000_000 + max(0, atMicroseconds) % 1_000_000).dropFirst()
        return "\(DateText.text(seconds).dropLast()).\(fraction)Z"
    }
    /// The NAS by the name that it has now; `id:` and its number where it is gone, or disabled.
    public let nas: String
    /// Address and port that the request came from.
    public let peer: String
    public let isStream: Bool
    /// User-Name as it was sent; empty without one.
    public let userName: String
    /// 0: none was found, or looked for.
    public let subscriber: Int64
    /// `accept`, `reject`, `challenge`, `response`, `declined`, `repeated`, `dropped`, `unstored` or `expired`.
    public let outcome: String
    /// The stable name: of an `AccessReason`, or of a `DecodeError` with `dropped`; empty where there is none.
    public let reason: String
    /// What happened, and what to do.
    public let sentence: String
    /// `none` where no password was proved.
    public let method: String
    public let durationMicroseconds: UInt32
    /// The reply waits for the reject delay besides.
    public let isDelayed: Bool
    public let request: Packet
    public let reply: Packet?

    /// Explains `record` by the names that hold in `snapshot`.
    public init(_ record: FlightRecord, in snapshot: Snapshot) {
        let header = record.header
        let dictionary = snapshot.dictionary
        atMicroseconds = header.atMicroseconds
        nas = snapshot.clients.clients.first { $0.id == header.nas }?.name ?? "id:\(header.nas)"
        peer = Self.peer(header)
        isStream = header.isStream
        request = Packet(record.request, dictionary)
        reply = record.reply.isEmpty ? nil : Packet(record.reply, dictionary)
        userName = record.value(AttributeNumber.userName).map { String(decoding: $0, as: UTF8.self) } ?? ""
        subscriber = header.subscriber
        durationMicroseconds = header.durationMicroseconds
        isDelayed = header.isDelayed
        method = AuthenticationMethod(rawValue: header.method)?.name ?? "method-\(header.method)"
        let verdict = TransactionVerdict(header, reply: record.reply.first.map(PacketCode.init(rawValue:)))
        (outcome, reason, sentence) = (verdict.outcome, verdict.reason, verdict.sentence)
    }

    private static func peer(_ header: FlightHeader) -> String {
        let text = header.peer.text
        return text.contains(":") ? "[\(text)]:\(header.peerPort)" : "\(text):\(header.peerPort)"
    }
}

extension TransactionReport.Packet {
    init(_ octets: [UInt8], _ dictionary: RadiusDictionary) {
        code = PacketCode(rawValue: octets.first ?? 0).name
        identifier = octets.count > 1 ? octets[1] : 0
        self.octets = octets.count
        do {
            // Without a secret: what is hidden on the wire is not revealed even for a moment.
            let packet = try PacketText.describe(octets.span, dictionary: dictionary)
            attributes = packet.pairs.map { .init(name: $0.taggedName, value: SecretMask.shown($0, dictionary)) }
            malformed = nil
        } catch {
            attributes = []
            malformed = error.explanation
        }
    }
}

/// The outcome of a transaction in one word and one sentence.
struct TransactionVerdict {
    let outcome: String
    let reason: String
    let sentence: String

    init(_ header: FlightHeader, reply: PacketCode?) {
        let access = AccessReason(rawValue: header.reason)
        reason = header.outcome == .dropped ? Self.drop(header).map { "\($0)" } ?? "" : access?.name ?? ""
        switch header.outcome {
        case .repeated:
            (outcome, sentence) = ("repeated", "The NAS asked again; it got the same reply as before. Did the first one reach it in time?")
        case .dropped:
            (outcome, sentence) = ("dropped", "Dropped without a reply: " + (Self.drop(header).map { Self.advice($0) } ?? "unknown."))
        case .unstored:
            outcome = "unstored"
            sentence = "The journal took no record, so there was no response and the NAS sends it again; look at the disk."
        case .expired:
            outcome = "expired"
            sentence =
                access?.sentence ?? "It waited too long for a thread and was dropped; see radius.slow_checks and eap in the settings."
        case .answered:
            outcome = Self.word(reply)
            sentence = access?.sentence ?? Self.sentence(outcome)
        }
    }

    private static func drop(_ header: FlightHeader) -> DecodeError? { DecodeError(rawValue: header.drop) }

    private static func word(_ code: PacketCode?) -> String {
        switch code {
        case .some(.accessAccept): "accept"
        case .some(.accessReject): "reject"
        case .some(.accessChallenge): "challenge"
        case .some(.accountingResponse): "response"
        default: "declined"
        }
    }

    private static func sentence(_ outcome: String) -> String {
        switch outcome {
        case "challenge": "The EAP conversation goes on; the device has to answer."
        case "response": "On its way into the journal; the response leaves once it is on disk."
        default: "Declined."
        }
    }

    /// What is wrong, and what to do at which end.
    private static func advice(_ error: DecodeError) -> String {
        let explanation = error.explanation + "."
        switch error {
        case .messageAuthenticatorInvalid, .requestAuthenticatorInvalid:
            return explanation + " Compare the shared secret on the NAS with the one here."
        case .messageAuthenticatorMissing:
            return explanation + " Have the NAS send it, or set require_message_authenticator to no for this NAS if it never can."
        case .proxyStateUnsigned:
            return explanation + " Have the proxy sign, or set limit_proxy_state to no for this NAS."
        case .accountingIncomplete:
            return explanation + " The NAS's own configuration has to be mended."
        default:
            return explanation
        }
    }
}
