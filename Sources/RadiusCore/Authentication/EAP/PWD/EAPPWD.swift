/// EAP-pwd (RFC 5931) in group 19: both sides prove that they know the password, and who listens or guesses learns no more than whether one
/// guess was right.
///
/// The password is used as it is stored: in clear, or as the hash of its NT hash (RFC 2759 §8.4).
struct EAPPWD {
    private enum Exchange {
        static let identity: UInt8 = 1
        static let commit: UInt8 = 2
        static let confirm: UInt8 = 3
        static let mask: UInt8 = 0x3f
        static let hasLength: UInt8 = 0x80
        static let hasMore: UInt8 = 0x40
    }

    /// What is mixed into the seed of the password's point (RFC 5931 §3.2.1.1).
    private enum Preparation: UInt8 {
        case none = 0
        /// The hash of the NT hash.
        case microsoft = 1
    }

    private struct Commitment {
        let passwordElement: [UInt8]
        let secret: [UInt8]
        let scalar: [UInt8]
        let element: [UInt8]
        /// Who the peer is, and why it is refused although it says the right thing; nil where it is not.
        let name: [UInt8]
        let refusal: AccessReason?
    }

    private struct Confirmation {
        let name: [UInt8]
        let refusal: AccessReason?
        let key: [UInt8]
        let peer: [UInt8]
        let server: [UInt8]
        let sessionIdentifier: [UInt8]
    }

    private enum Phase {
        case identifying
        case committing(Commitment)
        case confirming(Confirmation)
    }

    /// Group 19, the only random function and the only PRF (RFC 5931 §3.2.1).
    private static let suite: [UInt8] = [0, 19, 1, 1]
    private static let identityCount = 9
    /// Octets of a message of the peer in fragments.
    private static let messageLimit = 1024
    private static let label = Array("EAP-pwd Hunting And Pecking".utf8)

    private let token: [UInt8]
    private let preparation: Preparation
    private let serverName: [UInt8]
    private var phase = Phase.identifying
    private var incoming: [UInt8] = []
    private var awaited = 0
    private(set) var claimed: [UInt8] = []

    private init(token: [UInt8], preparation: Preparation, serverName: [UInt8]) {
        (self.token, self.preparation, self.serverName) = (token, preparation, serverName)
    }

    /// Begins with who the server is, and how it will use the password.
    static func begin(identity: [UInt8], _ surroundings: EAPSurroundings) -> (method: EAPPWD, data: [UInt8]) {
        let drawn = surroundings.random()
        var preparation = Preparation.none
        if case .ntHash = surroundings.account(identity)?.credential { preparation = .microsoft }
        let method = EAPPWD(token: (0..<4).map { drawn[$0] }, preparation: preparation, serverName: surroundings.serverName)
        return (method, [Exchange.identity] + suite + method.token + [preparation.rawValue] + surroundings.serverName)
    }

    mutating func receive(_ data: [UInt8], _ surroundings: EAPSurroundings) -> EAPStep {
        guard let flags = data.first else { return .invalid }
        var rest = data.dropFirst()
        if flags & Exchange.hasLength != 0 {
            guard rest.count >= 2, incoming.isEmpty else { return .invalid }
            awaited = rest.prefix(2).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(2)
            guard awaited <= Self.messageLimit else { return .refused(.eapTooLong) }
        }
        guard incoming.count + rest.count <= Self.messageLimit else { return .refused(.eapTooLong) }
        incoming += rest
        if flags & Exchange.hasMore != 0 {
            // An empty Request of the same kind asks for what follows (RFC 5931 §4).
            return rest.isEmpty ? .invalid : .request([flags & Exchange.mask])
        }
        defer { (incoming, awaited) = ([], 0) }
        guard awaited == 0 || awaited == incoming.count else { return .refused(.eapMalformed) }
        return take(flags & Exchange.mask, incoming, surroundings)
    }

    private mutating func take(_ exchange: UInt8, _ message: [UInt8], _ surroundings: EAPSurroundings) -> EAPStep {
        switch (phase, exchange) {
        case (.identifying, Exchange.identity): return identify(message, surroundings)
        case (.committing(let commitment), Exchange.commit): return commit(message, commitment)
        case (.confirming(let confirmation), Exchange.confirm): return confirm(message, confirmation)
        default: return .invalid
        }
    }

    // MARK: Messages

