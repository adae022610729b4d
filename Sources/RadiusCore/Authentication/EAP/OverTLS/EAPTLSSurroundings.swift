/// What methods over TLS need besides a packet. Confined to one step, as the rest of the surroundings.
public struct EAPTLSSurroundings {
    /// Asks for the peer's certificate: EAP-TLS. Nil where there is none of our own, or no authority to trust.
    public var certificate: TLSContext?
    /// Asks for none: TTLS, PEAP and TEAP.
    public var tunnel: TLSContext?
    /// Which names of a peer's certificate may be a subscriber's, the first the most likely.
    public var names: [EAPCertificateName]
    /// Octets of an EAP packet that the way to the peer takes.
    public var packetOctets: Int
    /// What a peer may do in a tunnel of TTLS.
    public var ttlsMethods: [EAPInnerMethod]
    /// Methods in a tunnel of PEAP, the first is proposed first.
    public var peapMethods: [EAPType]
    public var peapBinding: EAPCryptoBinding
    public var teap = EAPTEAPSettings()
    /// Whether a session may be taken up, or kept.
    var resumes = true
    /// What a policy rule leaves of the versions that a context allows; nil for all. Asked when a method begins.
    var versions: () -> TLSSettings.Versions? = { nil }
    /// Who asks whether a peer's certificate is still good; nil: nobody is asked.
    var status: OCSPService?
    /// Whose subscribers these are; a session that began elsewhere is not resumed.
    public var tenant: Int64

    public init(
        certificate: TLSContext? = nil, tunnel: TLSContext? = nil, names: [EAPCertificateName] = EAPCertificateName.allCases,
        packetOctets: Int = 1024, ttlsMethods: [EAPInnerMethod] = EAPInnerMethod.allCases,
        peapMethods: [EAPType] = [.msCHAPv2, .gtc, .tls],
        peapBinding: EAPCryptoBinding = .yes, tenant: Int64 = 0
    ) {
        self.certificate = certificate
        self.tunnel = tunnel
        self.names = names
        self.packetOctets = packetOctets
        self.ttlsMethods = ttlsMethods
        self.peapMethods = peapMethods
        self.peapBinding = peapBinding
        self.tenant = tenant
    }

    /// The context of a method; nil when it cannot be had now, or is none over TLS.
    func context(of type: EAPType) -> TLSContext? {
        switch type {
        case .tls: certificate
        case .ttls, .peap, .teap: tunnel
        default: nil
        }
    }
}

/// A kind of name in a peer's certificate (RFC 5216 §5.2).
public enum EAPCertificateName: String, Sendable, CaseIterable {
    /// Microsoft's user principal name.
    case userPrincipalName = "upn"
    case email
    case dns
    case commonName = "cn"

    func names(in certificate: CertificateDescription) -> [String] {
        switch self {
        case .userPrincipalName: certificate.names.userPrincipalNames
        case .email: certificate.names.emailAddresses
        case .dns: certificate.names.dnsNames
        case .commonName: certificate.commonName.map { [$0] } ?? []
        }
    }
}

/// How a peer proves itself in a tunnel (RFC 5281 §11.2, PEAP, TEAP).
public enum EAPInnerMethod: String, Sendable, CaseIterable {
    case pap, chap
    case msCHAP = "mschap"
    case msCHAPv2 = "mschapv2"
    case eapMSCHAPv2 = "eap-mschapv2"
    case eapMD5 = "eap-md5"
    case eapGTC = "eap-gtc"
    case eapTLS = "eap-tls"

    /// Of a method of EAP; nil for the others.
    var type: EAPType? {
        switch self {
        case .eapMD5: .md5Challenge
        case .eapGTC: .gtc
        case .eapMSCHAPv2: .msCHAPv2
        case .eapTLS: .tls
        default: nil
        }
    }

    init?(_ type: EAPType?) {
        guard let type, let method = Self.allCases.first(where: { $0.type == type }) else { return nil }
        self = method
    }
}
