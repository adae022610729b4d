/// Who the card says to be (3GPP TS 23.003 §19.3; RFC 4186 §4.2, RFC 4187 §4.1, RFC 9048 §5): a digit that tells the kind, IMSI, realm.
struct SIMIdentity {
    /// The names by which the subscriber may be stored, the likeliest first.
    let candidates: [[UInt8]]
    /// The methods of cards in the order in which this identity wants them; a bidding down from AKA' to AKA is never proposed.
    let methods: [EAPType]
    /// The realm is that of a mobile network, or digit and IMSI are there: nothing but a card says so.
    let isOfCard: Bool

    private static let longest = 15
    private static let shortest = 6

    init(_ identity: [UInt8]) {
        let name = identity.prefix { $0 != UInt8(ascii: "@") }
        let realm = identity.dropFirst(name.count)
        let kind = name.first.flatMap { (UInt8(ascii: "0")...UInt8(ascii: "8")).contains($0) ? $0 - UInt8(ascii: "0") : nil }
        let number = name.dropFirst()
        let isNumber = (Self.shortest...Self.longest).contains(number.count) && number.allSatisfy { (0x30...0x39).contains($0) }
        // Temporary names have other digits, and are never given out here.
        let isPermanent = isNumber && kind.map { [0, 1, 6].contains($0) } == true
        candidates = [identity] + (isPermanent ? [Array(number), Array(number + realm)] : [])
        // 1, 3 and 5 are EAP-SIM's; whoever does AKA' does it first, as the two others could be forced upon it.
        methods = kind.map { [1, 3, 5].contains($0) } == true ? [.sim, .akaPrime, .aka] : [.akaPrime, .aka, .sim]
        isOfCard = Self.isMobile(realm) || (isPermanent && !realm.isEmpty && Self.isMobile(realm))
    }

    /// `@wlan.mnc001.mcc001.3gppnetwork.org`, `@nai.epc...`, and the like.
    private static func isMobile(_ realm: ArraySlice<UInt8>) -> Bool {
        let ending = Array(".3gppnetwork.org".utf8)
        guard realm.count > ending.count else { return false }
        return realm.suffix(ending.count).map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 } == ending
    }
}

extension EAPSurroundings {
    /// The subscriber whom the card's identity names and how it is stored; nil where there is none that has a card.
    func cardHolder(_ identity: [UInt8]) -> (name: [UInt8], account: EAPAccount, card: EAPAccount.Card)? {
        for name in SIMIdentity(identity).candidates {
            if let account = account(name), let card = account.card { return (name, account, card) }
        }
        return nil
    }

    /// Who says to be `identity`, for the choice of a method.
    func claimant(_ identity: [UInt8]) -> EAPAccount? { account(identity) ?? cardHolder(identity)?.account }

    /// The methods that can be proposed to who says to be `identity`, the first first: a card's where it has nothing else.
    func proposals(to identity: [UInt8]) -> [EAPType] {
        let available = available
        guard available.contains(where: { $0.isOfCard }) else { return available }
        let said = SIMIdentity(identity)
        let claimant = claimant(identity)
        guard said.isOfCard || (claimant?.card != nil && claimant?.credential.isNone == true) else { return available }
        return said.methods.filter { available.contains($0) } + available.filter { !$0.isOfCard }
    }
}

/// What methods of SIM cards need besides the account. Any thread may have it.
public struct EAPCardSurroundings: Sendable {
    let sequences: SIMSequences
    /// The name of the network, to which EAP-AKA' binds its keys (RFC 9048 §3.1).
    let network: [UInt8]
    /// Tenths of a second since 1970.
    let now: UInt64
}
