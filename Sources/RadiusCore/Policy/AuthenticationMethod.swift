/// How the subscriber proved the password.
public enum AuthenticationMethod: UInt8, Sendable, CaseIterable {
    case none, pap, chap, msCHAP, msCHAPv2
    /// EAP, before a method was agreed on.
    case eap
    case eapMD5, eapGTC, eapMSCHAPv2
    case eapTLS
    /// TTLS, before anything was said in the tunnel.
    case eapTTLS
    case eapTTLSPAP, eapTTLSCHAP, eapTTLSMSCHAP, eapTTLSMSCHAPv2
    case eapTTLSEAPMD5, eapTTLSEAPGTC, eapTTLSEAPMSCHAPv2, eapTTLSEAPTLS
    /// PEAP, before a method was agreed on in the tunnel.
    case eapPEAP
    case eapPEAPGTC, eapPEAPMSCHAPv2, eapPEAPTLS
    case eapSIM, eapAKA, eapAKAPrime, eapPWD
    /// TEAP, before a method was agreed on in the tunnel.
    case eapTEAP
    case eapTEAPPassword, eapTEAPMD5, eapTEAPGTC, eapTEAPMSCHAPv2, eapTEAPTLS

    /// Nobody gets in by it without a stored password, but for hardware addresses by PAP and CHAP.
    var needsPassword: Bool {
        switch self {
        case .none, .eap, .eapTLS, .eapTTLS, .eapTTLSEAPTLS, .eapPEAP, .eapPEAPTLS, .eapSIM, .eapAKA, .eapAKAPrime, .eapTEAP, .eapTEAPTLS:
            false
        default: true
        }
    }

    /// Raw values of what its name stands for in rules: its own, and for EAP, TTLS, PEAP and TEAP those of all that is inside, which stand
    /// behind it.
    var members: ClosedRange<UInt8> {
        switch self {
        case .eap: rawValue...Self.eapTEAPTLS.rawValue
        case .eapTTLS: rawValue...Self.eapTTLSEAPTLS.rawValue
        case .eapPEAP: rawValue...Self.eapPEAPTLS.rawValue
        case .eapTEAP: rawValue...Self.eapTEAPTLS.rawValue
        default: rawValue...rawValue
        }
    }

    /// The methods that a log-in comes by, where this one stands for several; none where it stands for itself.
    public var inside: [AuthenticationMethod] {
        Self.allCases.filter { $0 != self && members.contains($0.rawValue) && $0.members.count == 1 }
    }

    public var isOfEAP: Bool { Self.eap.members.contains(rawValue) }

    /// It is, or may become, a method of EAP over TLS.
    public var mayBeOverTLS: Bool {
        self == .eap || self == .eapTLS || [Self.eapTTLS, .eapPEAP, .eapTEAP].contains { $0.members.contains(rawValue) }
    }

    /// Those that a login may come by.
    public static var proofs: ArraySlice<AuthenticationMethod> { allCases.dropFirst() }

    public var name: String {
        switch self {
        case .none: "none"
        case .pap: "pap"
        case .chap: "chap"
        case .msCHAP: "mschap"
        case .msCHAPv2: "mschapv2"
        case .eap: "eap"
        case .eapMD5: "eap-md5"
        case .eapGTC: "eap-gtc"
        case .eapMSCHAPv2: "eap-mschapv2"
        case .eapTLS: "eap-tls"
        case .eapTTLS: "eap-ttls"
        case .eapTTLSPAP: "eap-ttls/pap"
        case .eapTTLSCHAP: "eap-ttls/chap"
        case .eapTTLSMSCHAP: "eap-ttls/mschap"
        case .eapTTLSMSCHAPv2: "eap-ttls/mschapv2"
        case .eapTTLSEAPMD5: "eap-ttls/eap-md5"
        case .eapTTLSEAPGTC: "eap-ttls/eap-gtc"
        case .eapTTLSEAPMSCHAPv2: "eap-ttls/eap-mschapv2"
        case .eapTTLSEAPTLS: "eap-ttls/eap-tls"
        case .eapPEAP: "eap-peap"
        case .eapPEAPGTC: "eap-peap/eap-gtc"
        case .eapPEAPMSCHAPv2: "eap-peap/eap-mschapv2"
        case .eapPEAPTLS: "eap-peap/eap-tls"
        case .eapSIM: "eap-sim"
        case .eapAKA: "eap-aka"
        case .eapAKAPrime: "eap-aka-prime"
        case .eapPWD: "eap-pwd"
        case .eapTEAP: "eap-teap"
        case .eapTEAPPassword: "eap-teap/password"
        case .eapTEAPMD5: "eap-teap/eap-md5"
        case .eapTEAPGTC: "eap-teap/eap-gtc"
        case .eapTEAPMSCHAPv2: "eap-teap/eap-mschapv2"
        case .eapTEAPTLS: "eap-teap/eap-tls"
        }
    }
}
