extension AccessReason {
    /// What a failure of TLS is called in the authentication log.
    init(_ failure: TLSFailure) {
        self =
            switch failure {
            case .certificate(let problem, _): AccessReason(problem)
            case .noCertificate, .presharedKey: .certificateMissing
            case .alert(let number): AccessReason(alert: number)
            case .noSharedVersion: .tlsNoSharedVersion
            case .noSharedCipher: .tlsNoSharedCipher
            case .noSharedProtocol, .malformed: .tlsMalformed
            case .tooLong: .eapTooLong
            case .broken: .tlsBroken
            }
    }

    private init(_ problem: CertificateProblem) {
        self =
            switch problem {
            case .expired: .certificateExpired
            case .notYetValid: .certificateNotYetValid
            case .revoked: .certificateRevoked
            case .unknownAuthority, .selfSigned: .certificateUnknownAuthority
            case .wrongPurpose: .certificateWrongPurpose
            case .noRevocationList: .revocationListMissing
            case .staleRevocationList: .revocationListStale
            case .badSignature, .wrongName, .tooWeak, .other: .certificateRefused
            }
    }

    /// Alerts of RFC 8446 §6.
    private init(alert: UInt8) {
        self =
            switch alert {
            case 48: .tlsPeerDistrusts
            case 42, 43, 44, 45, 46, 112: .tlsPeerRefusesCertificate
            case 70: .tlsNoSharedVersion
            case 40, 71: .tlsNoSharedCipher
            default: .tlsPeerGaveUp
            }
    }
}
