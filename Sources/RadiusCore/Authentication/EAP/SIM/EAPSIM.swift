/// EAP-SIM (RFC 4186): three triplets of GSM, which Milenage makes (3GPP TS 55.205), prove card and server to each other.
///
/// Names for one time and shortened log-ins are not given out.
struct EAPSIM {
    private enum Phase {
        case started
        case challenged(SIMKeys, responses: [UInt8], name: [UInt8])
    }

    private static let version: [UInt8] = [0, 1]
    private static let tripletCount = 3
    private static let nonceCount = 16

    private var talk: EAPCardTalk
    /// As the keys are made from it: what the card said last.
    private var identity: [UInt8]
    private var phase = Phase.started
    private(set) var claimed: [UInt8] = []

    /// Why the card will be refused, whatever it says now; nil while that is open.
    var verdict: AccessReason? { talk.verdict }

    private init(identifier: UInt8, identity: [UInt8]) {
        talk = EAPCardTalk(.sim, identifier: identifier)
        self.identity = identity
    }

    /// Begins with SIM-Start, which asks for the permanent identity unless `identity` is a subscriber's.
    static func begin(identifier: UInt8, identity: [UInt8], _ surroundings: EAPSurroundings) -> (method: EAPSIM, data: [UInt8]) {
        var writer = SIMAttributes.Writer(subtype: EAPCardTalk.Subtype.simStart)
        if surroundings.cardHolder(identity) == nil { writer.append(.permanentIdentityRequest) }
        writer.append(.versionList, number: version.count, version)
        return (EAPSIM(identifier: identifier, identity: identity), writer.data)
    }

    mutating func receive(_ data: [UInt8], _ surroundings: EAPSurroundings) -> EAPStep {
        if talk.isEnding { return talk.conclude(data) }
        guard let attributes = try? SIMAttributes(data) else { return .invalid }
        switch (phase, attributes.subtype) {
        case (_, EAPCardTalk.Subtype.clientError): return .refused(.cardGaveUp)
        case (.started, EAPCardTalk.Subtype.simStart): return challenge(attributes, surroundings)
        case (.challenged(let keys, let responses, let name), EAPCardTalk.Subtype.simChallenge):
            guard keys.verify(data, attributes, .sim, identifier: talk.identifier, more: responses) else {
                return talk.fail(.cardAnswerWrong)
            }
            guard let account = surroundings.account(name) else { return talk.fail(.unknownSubscriber) }
            return talk.succeed(keys, account, as: name, asksForResult: attributes.has(.resultIndication))
        default: return .invalid
        }
    }

    private mutating func challenge(_ attributes: SIMAttributes, _ surroundings: EAPSurroundings) -> EAPStep {
        guard let nonce = attributes.fixed(.nonce, count: Self.nonceCount),
            attributes.number(.selectedVersion) == UInt16(Self.version[0]) << 8 | UInt16(Self.version[1])
        else { return .invalid }
        if let said = attributes.counted(.identity), !said.isEmpty { identity = said }
        claimed = identity
        guard let holder = surroundings.cardHolder(identity) else { return talk.fail(surroundings.reasonWithoutCard(identity)) }
        claimed = holder.name
        let randoms = Self.randoms(surroundings)
        let triplets = randoms.map { holder.card.credential.milenage.triplet(random: $0) }
        let keys = SIMKeys(
            identity: identity, cipherKeys: triplets.map(\.cipherKey), nonce: nonce, versions: Self.version, selected: Self.version)
        talk.advance()
        phase = .challenged(keys, responses: triplets.flatMap(\.response), name: holder.name)
        var writer = SIMAttributes.Writer(subtype: EAPCardTalk.Subtype.simChallenge)
        writer.append(.random, randoms.flatMap { $0 })
        writer.append(.resultIndication)
        writer.reserveCode()
        return .request(writer.coded(keys, .sim, identifier: talk.identifier, more: nonce))
    }

    /// Random numbers of which no two are the same, as cards demand.
    private static func randoms(_ surroundings: EAPSurroundings) -> [[UInt8]] {
        var randoms: [[UInt8]] = []
        while randoms.count < tripletCount {
            let random = surroundings.random()
            let octets = random.indices.map { random[$0] }
            if !randoms.contains(octets) { randoms.append(octets) }
        }
        return randoms
    }
}

extension EAPSurroundings {
    /// Why there is no card of that identity.
    func reasonWithoutCard(_ identity: [UInt8]) -> AccessReason {
        SIMIdentity(identity).candidates.contains { account($0) != nil } ? .cardMissing : .unknownSubscriber
    }
}
