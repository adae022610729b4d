/// What a conversation must know of the subscriber that a peer claims to be; looked up again for each packet, so that a change of
/// password or level counts at once.
public struct EAPAccount: Sendable {
    /// What is stored to prove a password against.
    public enum Credential: Sendable {
        case none
        case clearText([UInt8])
        case ntHash(Digest16)
        /// A crypt(3) or PHC string; slow to compare.
        case hash([UInt8])

        var isNone: Bool { if case .none = self { true } else { false } }
    }

    /// A SIM card.
    public struct Card: Sendable {
        public let credential: SIMCredential
        /// Whose sequence numbers it counts.
        public let subscriber: Int64

        public init(_ credential: SIMCredential, subscriber: Int64) {
            self.credential = credential
            self.subscriber = subscriber
        }
    }

    public let credential: Credential
    /// Besides, or instead of, a password.
    public let card: Card?
    /// Why the subscriber is turned away although the password is right; nil when it is not.
    public let refusal: AccessReason?

    public init(_ credential: Credential, card: Card? = nil, refusal: AccessReason? = nil) {
        self.credential = credential
        self.card = card
        self.refusal = refusal
    }

    /// Whether the stored credential is enough for a method. Without any credential every method is, and ends in a refusal that says so.
    /// Methods over TLS say inside what they need.
    func allows(_ type: EAPType) -> Bool {
        if type.isOverTLS { return true }
        if type.isOfCard { return card != nil }
        return switch credential {
        case .none, .clearText: true
        case .ntHash: type != .md5Challenge
        case .hash: type != .md5Challenge && type != .msCHAPv2 && type != .pwd
        }
    }

    /// Holds a clear password against what is stored. Takes as long as a stored hash demands.
    func check(password: Span<UInt8>) -> EAPProof {
        switch credential {
        case .none: return .refused(.noPasswordSet)
        case .clearText(let stored): return EAPProof(PAP.verify(password, clearText: stored.span))
        case .ntHash(let hash): return EAPProof(PAP.verify(password, ntHash: hash))
        case .hash(let stored):
            switch PAP.verify(password, hash: stored.span) {
            case .matches: return .matches
            case .differs: return .refused(.wrongPassword)
            case .unusable: return .refused(.passwordHashUnusable)
            }
        }
    }

    /// The NT hash, stored or computed; nil where there is none.
    var ntHash: Digest16? {
        switch credential {
        case .clearText(let password): MSCHAP.ntHash(ofUTF8: password.span)
        case .ntHash(let hash): hash
        case .none, .hash: nil
        }
    }
}

/// What came of holding a peer's proof against an account.
enum EAPProof: Equatable {
    case matches
    case refused(AccessReason)

    init(_ matches: Bool) { self = matches ? .matches : .refused(.wrongPassword) }
}

/// Keys that a method leaves to the NAS (RFC 2548 §2.4.2, RFC 3748 §7.10).
public struct EAPKeys: Equatable, Sendable {
    /// MS-MPPE-Recv-Key: what the NAS decrypts with.
    public let receive: [UInt8]
    /// MS-MPPE-Send-Key: what the NAS encrypts with.
    public let send: [UInt8]
    /// EMSK, which stays here; empty where the method has none, or nobody asks for it.
    var extended: [UInt8] = []
}
