/// What a TLS session remembers of the log-in that it began with, so that taking it up counts for the same log-in only.
struct EAPSessionMemory: Equatable {
    let type: EAPType
    let tenant: Int64
    /// Of the stored credential, when the password was what the peer proved; zeros else.
    let digest: [UInt8]
    let identity: [UInt8]

    private static let digestCount = 20
    private static let headCount = 1 + 8 + digestCount

    init(_ type: EAPType, tenant: Int64, identity: [UInt8], _ account: EAPAccount) {
        self.type = type
        self.tenant = tenant
        self.identity = identity
        digest = type == .tls ? [UInt8](repeating: 0, count: Self.digestCount) : account.credentialDigest
    }

    /// Nil for octets that `octets` never made.
    init?(_ octets: [UInt8]) {
        guard octets.count > Self.headCount else { return nil }
        type = EAPType(UInt32(octets[0]))
        tenant = octets[1..<9].reduce(0) { $0 << 8 | Int64($1) }
        digest = Array(octets[9..<Self.headCount])
        identity = Array(octets[Self.headCount...])
    }

    var octets: [UInt8] {
        [UInt8(truncatingIfNeeded: type.number)] + (0..<8).map { UInt8(truncatingIfNeeded: tenant >> (56 - 8 * Int64($0))) } + digest
            + identity
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
