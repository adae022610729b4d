/// The server's side of one EAP conversation (RFC 3748, RFC 3579 §2): a value that takes a peer's packets and says what to answer.
///
/// Identity, then a method that the stored credential allows, or one that the peer's Nak asks for, then Success or Failure. A packet that
/// comes again gets the same answer again; one that fits nowhere is ignored, and the outstanding Request repeated.
public struct EAPSession: Sendable {
    /// What to answer.
    public enum Action: Equatable, Sendable {
        /// A Request; the conversation goes on.
        case request([UInt8])
        /// What came was ignored: the outstanding Request once more (RFC 3579 §2.2).
        case again([UInt8])
        /// EAP-Success, and the method's keys.
        case success([UInt8], EAPKeys?)
        /// EAP-Failure.
        case failure([UInt8], AccessReason)
        /// Nothing yet: `goOn` answers once an authority has said whether the peer's certificate is still good.
        case wait(OCSPInquiry)

        /// The EAP packet; empty where there is none yet.
        public var packet: [UInt8] {
            switch self {
            case .request(let packet), .again(let packet), .success(let packet, _), .failure(let packet, _): packet
            case .wait: []
            }
        }
    }

    private enum Phase {
        case identity
        case method(EAPMethod)
        /// A proven peer is told why it is turned away.
        case notification(AccessReason)
        case ended
    }

    /// Packets that are ignored in one conversation: a peer repeats what it is asked for, so one that does not understand would go on
    /// without end.
    static let ignoredLimit = 5
    /// What a packet counts for besides its own octets, so that small ones are bounded too.
    static let packetOverhead = 64
    /// What User-Name holds.
    static let longestIdentity = 253

    /// The peer's name; empty until it said it.
    public private(set) var identity: [UInt8] = []
    /// Who the peer has proven to be: whom to authorize after Success. Empty before.
    public private(set) var proven: [UInt8] = []
    /// Who the peer is by its certificate, or said to be inside a tunnel; empty where the method has neither.
    public private(set) var claimed: [UInt8] = []
    /// What the peer did inside a tunnel.
    public private(set) var inner: EAPInnerMethod?
    /// The method that was proposed last.
    public private(set) var method: EAPType?
    /// The peer has answered a method, with more than a Nak.
    public private(set) var hasAnswered = false
    private var phase = Phase.identity
    /// Of the outstanding Request.
    private(set) var identifier: UInt8
    private var outstanding: [UInt8] = []
    private var refused: [EAPType] = []
    /// A digest of the packet that was answered last; the packet itself may hold a password.
    private var lastResponse: [UInt8] = []
    private var lastAction: Action?
    private var ignored = 0
    private var octets = 0
    /// Somebody knows the verdict; after the end, it was said of the same packet before.
    private(set) var isNoted = false

    /// - Parameter identifier: of the first Request, where the peer has not chosen one before.
    public init(identifier: UInt8 = 0) {
        self.identifier = identifier
    }

    /// Whether Success or Failure was said.
    public var hasEnded: Bool { if case .ended = phase { true } else { false } }

    /// Whether `goOn` is what comes next.
    public var isWaiting: Bool { if case .wait = lastAction { true } else { false } }

    /// Whether the answer that is waited for is to another packet than `message`.
    func isAnswering(otherThan message: [UInt8]) -> Bool { isWaiting && KeyedDigests.sha1(message) != lastResponse }

    /// Why the peer will be refused, whatever it says to the outstanding Request; nil while that is open, and at the end.
    var verdict: AccessReason? {
        switch phase {
        case .notification(let reason): reason
        case .method(let method): method.verdict
        case .identity, .ended: nil
        }
    }

    /// The verdict, once: a peer that knows it often says nothing more, and the end may never come.
    mutating func takeVerdict() -> AccessReason? {
        guard !isNoted, let verdict else { return nil }
        isNoted = true
        return verdict
    }

    /// Octets that the value takes, about.
    public var memoryOctets: Int {
        512 + identity.count + outstanding.count + lastResponse.count + (lastAction?.packet.count ?? 0) + methodOctets
    }

    private var methodOctets: Int {
        if case .method(let method) = phase { method.memoryOctets } else { 0 }
    }

    /// Takes an EAP-Start, which has no octets (RFC 3579 §2.1): asks who is there.
    public mutating func start() -> Action {
        outstanding = EAPPacket.octets(.request, identifier, .identity, [])
        return .request(outstanding)
    }

    /// Takes a peer's packet.
    ///
    /// - Parameters:
    ///   - message: of any length and content.
    ///   - surroundings: of this step.
    /// - Returns: what to answer.
    public mutating func receive(_ message: [UInt8], _ surroundings: EAPSurroundings) -> Action {
        let digest = KeyedDigests.sha1(message)
        let isAgain = !message.isEmpty && digest == lastResponse
        if hasEnded { isNoted = isAgain }
        if isAgain, let lastAction { return lastAction }
        guard !hasEnded else { return .failure(EAPPacket.octets(.failure, message.count > 1 ? message[1] : 0), .eapUnexpected) }
        octets += message.count + Self.packetOverhead
        let action = answer(message, surroundings)
        if case .again = action { return action }
        lastResponse = digest
        lastAction = action
        return action
    }

