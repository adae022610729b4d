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
    /// Framed-MTU: octets of an EAP packet that the way to the peer takes (RFC 3579 §2.4); nil when the NAS does not say.
    var framedMTU: Int?
}

/// What the conversations answer, for the worker to send.
enum EAPOutcome: Sendable {
    /// Why who is refused.
    struct Verdict: Sendable {
        let reason: AccessReason
        let identity: [UInt8]
        let method: AuthenticationMethod
    }

    /// Access-Challenge. `wasIgnored`: what came was no sensible Response (RFC 3579 §2.2). `verdict`: the peer will be refused, and is told
    /// so now; whether it answers or not, this is for the log.
    case challenge([UInt8], state: [UInt8], wasIgnored: Bool, verdict: Verdict? = nil)
    /// The peer is `identity`; whether it may be online, the worker decides. `isNoted`: the same packet was answered before.
    case proven([UInt8], identity: [UInt8], keys: EAPKeys?, method: AuthenticationMethod, isNoted: Bool)
    /// `isNoted`: a challenge had the verdict already, or the same packet was answered before.
    case refused([UInt8], Verdict, isNoted: Bool)
    /// The same conversation is being worked on; the NAS will ask again.
    case drop
    /// The same packet is to be answered anew once the inquiry is done.
    case wait(OCSPInquiry)
}

extension AuthenticationMethod {
    /// The name in the log for a conversation that has come to `type`, and inside a tunnel to `inner`.
    init(_ type: EAPType?, _ inner: EAPInnerMethod? = nil) {
        switch type {
        case .tls: self = .eapTLS
        case .ttls: self = Self.ttls(inner)
        case .peap: self = Self.peap(inner)
        case .teap: self = Self.teap(inner)
        case .md5Challenge: self = .eapMD5
        case .gtc: self = .eapGTC
        case .msCHAPv2: self = .eapMSCHAPv2
        case .sim: self = .eapSIM
        case .aka: self = .eapAKA
        case .akaPrime: self = .eapAKAPrime
        case .pwd: self = .eapPWD
        default: self = .eap
        }
    }

    private static func ttls(_ inner: EAPInnerMethod?) -> AuthenticationMethod {
        switch inner {
        case .pap: .eapTTLSPAP
        case .chap: .eapTTLSCHAP
        case .msCHAP: .eapTTLSMSCHAP
        case .msCHAPv2: .eapTTLSMSCHAPv2
        case .eapMD5: .eapTTLSEAPMD5
        case .eapGTC: .eapTTLSEAPGTC
        case .eapMSCHAPv2: .eapTTLSEAPMSCHAPv2
        case .eapTLS: .eapTTLSEAPTLS
        case nil: .eapTTLS
        }
    }

    private static func peap(_ inner: EAPInnerMethod?) -> AuthenticationMethod {
        switch inner {
        case .eapGTC: .eapPEAPGTC
        case .eapMSCHAPv2: .eapPEAPMSCHAPv2
        case .eapTLS: .eapPEAPTLS
        default: .eapPEAP
        }
    }

    private static func teap(_ inner: EAPInnerMethod?) -> AuthenticationMethod {
        switch inner {
        case .pap: .eapTEAPPassword
        case .eapMD5: .eapTEAPMD5
        case .eapGTC: .eapTEAPGTC
        case .eapMSCHAPv2: .eapTEAPMSCHAPv2
        case .eapTLS: .eapTEAPTLS
        default: .eapTEAP
        }
    }
}
