/// What is stored to prove a password against.
public enum CredentialKind: UInt8, Sendable {
    case none
    /// The password itself: every method works.
    case clearText
    /// The MD4 of the password, 16 octets: PAP and MS-CHAP work.
    case ntHash
    /// A crypt(3) or PHC string: PAP only, off the packet path.
    case hash
}

/// One subscriber as the snapshot holds it: a view on packed octets, no copy.
///
/// Valid while the snapshot that handed it out is alive; read by any thread. The octets: `Header`; the upper halves of id, tenant and
/// profile where one needs them; `Extension` where something in it is set; then name, credential (and a SIM card's), identity, service,
/// what the subscriber is bound to (`BoundTo`), and its `QuotaLimit`.
public struct SubscriberRecord: @unchecked Sendable {
    // Guard: the octets are immutable once the index is built, and the holder of the snapshot keeps them alive.
    let base: UnsafeRawPointer

    /// Begins every record; 20 octets, at an address that is a multiple of four.
    struct Header: BitwiseCopyable {
        var id: UInt32 = 0
        var tenant: UInt32 = 0
        var profile: UInt32 = 0
        var credentialCount: UInt16 = 0
        var nameCount: UInt8 = 0
        /// Unless an extension says it.
        var identityCount: UInt8 = 0
        /// `CredentialKind` in the lower four bits, `SubscriberStatus` in the upper four.
        var kindAndStatus: UInt8 = 0
        var flags: UInt8 = 0
        var locks = LockSet()
    }

    /// What few subscribers have.
    struct Extension: BitwiseCopyable {
        var sessionTimeoutSeconds: UInt32 = 0
        var idleTimeoutSeconds: UInt32 = 0
        var interimSeconds: UInt32 = 0
        var expiresSeconds: UInt32 = 0
        var validitySeconds: UInt32 = 0
        var identityCount: UInt16 = 0
        var serviceCount: UInt16 = 0
        /// In halves, lower first: the record lies at a multiple of four.
        var ownProfile: (UInt32, UInt32) = (0, 0)
        /// Octets of the `QuotaLimit` that ends the record; 0 without one.
        var limitCount: UInt32 = 0
    }

    /// Bits of `Header.flags`.
    enum Flag {
        static let replacesFilters: UInt8 = 1
        static let keyedAttributes: UInt8 = 2
        /// The upper halves of the three numbers follow the header.
        static let wide: UInt8 = 4
        static let extended: UInt8 = 8
        /// Not a subscriber but the order to remove one; never stands in an index.
        static let removal: UInt8 = 16
        static let hardwareAddress: UInt8 = 32
        /// The last octets of the credential are those of a SIM card.
        static let card: UInt8 = 64
        /// Behind the attributes are the octets of `BoundTo`.
        static let bound: UInt8 = 128
    }

    static let headerCount = MemoryLayout<Header>.size
    static let extensionCount = MemoryLayout<Extension>.size
    static let wideCount = 12

    var header: Header { base.load(as: Header.self) }

    public var id: Int64 { number(header.id, 0) }
    public var tenant: Int64 { number(header.tenant, 1) }
    /// 0 when none is assigned.
    public var profile: Int64 { number(header.profile, 2) }
    /// The same unless a quota has the subscriber answered another.
    var ownProfile: Int64 { extended.map { Int64(bitPattern: UInt64($0.ownProfile.1) << 32 | UInt64($0.ownProfile.0)) } ?? profile }
    public var status: SubscriberStatus { SubscriberStatus(rawValue: header.kindAndStatus >> 4) ?? .terminated }
    public var locks: LockSet { header.locks }
    public var credentialKind: CredentialKind { CredentialKind(rawValue: header.kindAndStatus & 15) ?? .none }
    /// 0 where the profile decides.
    public var sessionTimeoutSeconds: UInt32 { extended?.sessionTimeoutSeconds ?? 0 }
    public var idleTimeoutSeconds: UInt32 { extended?.idleTimeoutSeconds ?? 0 }
    public var interimSeconds: UInt32 { extended?.interimSeconds ?? 0 }
    /// Since 1970; 0 for never.
    public var expiresSeconds: UInt32 { extended?.expiresSeconds ?? 0 }
    /// From the first login on, while that is awaited; else 0.
    public var validitySeconds: UInt32 { extended?.validitySeconds ?? 0 }
    /// The account ends some day, or a quota limits its sessions.
    var isLimited: Bool { extended.map { $0.expiresSeconds | $0.validitySeconds | $0.limitCount != 0 } ?? false }
    /// The subscriber has Filter-Id of its own, so the profile's are not sent.
    public var replacesFilters: Bool { header.flags & Flag.replacesFilters != 0 }
    /// Some reply attribute is encrypted per packet and stands beside the index.
    public var hasKeyedAttributes: Bool { header.flags & Flag.keyedAttributes != 0 }
    /// The name is a hardware address in the form of `HardwareAddress.text`; without a password, being it is enough.
    public var authenticatesByMAC: Bool { header.flags & Flag.hardwareAddress != 0 }
    /// A SIM card proves the subscriber, too.
    var hasCard: Bool { header.flags & Flag.card != 0 }
    /// The subscriber is bound to stations or lines, or has a limit of sessions of its own.
    var isBound: Bool { header.flags & Flag.bound != 0 }
    var isRemoval: Bool { header.flags & Flag.removal != 0 }

