/// What an EAP packet brings from a worker to the conversations.
struct EAPArrival: Sendable {
    /// The NAS; a conversation stays with the one that began it.
    let client: Int64
    let tenant: Int64
    let userName: [UInt8]
    /// Nil begins a conversation.
    let state: [UInt8]?
    /// EAP-Message, joined; empty for an EAP-Start (RFC 3579 §2.1).
    let message: [UInt8]
}

/// What the conversations answer, for the worker to send.
enum EAPOutcome: Sendable {
    /// Access-Challenge. `wasIgnored`: what came was no sensible Response (RFC 3579 §2.2).
    case challenge([UInt8], state: [UInt8], wasIgnored: Bool)
    /// The peer is `identity`; whether it may be online, the worker decides.
    case proven([UInt8], identity: [UInt8], keys: EAPKeys?, method: AuthenticationMethod)
    case refused([UInt8], AccessReason, identity: [UInt8], method: AuthenticationMethod)
    /// The same conversation is being worked on; the NAS will ask again.
    case drop
}

extension AuthenticationMethod {
    /// The name in the log for a conversation that has come to `type`.
    init(_ type: EAPType?) {
        switch type {
        case .md5Challenge: self = .eapMD5
        case .gtc: self = .eapGTC
        case .msCHAPv2: self = .eapMSCHAPv2
        default: self = .eap
        }
    }
}
