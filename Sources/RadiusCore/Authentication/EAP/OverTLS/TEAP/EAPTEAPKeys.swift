/// How the keys of TEAP come about.
public enum EAPTEAPSchedule: String, Sendable, CaseIterable {
    /// As RFC 9930 has it.
    case rfc9930
    /// The same without the EMSK of methods inside, for devices whose EMSK is another than ours.
    case rfc9930MSK = "rfc9930_msk"
    /// As wpa_supplicant up to 2.10 reads RFC 7170: MSCHAPv2's key in its own order, the keys of the NAS without EMSK, and each binding by
    /// itself before the next method begins.
    case rfc7170
}

/// The compound keys of TEAP (RFC 9930): each method inside that succeeds is mixed into what the tunnel began with.
///
/// There are two chains, of MSK and of EMSK, since not every method, and not every peer, has the latter.
struct EAPTEAPKeys: Sendable, Equatable {
    /// What a method inside leaves.
    enum Inner: Equatable {
        /// None ran: a session was taken up.
        case nothing
        /// A password, which leaves no key.
        case password
        case method(EAPType, EAPKeys?)
    }

    /// S-IMCK and CMK after a method.
    private struct Link: Equatable {
        var secret: [UInt8]
        var macKey: [UInt8] = []
    }

    static let seedLabel = "EXPORTER: teap session key seed"
    static let seedCount = 40
    private static let linkCount = 60
    private static let innerCount = 32

    let schedule: EAPTEAPSchedule
    private let digest: KeyedDigests.Kind
    private let macDigest: KeyedDigests.Kind
    private let seed: [UInt8]
    private var ofMSK: Link
    private var ofEMSK: Link
    /// A method inside has left a key.
    private var hasKeys = false
    /// The latest method has left an EMSK.
    private(set) var bindsEMSK = false

    /// - Parameters:
    ///   - seed: what the tunnel exports for `seedLabel`.
    ///   - digest: of the PRF of the cipher suite.
    ///   - macDigest: of its MAC.
    ///   - schedule: whose reading.
    init(seed: [UInt8], digest: KeyedDigests.Kind, macDigest: KeyedDigests.Kind, schedule: EAPTEAPSchedule) {
        (self.seed, self.digest, self.macDigest, self.schedule) = (seed, digest, macDigest, schedule)
        (ofMSK, ofEMSK) = (Link(secret: seed), Link(secret: seed))
    }

    /// Mixes in what a method has left that succeeded.
    mutating func add(_ inner: Inner) {
        let (session, extended) = (sessionKey(of: inner), extendedKey(of: inner))
        let next = link(after: ofMSK, session ?? [])
        switch inner {
        case .nothing: ofMSK.macKey = next.macKey
        case .password where schedule == .rfc7170: ofMSK.macKey = next.macKey
        case .password, .method: ofMSK = next
        }
        bindsEMSK = extended != nil
        hasKeys = hasKeys || session != nil || extended != nil
        if let extended { ofEMSK = link(after: ofEMSK, extended) }
    }

    /// Codes over `octets` by the keys of the latest method: 20 octets each.
    func macs(over octets: [UInt8]) -> (ofMSK: [UInt8], ofEMSK: [UInt8]?) {
        let count = 20
        return (
            Array(KeyedDigests.hmac(macDigest, ofMSK.macKey, octets).prefix(count)),
            bindsEMSK ? Array(KeyedDigests.hmac(macDigest, ofEMSK.macKey, octets).prefix(count)) : nil
        )
    }

    /// The MSK of the whole conversation; 64 octets. `usesEMSK`: the peer has bound the latest method by its EMSK.
    func masterSessionKey(usesEMSK: Bool) -> [UInt8] {
        let secret = schedule == .rfc7170 || hasKeys ? (usesEMSK && schedule == .rfc9930 ? ofEMSK.secret : ofMSK.secret) : seed
        return Self.expand(digest, secret, "Session Key Generating Function", [], count: 64)
    }

    private func link(after last: Link, _ key: [UInt8]) -> Link {
        let key = key.prefix(Self.innerCount) + [UInt8](repeating: 0, count: max(0, Self.innerCount - key.count))
        let octets = Self.expand(digest, last.secret, "Inner Methods Compound Keys", Array(key), count: Self.linkCount)
        return Link(secret: Array(octets.prefix(Self.seedCount)), macKey: Array(octets.dropFirst(Self.seedCount)))
    }

    private func sessionKey(of inner: Inner) -> [UInt8]? {
        guard case .method(let type, let keys?) = inner else { return nil }
        // EAP-FAST's order (RFC 5422 §3.2.3), of which all but wpa_supplicant up to 2.10 make use.
        return type == .msCHAPv2 && schedule != .rfc7170 ? keys.send + keys.receive : keys.receive + keys.send
    }

    private func extendedKey(of inner: Inner) -> [UInt8]? {
        guard schedule == .rfc9930, case .method(_, let keys?) = inner, !keys.extended.isEmpty else { return nil }
        // The octets behind the label: RFC 5295's zero, and 64 in two.
        return Self.expand(digest, keys.extended, "TEAPbindkey@ietf.org", [0, 0, 64], count: Self.innerCount)
    }

    /// The PRF of TLS 1.2 (RFC 5246 §5), with the digest of the cipher suite; for suites of TLS 1.3, too.
    static func expand(_ digest: KeyedDigests.Kind, _ secret: [UInt8], _ label: String, _ seed: [UInt8], count: Int) -> [UInt8] {
        let seed = Array(label.utf8) + seed
        var (octets, last) = ([UInt8](), seed)
        while octets.count < count {
            last = KeyedDigests.hmac(digest, secret, last)
            octets += KeyedDigests.hmac(digest, secret, last + seed)
        }
        return Array(octets.prefix(count))
    }
}
