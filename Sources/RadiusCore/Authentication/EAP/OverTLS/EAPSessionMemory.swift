/// What a TLS session remembers of the log-in that it began with, so that taking it up counts for the same log-in only.
struct EAPSessionMemory: Equatable {
    let type: EAPType
    let tenant: Int64
    /// Of the stored credential, when the password was what the peer proved; zeros else.
    let digest: [UInt8]
    let identity: [UInt8]
    /// Who proved itself besides, in TEAP; empty where nobody did.
    let companion: [UInt8]
    /// What was done in the tunnel; nil for EAP-TLS.
    let inner: EAPInnerMethod?
    /// The peer's, as an OCSP responder was asked about it; empty where none was.
    let certificate: [UInt8]

    private static let digestCount = 20
    /// Type, inner method, tenant, digest, and two lengths.
    private static let headCount = 1 + 1 + 8 + digestCount + 2

    init(
        _ type: EAPType, _ inner: EAPInnerMethod?, tenant: Int64, identity: [UInt8], _ account: EAPAccount, certificate: [UInt8] = [],
        companion: (identity: [UInt8], account: EAPAccount)? = nil
    ) {
        // A name that is longer than RFC 5280 allows is asked about anew.
        self.certificate = certificate.count <= UInt8.max ? certificate : []
        self.type = type
        self.inner = inner
        self.tenant = tenant
        self.identity = identity
        self.companion = companion?.identity ?? []
        let own = type == .tls ? [UInt8](repeating: 0, count: Self.digestCount) : account.credentialDigest
        digest = companion.map { KeyedDigests.sha1(own + $0.account.credentialDigest) } ?? own
    }

    /// Nil for octets that `octets` never made.
    init?(_ octets: [UInt8]) {
        guard octets.count > Self.headCount else { return nil }
        type = EAPType(UInt32(octets[0]))
        let methods = EAPInnerMethod.allCases
        guard Int(octets[1]) <= methods.count else { return nil }
        inner = octets[1] == 0 ? nil : methods[Int(octets[1]) - 1]
        tenant = octets[2..<10].reduce(0) { $0 << 8 | Int64($1) }
        digest = Array(octets[10..<10 + Self.digestCount])
        let middle = Self.headCount + Int(octets[Self.headCount - 2])
        let end = middle + Int(octets[Self.headCount - 1])
        guard octets.count > end else { return nil }
        certificate = Array(octets[Self.headCount..<middle])
        companion = Array(octets[middle..<end])
        identity = Array(octets[end...])
    }

    var octets: [UInt8] {
        let method = inner.flatMap { EAPInnerMethod.allCases.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
        let head =
            [UInt8(truncatingIfNeeded: type.number), UInt8(method)]
            + (0..<8).map { UInt8(truncatingIfNeeded: tenant >> (56 - 8 * Int64($0))) } + digest
        return head + [UInt8(certificate.count), UInt8(companion.count)] + certificate + companion + identity
    }
}

extension EAPAccount {
    /// Changes with the stored credential, and does not tell it: SHA-1 over its kind and octets.
    fileprivate var credentialDigest: [UInt8] {
        var digest = SHA1()
        switch credential {
        case .none: digest.update([0].span)
        case .clearText(let password): digest.update(([1] + password).span)
        case .ntHash(let hash): digest.update(([2] + hash.indices.map { hash[$0] }).span)
        case .hash(let stored): digest.update(([3] + stored).span)
        }
        let octets = digest.finish()
        return octets.indices.map { octets[$0] }
    }
}
