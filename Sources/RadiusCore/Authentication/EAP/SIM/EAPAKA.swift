/// EAP-AKA (RFC 4187) and EAP-AKA' (RFC 9048): a vector of UMTS proves card and server to each other.
///
/// A card that has seen the sequence number says its own, once. Names for one time and shortened log-ins are not given out.
struct EAPAKA {
    private struct Challenge {
        let name: [UInt8]
        let random: [UInt8]
        let response: [UInt8]
        let keys: SIMKeys
    }

    private enum Phase {
        case identifying
        case challenged(Challenge)
    }

    private static let separationBit: UInt8 = 0x80
    /// AT_KDF: the only function there is (RFC 9048 §3.2).
    private static let derivation = 1
    /// AT_BIDDING: the server would rather do EAP-AKA' (RFC 9048 §4).
    private static let prefersPrime = 0x8000

    private let type: EAPType
    private var talk: EAPCardTalk
    /// As the keys are made from it: what the card said last.
    private var identity: [UInt8]
    private var phase = Phase.identifying
    /// The packets that AT_CHECKCODE covers.
    private var identityPackets: [UInt8] = []
    private var hasResynchronized = false
    private(set) var claimed: [UInt8] = []

    /// Why the card will be refused, whatever it says now; nil while that is open.
    var verdict: AccessReason? { talk.verdict }

    private init(_ type: EAPType, identifier: UInt8, identity: [UInt8]) {
        self.type = type
        talk = EAPCardTalk(type, identifier: identifier)
        self.identity = identity
    }

    /// Begins with a challenge where `identity` is a subscriber's, else by asking for the permanent identity.
    static func begin(
        _ type: EAPType, identifier: UInt8, identity: [UInt8], _ surroundings: EAPSurroundings
    ) -> (method: EAPAKA, data: [UInt8]) {
        var method = EAPAKA(type, identifier: identifier, identity: identity)
        if surroundings.cardHolder(identity) != nil, let data = method.challenge(surroundings) { return (method, data) }
        var writer = SIMAttributes.Writer(subtype: EAPCardTalk.Subtype.identity)
        writer.append(.permanentIdentityRequest)
        method.identityPackets = EAPPacket.octets(.request, identifier, type, writer.data)
        return (method, writer.data)
    }

    mutating func receive(_ data: [UInt8], _ surroundings: EAPSurroundings) -> EAPStep {
        if talk.isEnding { return talk.conclude(data) }
        guard let attributes = try? SIMAttributes(data) else { return .invalid }
        switch (phase, attributes.subtype) {
        case (_, EAPCardTalk.Subtype.clientError): return .refused(.cardGaveUp)
        case (.identifying, EAPCardTalk.Subtype.identity): return identify(attributes, data, surroundings)
        case (.challenged(let challenge), EAPCardTalk.Subtype.challenge): return prove(attributes, data, challenge, surroundings)
        case (.challenged, EAPCardTalk.Subtype.authenticationReject): return .refused(.cardRejectsNetwork)
        case (.challenged(let challenge), EAPCardTalk.Subtype.synchronizationFailure):
            return resynchronize(attributes, challenge, surroundings)
        default: return .invalid
        }
    }

    // MARK: Events

    private mutating func identify(_ attributes: SIMAttributes, _ data: [UInt8], _ surroundings: EAPSurroundings) -> EAPStep {
        guard let said = attributes.counted(.identity), !said.isEmpty else { return .invalid }
        identityPackets += EAPPacket.octets(.response, talk.identifier, type, data)
        (identity, claimed) = (said, said)
        guard surroundings.cardHolder(said) != nil else { return talk.fail(surroundings.reasonWithoutCard(said)) }
        talk.advance()
        guard let data = challenge(surroundings) else { return .refused(.cardSequenceLost) }
        return .request(data)
    }

    private mutating func prove(
        _ attributes: SIMAttributes, _ data: [UInt8], _ challenge: Challenge, _ surroundings: EAPSurroundings
    ) -> EAPStep {
        guard let response = attributes.response, attributes.codeOffset != nil else { return .invalid }
        guard challenge.keys.verify(data, attributes, type, identifier: talk.identifier),
            ConstantTime.equal(response.span, challenge.response.span),
            attributes.checkcode.map({ ConstantTime.equal($0.span, checkcode.span) }) ?? true
        else { return talk.fail(.cardAnswerWrong) }
        guard let account = surroundings.account(challenge.name) else { return talk.fail(.unknownSubscriber) }
        return talk.succeed(challenge.keys, account, as: challenge.name, asksForResult: attributes.has(.resultIndication))
    }

