import Glibc

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
/// Valid while the snapshot that handed it out is alive; read by any thread.
public struct SubscriberRecord: @unchecked Sendable {
    // Guard: the octets are immutable once the index is built, and the holder of the snapshot keeps them alive.
    let base: UnsafeRawPointer

    /// Fixed part of a record; the variable parts follow it in the order of their counts.
    struct Fixed: BitwiseCopyable {
        var id: Int64 = 0
        var tenant: Int64 = 0
        var profile: Int64 = 0
        var sessionTimeoutSeconds: UInt32 = 0
        var idleTimeoutSeconds: UInt32 = 0
        var interimSeconds: UInt32 = 0
        var credentialCount: UInt16 = 0
        var identityCount: UInt16 = 0
        var serviceCount: UInt16 = 0
        var nameCount: UInt8 = 0
        var credentialKind: UInt8 = 0
        var status: UInt8 = 0
        var locks = LockSet()
        var isRemoved = false
        var replacesFilters = false
        var hasKeyedAttributes = false
    }

    static let fixedCount = MemoryLayout<Fixed>.stride

    var fixed: Fixed { base.load(as: Fixed.self) }

    public var id: Int64 { fixed.id }
    public var tenant: Int64 { fixed.tenant }
    /// 0 when none is assigned.
    public var profile: Int64 { fixed.profile }
    public var status: SubscriberStatus { SubscriberStatus(rawValue: fixed.status) ?? .terminated }
    public var locks: LockSet { fixed.locks }
    public var credentialKind: CredentialKind { CredentialKind(rawValue: fixed.credentialKind) ?? .none }
    /// 0 where the profile decides.
    public var sessionTimeoutSeconds: UInt32 { fixed.sessionTimeoutSeconds }
    public var idleTimeoutSeconds: UInt32 { fixed.idleTimeoutSeconds }
    public var interimSeconds: UInt32 { fixed.interimSeconds }
    /// The subscriber has Filter-Id of its own, so the profile's are not sent.
    public var replacesFilters: Bool { fixed.replacesFilters }
    /// Some reply attribute is encrypted per packet and stands beside the index.
    public var hasKeyedAttributes: Bool { fixed.hasKeyedAttributes }
    var isRemoved: Bool { fixed.isRemoved }

    public var name: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + Self.fixedCount, count: Int(fixed.nameCount))
    }
    public var credential: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + Self.fixedCount + Int(fixed.nameCount), count: Int(fixed.credentialCount))
    }
    /// Encoded attributes that go into every Accept, the walled garden's too: addresses, prefixes, VLAN.
    public var identity: UnsafeRawBufferPointer {
        let part = fixed
        let offset = Self.fixedCount + Int(part.nameCount) + Int(part.credentialCount)
        return UnsafeRawBufferPointer(start: base + offset, count: Int(part.identityCount))
    }
    /// Encoded attributes of the full service only: routes, filters, free attributes.
    public var service: UnsafeRawBufferPointer {
        let part = fixed
        let offset = Self.fixedCount + Int(part.nameCount) + Int(part.credentialCount) + Int(part.identityCount)
        return UnsafeRawBufferPointer(start: base + offset, count: Int(part.serviceCount))
    }
}

/// A subscriber as the compiler hands it to the index.
public struct SubscriberEntry: Sendable {
    public var id: Int64 = 0
    public var tenant: Int64 = 0
    public var profile: Int64 = 0
    /// 1...253 octets.
    public var name: [UInt8] = []
    public var status: SubscriberStatus = .active
    public var locks = LockSet()
    public var credentialKind: CredentialKind = .none
    public var credential: [UInt8] = []
    public var identity: [UInt8] = []
    public var service: [UInt8] = []
    public var sessionTimeoutSeconds: UInt32 = 0
    public var idleTimeoutSeconds: UInt32 = 0
    public var interimSeconds: UInt32 = 0
    public var replacesFilters = false
    public var hasKeyedAttributes = false
    /// The name is free: looking it up finds nobody.
    public var isRemoved = false

    public init() {}

    /// Whether name and parts have lengths that a record can hold.
    public var isStorable: Bool {
        (1...253).contains(name.count) && credential.count <= 1024 && identity.count <= 4096 && service.count <= 4096
    }

    /// The entry that hides whoever is called `name` in `tenant`.
    public static func removal(of name: [UInt8], in tenant: Int64) -> SubscriberEntry {
        var entry = SubscriberEntry()
        entry.tenant = tenant
        entry.name = name
        entry.isRemoved = true
        return entry
    }

    var fixed: SubscriberRecord.Fixed {
        SubscriberRecord.Fixed(
            id: id, tenant: tenant, profile: profile, sessionTimeoutSeconds: sessionTimeoutSeconds,
            idleTimeoutSeconds: idleTimeoutSeconds, interimSeconds: interimSeconds,
            credentialCount: UInt16(credential.count), identityCount: UInt16(identity.count), serviceCount: UInt16(service.count),
            nameCount: UInt8(name.count), credentialKind: credentialKind.rawValue, status: status.rawValue, locks: locks,
            isRemoved: isRemoved, replacesFilters: replacesFilters, hasKeyedAttributes: hasKeyedAttributes)
    }
}
