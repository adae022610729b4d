/// The keys of one conversation of EAP-SIM, EAP-AKA or EAP-AKA' (RFC 4186 §7, RFC 4187 §7, RFC 9048 §3.3).
struct SIMKeys: Equatable, Sendable {
    /// Octets of AT_MAC.
    static let codeCount = 16

    /// K_aut: 16 octets, and 32 of EAP-AKA'.
    let authenticationKey: [UInt8]
    /// MSK, 64 octets.
    let masterSessionKey: [UInt8]
    /// AT_MAC is made with SHA-256 instead of SHA-1.
    private let usesSHA256: Bool

    /// EAP-SIM: `versions` is what AT_VERSION_LIST holds.
    init(identity: [UInt8], cipherKeys: [[UInt8]], nonce: [UInt8], versions: [UInt8], selected: [UInt8]) {
        self.init(masterKey: KeyedDigests.sha1(identity + cipherKeys.joined() + nonce + versions + selected))
    }

    /// EAP-AKA.
    init(identity: [UInt8], integrityKey: [UInt8], cipherKey: [UInt8]) {
        self.init(masterKey: KeyedDigests.sha1(identity + integrityKey + cipherKey))
    }

    private init(masterKey: [UInt8]) {
        // K_encr of 16 octets, of which nothing is made here, comes first.
        let octets = Self.expand(masterKey, count: 96)
        authenticationKey = Array(octets[16..<32])
        masterSessionKey = Array(octets[32..<96])
        usesSHA256 = false
    }

    /// EAP-AKA', from keys that are bound to the network already.
    init(identity: [UInt8], boundIntegrityKey: [UInt8], boundCipherKey: [UInt8]) {
        let octets = Self.expandSHA256(boundIntegrityKey + boundCipherKey, Array("EAP-AKA'".utf8) + identity, count: 144)
        authenticationKey = Array(octets[16..<48])
        masterSessionKey = Array(octets[80..<144])
        usesSHA256 = true
    }

    /// What AT_MAC holds for a packet whose own 16 octets are zero.
    func code(_ packet: [UInt8]) -> [UInt8] {
        let code = usesSHA256 ? KeyedDigests.hmacSHA256(authenticationKey, packet) : KeyedDigests.hmacSHA1(authenticationKey, packet)
        return Array(code.prefix(Self.codeCount))
    }

    /// Whether a Response is from who has the keys: its data behind the type, and what the code covers besides.
    func verify(_ data: [UInt8], _ attributes: SIMAttributes, _ type: EAPType, identifier: UInt8, more: [UInt8] = []) -> Bool {
        guard let offset = attributes.codeOffset else { return false }
        var cleared = data
        cleared.replaceSubrange(offset..<offset + Self.codeCount, with: [UInt8](repeating: 0, count: Self.codeCount))
        let expected = code(EAPPacket.octets(.response, identifier, type, cleared) + more)
        return ConstantTime.equal(expected.span, data.span.extracting(offset..<offset + Self.codeCount))
    }

    var keys: EAPKeys { EAPKeys(receive: Array(masterSessionKey.prefix(32)), send: Array(masterSessionKey.suffix(32))) }

    /// CK' and IK': the card's keys bound to the name of the network (3GPP TS 33.402 annex A.2; RFC 9048 §3.3).
    static func bind(
        cipherKey: [UInt8], integrityKey: [UInt8], network: [UInt8], hiddenSequence: [UInt8]
    ) -> (cipherKey: [UInt8], integrityKey: [UInt8]) {
        let count = [UInt8(truncatingIfNeeded: network.count >> 8), UInt8(truncatingIfNeeded: network.count)]
        let octets = KeyedDigests.hmacSHA256(cipherKey + integrityKey, [0x20] + network + count + hiddenSequence + [0, 6])
        return (Array(octets.prefix(16)), Array(octets.suffix(16)))
    }

    /// The pseudo-random function of FIPS 186-2, change notice 1, without the final reduction (RFC 4186 appendix B). `key` has 20 octets.
    static func expand(_ key: [UInt8], count: Int) -> [UInt8] {
        var (key, octets) = (key, [UInt8]())
        while octets.count < count {
            let word = step(key)
            octets += word
            key = add(key, word)
        }
        return Array(octets.prefix(count))
    }

    /// G of FIPS 186-2 appendix 3.3: SHA-1 of one block that is not padded as a message is.
    private static func step(_ value: [UInt8]) -> [UInt8] {
        let block = value + [UInt8](repeating: 0, count: 64 - value.count)
        var chain = SHA1Chain()
        chain.compress(block.span.bytes, at: 0)
        let words = [chain.a, chain.b, chain.c, chain.d, chain.e]
        return words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) } }
    }

    /// One more than the sum, modulo 2^160.
    private static func add(_ first: [UInt8], _ second: [UInt8]) -> [UInt8] {
        var (sum, carry) = (first, UInt16(1))
        for place in first.indices.reversed() {
            carry += UInt16(first[place]) + UInt16(second[place])
            sum[place] = UInt8(truncatingIfNeeded: carry)
            carry >>= 8
        }
        return sum
    }

    /// PRF' (RFC 9048 §3.4.1).
    private static func expandSHA256(_ key: [UInt8], _ seed: [UInt8], count: Int) -> [UInt8] {
        var (octets, last, counter) = ([UInt8](), [UInt8](), UInt8(1))
        while octets.count < count {
            last = KeyedDigests.hmacSHA256(key, last + seed + [counter])
            octets += last
            counter += 1
        }
        return Array(octets.prefix(count))
    }
}