    /// RFC 4187 §9.6: the card proves its own sequence number (3GPP TS 33.102 §6.3.3), from which it goes on.
    private mutating func resynchronize(
        _ attributes: SIMAttributes, _ challenge: Challenge, _ surroundings: EAPSurroundings
    ) -> EAPStep {
        guard let token = attributes.resynchronizationToken else { return .invalid }
        guard !hasResynchronized, let holder = surroundings.cardHolder(identity), holder.name == challenge.name,
            let card = surroundings.card
        else { return .refused(.cardSequenceLost) }
        hasResynchronized = true
        let milenage = holder.card.credential.milenage
        let sequence = Milenage.xor(Array(token.prefix(6)), milenage.resynchronizationKey(random: challenge.random))
        let code = milenage.codes(random: challenge.random, sequence: sequence, field: [0, 0]).card
        guard ConstantTime.equal(code.span, token.span.extracting(6..<14)) else { return .refused(.cardAnswerWrong) }
        card.sequences.resynchronize(holder.card.subscriber, to: sequence, now: card.now)
        talk.advance()
        guard let data = self.challenge(surroundings) else { return .refused(.cardSequenceLost) }
        return .request(data)
    }

    // MARK: Challenge

    /// The data of a challenge with the identifier at hand; nil without a card, or a sequence number for it.
    private mutating func challenge(_ surroundings: EAPSurroundings) -> [UInt8]? {
        guard let holder = surroundings.cardHolder(identity), let card = surroundings.card,
            let sequence = card.sequences.next(for: holder.card.subscriber, now: card.now)
        else { return nil }
        claimed = holder.name
        let credential = holder.card.credential
        let drawn = surroundings.random()
        let random = drawn.indices.map { drawn[$0] }
        let vector = credential.milenage.vector(random: random)
        let field = type == .akaPrime ? [credential.field[0] | Self.separationBit, credential.field[1]] : credential.field
        let hidden = Milenage.xor(sequence, vector.anonymityKey)
        let token = hidden + field + credential.milenage.codes(random: random, sequence: sequence, field: field).network
        let keys = keys(vector, hidden, card)
        phase = .challenged(Challenge(name: holder.name, random: random, response: vector.response, keys: keys))
        return write(random, token, keys, card, surroundings)
    }

    private func keys(_ vector: Milenage.Vector, _ hidden: [UInt8], _ card: EAPCardSurroundings) -> SIMKeys {
        guard type == .akaPrime else {
            return SIMKeys(identity: identity, integrityKey: vector.integrityKey, cipherKey: vector.cipherKey)
        }
        let bound = SIMKeys.bind(
            cipherKey: vector.cipherKey, integrityKey: vector.integrityKey, network: card.network, hiddenSequence: hidden)
        return SIMKeys(identity: identity, boundIntegrityKey: bound.integrityKey, boundCipherKey: bound.cipherKey)
    }

    private func write(
        _ random: [UInt8], _ token: [UInt8], _ keys: SIMKeys, _ card: EAPCardSurroundings, _ surroundings: EAPSurroundings
    ) -> [UInt8] {
        var writer = SIMAttributes.Writer(subtype: EAPCardTalk.Subtype.challenge)
        writer.append(.random, random)
        writer.append(.networkToken, token)
        if type == .akaPrime {
            writer.append(.derivationInput, number: card.network.count, card.network)
            writer.append(.derivation, number: Self.derivation)
        } else if surroundings.methods.contains(.akaPrime) {
            writer.append(.bidding, number: Self.prefersPrime)
        }
        writer.append(.resultIndication)
        writer.append(.checkcode, checkcode)
        writer.reserveCode()
        return writer.coded(keys, type, identifier: talk.identifier)
    }

    /// A digest of the packets that asked for an identity; empty without them (RFC 4187 §10.13; with SHA-256 in EAP-AKA').
    private var checkcode: [UInt8] {
        guard !identityPackets.isEmpty else { return [] }
        return type == .akaPrime ? KeyedDigests.sha256(identityPackets) : KeyedDigests.sha1(identityPackets)
    }
}
