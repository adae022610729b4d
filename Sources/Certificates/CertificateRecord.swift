/// One line of an authority's index: a certificate that it issued.
public struct CertificateRecord: Sendable, Equatable {
    /// Hexadecimal digits, two an octet.
    public let serial: String
    public let kind: CertificateKind
    /// The stem of its file names.
    public let name: String
    public let commonName: String
    /// Seconds since 1970.
    public let notBefore: Int64
    public let notAfter: Int64
    /// When it was revoked, and why; nil while it was not.
    public internal(set) var revocation: Revocation?

    public struct Revocation: Sendable, Equatable {
        /// Seconds since 1970.
        public let time: Int64
        public let reason: RevocationReason
    }

    public enum State: String, Sendable {
        case valid, expired, revoked
    }

    /// A revoked certificate stays revoked when it has expired, too.
    public func state(at now: Int64) -> State {
        if revocation != nil { return .revoked }
        return now > notAfter ? .expired : .valid
    }

    /// Whole days until it expires; negative afterwards.
    public func daysLeft(at now: Int64) -> Int64 {
        let seconds = notAfter - now
        return seconds >= 0 ? seconds / 86400 : -((86399 - seconds) / 86400)
    }
}

/// Why a certificate is revoked (RFC 5280 §5.3.1).
public enum RevocationReason: String, Sendable, CaseIterable {
    case unspecified
    /// The private key is known to somebody else, or a device was stolen.
    case keyCompromise = "key-compromise"
    case affiliationChanged = "affiliation-changed"
    /// A new certificate took its place.
    case superseded
    /// The device or account is gone.
    case cessationOfOperation = "cessation-of-operation"

    /// The value of CRLReason.
    var code: Int {
        switch self {
        case .unspecified: 0
        case .keyCompromise: 1
        case .affiliationChanged: 3
        case .superseded: 4
        case .cessationOfOperation: 5
        }
    }
}