    private mutating func identify(_ message: [UInt8], _ surroundings: EAPSurroundings) -> EAPStep {
        let expected = Self.suite + token + [preparation.rawValue]
        guard message.count > Self.identityCount, message.prefix(Self.identityCount).elementsEqual(expected) else { return .invalid }
        let name = Array(message.dropFirst(Self.identityCount))
        guard name.count <= EAPSession.longestIdentity else { return .invalid }
        claimed = name
        let account = surroundings.account(name)
        let (password, refusal) = password(of: account, surroundings)
        let base = token + name + serverName + password
        guard let curve = PWDCurve(),
            let element = curve.passwordElement(
                seed: { Self.hash(base + [$0]) }, value: { Self.expand($0, Self.label, bits: 256) }, random: surroundings.random),
            let own = curve.commitment(element: element, random: surroundings.random)
        else { return .refused(.passwordHashUnusable) }
        phase = .committing(
            Commitment(
                passwordElement: element, secret: own.secret, scalar: own.scalar, element: own.element, name: name, refusal: refusal))
        return .request([Exchange.commit] + own.element + own.scalar)
    }

    /// What is mixed into the seed; and, for who cannot log in anyway, octets that nobody knows and the reason.
    private func password(of account: EAPAccount?, _ surroundings: EAPSurroundings) -> ([UInt8], AccessReason?) {
        let drawn = surroundings.random()
        let unknown = drawn.indices.map { drawn[$0] }
        guard let account else { return (unknown, .unknownSubscriber) }
        switch (account.credential, preparation) {
        case (.clearText(let password), .none): return (password, nil)
        case (.clearText, .microsoft), (.ntHash, .microsoft):
            guard let hash = account.ntHash.map({ MSCHAP.hash(ofNTHash: $0) }) else { return (unknown, .passwordHashUnusable) }
            return (hash.indices.map { hash[$0] }, nil)
        case (.ntHash, .none), (.hash, _): return (unknown, .eapMethodNeedsPassword)
        case (.none, _): return (unknown, .noPasswordSet)
        }
    }

    private mutating func commit(_ message: [UInt8], _ own: Commitment) -> EAPStep {
        guard message.count == PWDCurve.pointCount + PWDCurve.numberCount else { return .invalid }
        let (element, scalar) = (Array(message.prefix(PWDCurve.pointCount)), Array(message.suffix(PWDCurve.numberCount)))
        // What we said comes back: somebody who knows nothing (RFC 5931 §2.8.5.2).
        guard element != own.element, scalar != own.scalar, let curve = PWDCurve(),
            let key = curve.sharedKey(secret: own.secret, passwordElement: own.passwordElement, scalar: scalar, element: element)
        else { return .refused(.eapPeerRefused) }
        let server = Self.hash(key + own.element + own.scalar + element + scalar + Self.suite)
        let peer = Self.hash(key + element + scalar + own.element + own.scalar + Self.suite)
        phase = .confirming(
            Confirmation(
                name: own.name, refusal: own.refusal, key: key, peer: peer, server: server,
                sessionIdentifier: [UInt8(EAPType.pwd.number)] + Self.hash(Self.suite + scalar + own.scalar)))
        return .request([Exchange.confirm] + server)
    }

    private func confirm(_ message: [UInt8], _ expected: Confirmation) -> EAPStep {
        guard message.count == expected.peer.count else { return .invalid }
        let isRight = ConstantTime.equal(message.span, expected.peer.span)
        if let refusal = expected.refusal { return .refused(refusal) }
        guard isRight else { return .refused(.wrongPassword) }
        let master = Self.hash(expected.key + expected.peer + expected.server)
        let key = Self.expand(master, expected.sessionIdentifier, bits: 1024)
        return .proven(EAPKeys(receive: Array(key[0..<32]), send: Array(key[32..<64])), as: expected.name)
    }

    // MARK: Functions

    /// H: HMAC-SHA-256 under a key of zeros (RFC 5931 §2.4).
    static func hash(_ message: [UInt8]) -> [UInt8] { KeyedDigests.hmacSHA256([UInt8](repeating: 0, count: 32), message) }

    /// KDF (RFC 5931 §2.5).
    static func expand(_ key: [UInt8], _ label: [UInt8], bits: Int) -> [UInt8] {
        let length = [UInt8(bits >> 8), UInt8(bits & 0xff)]
        var (octets, last, counter) = ([UInt8](), [UInt8](), UInt8(1))
        while octets.count * 8 < bits {
            last = KeyedDigests.hmacSHA256(key, last + [0, counter] + label + length)
            octets += last
            counter += 1
        }
        return Array(octets.prefix(bits / 8))
    }
}