    public var name: UnsafeRawBufferPointer { part(0, Int(header.nameCount)) }
    public var credential: UnsafeRawBufferPointer {
        let header = header
        return part(Int(header.nameCount), Int(header.credentialCount) - Self.cardCount(header))
    }
    /// `SIMCredential.octets`; empty without a card.
    var card: UnsafeRawBufferPointer {
        let header = header
        let count = Self.cardCount(header)
        return part(Int(header.nameCount) + Int(header.credentialCount) - count, count)
    }
    /// Encoded attributes that go into every Accept, the walled garden's too: addresses, prefixes, VLAN.
    public var identity: UnsafeRawBufferPointer {
        let header = header
        return part(Int(header.nameCount) + Int(header.credentialCount), identityCount(header))
    }
    /// Encoded attributes of the full service only: routes, filters, free attributes.
    public var service: UnsafeRawBufferPointer {
        let header = header
        guard header.flags & Flag.extended != 0, let count = extended?.serviceCount else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return part(Int(header.nameCount) + Int(header.credentialCount) + identityCount(header), Int(count))
    }

    /// What the subscriber is bound to; nil for nothing.
    var boundTo: BoundTo? { isBound ? BoundTo(base + octetsBeforeBindings) : nil }

    /// What NASes are told of its quota; nil for nothing.
    var quotaLimit: QuotaLimit? {
        guard let count = extended?.limitCount, count != 0 else { return nil }
        return base.loadUnaligned(fromByteOffset: octets - Int(count), as: QuotaLimit.self)
    }

    /// Octets of the whole record, without what pads it.
    var octets: Int { octetsBeforeBindings + (boundTo?.count ?? 0) + Int(extended?.limitCount ?? 0) }

    private var octetsBeforeBindings: Int {
        let header = header
        let parts = Int(header.nameCount) + Int(header.credentialCount) + identityCount(header) + Int(extended?.serviceCount ?? 0)
        return Self.fixedCount(header) + parts
    }

    private func number(_ low: UInt32, _ position: Int) -> Int64 {
        guard header.flags & Flag.wide != 0 else { return Int64(low) }
        let high = base.load(fromByteOffset: Self.headerCount + position * 4, as: UInt32.self)
        return Int64(bitPattern: UInt64(high) << 32 | UInt64(low))
    }

    private var extended: Extension? {
        let flags = header.flags
        guard flags & Flag.extended != 0 else { return nil }
        return base.load(fromByteOffset: Self.headerCount + (flags & Flag.wide != 0 ? Self.wideCount : 0), as: Extension.self)
    }

    private func identityCount(_ header: Header) -> Int { extended.map { Int($0.identityCount) } ?? Int(header.identityCount) }

    private static func cardCount(_ header: Header) -> Int { header.flags & Flag.card != 0 ? SIMCredential.count : 0 }

    private func part(_ offset: Int, _ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + Self.fixedCount(header) + offset, count: count)
    }

    private static func fixedCount(_ header: Header) -> Int {
        headerCount + (header.flags & Flag.wide != 0 ? wideCount : 0) + (header.flags & Flag.extended != 0 ? extensionCount : 0)
    }
}