    /// Answers the packet for which the answer was `wait`; may be called before the inquiry is done.
    public mutating func goOn(_ surroundings: EAPSurroundings) -> Action {
        guard isWaiting, case .method(var method) = phase else { return refuse(.eapUnexpected, []) }
        let step = method.goOn(surroundings)
        phase = .method(method)
        (claimed, inner) = (method.claimed, method.inner)
        let action = follow(step, [], surroundings)
        lastAction = action
        return action
    }

    /// Ends the conversation for a reason that lies outside it.
    public mutating func refuse(_ reason: AccessReason, _ message: [UInt8]) -> Action {
        if hasEnded { isNoted = false }
        let action = end(reason, message)
        lastAction = action
        return action
    }

    private mutating func answer(_ message: [UInt8], _ surroundings: EAPSurroundings) -> Action {
        guard octets <= surroundings.octetLimit else { return end(.eapTooLong, message) }
        let packet: EAPPacket
        do throws(EAPDecodeError) {
            packet = try EAPPacket(message.span)
        } catch {
            return ignore(message, .eapMalformed)
        }
        guard packet.code == .response, let type = packet.type else { return ignore(message, .eapMalformed) }
        guard outstanding.isEmpty || packet.identifier == identifier else { return ignore(message, .eapUnexpected) }
        switch (phase, type) {
        case (.identity, .identity):
            identifier = packet.identifier
            return identify(packet, message, surroundings)
        case (.method, .nak) where !hasAnswered:
            return renegotiate(packet, message, surroundings)
        case (.method(var method), self.method):
            let peer = EAPPeer(identity: identity, account: surroundings.account(identity))
            let step = method.receive(packet.data, from: peer, surroundings)
            phase = .method(method)
            (claimed, inner) = (method.claimed, method.inner)
            return follow(step, message, surroundings)
        case (.notification(let reason), .notification):
            return end(reason, message)
        default:
            return ignore(message, .eapUnexpected)
        }
    }

    private mutating func identify(_ packet: EAPPacket, _ message: [UInt8], _ surroundings: EAPSurroundings) -> Action {
        guard !packet.data.isEmpty else { return end(.userNameMissing, message) }
        guard packet.data.count <= Self.longestIdentity else { return end(.eapMalformed, message) }
        identity = packet.data
        let account = surroundings.claimant(identity)
        let available = surroundings.proposals(to: identity)
        guard !available.isEmpty else {
            // A tunnel may allow none of EAP.
            return end(surroundings.methods.contains { $0.isOverTLS } ? .tlsUnavailable : .eapNoCommonMethod, message)
        }
        guard let type = available.first(where: { account?.allows($0) ?? true }) else {
            return end(.eapMethodNeedsPassword, message)
        }
        return propose(type, message, surroundings)
    }

    /// Takes the first of the peer's wishes that can be fulfilled (RFC 3748 §5.3).
    private mutating func renegotiate(_ packet: EAPPacket, _ message: [UInt8], _ surroundings: EAPSurroundings) -> Action {
        if let method { refused.append(method) }
        let known = EAPNak.desired(packet).filter { surroundings.available.contains($0) && !refused.contains($0) }
        guard !known.isEmpty else { return end(.eapNoCommonMethod, message) }
        let account = surroundings.claimant(identity)
        guard let type = known.first(where: { account?.allows($0) ?? true }) else { return end(.eapMethodNeedsPassword, message) }
        return propose(type, message, surroundings)
    }

    private mutating func propose(_ type: EAPType, _ message: [UInt8], _ surroundings: EAPSurroundings) -> Action {
        guard let begun = EAPMethod.begin(type, identifier: identifier &+ 1, identity: identity, surroundings) else {
            return end(.eapNoCommonMethod, message)
        }
        method = type
        phase = .method(begun.method)
        return request(type, begun.data)
    }

    private mutating func request(_ type: EAPType, _ data: [UInt8]) -> Action {
        identifier &+= 1
        outstanding = EAPPacket.octets(.request, identifier, type, data)
        return .request(outstanding)
    }

    private mutating func follow(_ step: EAPStep, _ message: [UInt8], _ surroundings: EAPSurroundings) -> Action {
        switch step {
        case .invalid: return ignore(message, .eapMalformed)
        case .waiting(let inquiry):
            hasAnswered = true
            return .wait(inquiry)
        case .request(let data):
            hasAnswered = true
            return request(method ?? .nak, data)
        case .refused(let reason): return end(reason, message)
        case .turnedAway(let reason, let name):
            proven = name
            return end(reason, message)
        case .proven(let keys, let name):
            hasAnswered = true
            proven = name ?? identity
            // Every other method has shown its result: wpa_supplicant takes no Notification behind it, and would answer nothing.
            if surroundings.notifiesRefused, method == .md5Challenge, let refusal = surroundings.account(proven)?.refusal {
                return notify(refusal)
            }
            phase = .ended
            return .success(EAPPacket.octets(.success, identifier), keys)
        }
    }

    private mutating func notify(_ refusal: AccessReason) -> Action {
        phase = .notification(refusal)
        return request(.notification, Array(refusal.sentence.utf8))
    }

    /// Repeats the outstanding Request, or where there is none, or was enough of it, ends for `reason`.
    private mutating func ignore(_ message: [UInt8], _ reason: AccessReason) -> Action {
        ignored += 1
        return outstanding.isEmpty || ignored > Self.ignoredLimit ? end(reason, message) : .again(outstanding)
    }

    private mutating func end(_ reason: AccessReason, _ message: [UInt8]) -> Action {
        phase = .ended
        return .failure(EAPPacket.octets(.failure, message.count > 1 ? message[1] : identifier), reason)
    }
}
