import Glibc

/// A subscriber as the compiler hands it to the index.
public struct SubscriberEntry: Sendable {
    public var id: Int64 = 0
    public var tenant: Int64 = 0
    public var profile: Int64 = 0
    /// The subscriber's own profile where a quota has it answered another, which `profile` is then.
    public var ownProfile: Int64?
    /// 1...253 octets.
    public var name: [UInt8] = []
    public var status: SubscriberStatus = .active
    public var locks = LockSet()
    public var credentialKind: CredentialKind = .none
    public var credential: [UInt8] = []
    /// `SIMCredential.octets`, besides or instead of a password; empty without a card.
    public var card: [UInt8] = []
    /// `SubscriberBindings.encoded`; empty where nobody looks.
    public var bindings: [UInt8] = []
    /// What NASes are told of its quota; nil for nothing.
    public var quotaLimit: QuotaLimit?
    public var identity: [UInt8] = []
    public var service: [UInt8] = []
    public var sessionTimeoutSeconds: UInt32 = 0
    public var idleTimeoutSeconds: UInt32 = 0
    public var interimSeconds: UInt32 = 0
    /// Since 1970, the first second in which nobody gets in any more; 0 for never.
    public var expiresSeconds: UInt32 = 0
    /// How long the subscriber is good from the first login on, which has not been yet; 0 where that is not awaited.
    public var validitySeconds: UInt32 = 0
    public var replacesFilters = false
    public var hasKeyedAttributes = false
    /// The name is a hardware address, and being it is enough to get in while there is no password.
    public var authenticatesByMAC = false
    /// The name is free: looking it up finds nobody.
    public var isRemoved = false

    public init() {}

    /// Whether name and parts have lengths that a record can hold.
    public var isStorable: Bool { withParts { $0.areStorable } }

    /// The entry that removes whoever is called `name` in `tenant`.
    public static func removal(of name: [UInt8], in tenant: Int64) -> SubscriberEntry {
        var entry = SubscriberEntry()
        entry.tenant = tenant
        entry.name = name
        entry.isRemoved = true
        return entry
    }

    /// This entry with copies of `parts`.
    public func holding(_ parts: SubscriberParts) -> SubscriberEntry {
        var entry = self
        entry.name = Array(parts.name)
        entry.credential = Array(parts.credential)
        entry.identity = Array(parts.identity)
        entry.service = Array(parts.service)
        return entry
    }

    func withParts<T>(_ body: (SubscriberParts) -> T) -> T {
        name.withUnsafeBytes { name in
            credential.withUnsafeBytes { credential in
                identity.withUnsafeBytes { identity in
                    service.withUnsafeBytes { service in
                        body(SubscriberParts(name: name, credential: credential, identity: identity, service: service))
                    }
                }
            }
        }
    }
}

/// The parts of a subscriber that have no fixed length, borrowed from wherever they arrived: a full load copies each once.
public struct SubscriberParts {
    /// 1...253 octets.
    public var name: UnsafeRawBufferPointer
    public var credential: UnsafeRawBufferPointer
    public var identity: UnsafeRawBufferPointer
    public var service: UnsafeRawBufferPointer

    private static var nothing: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    public init(
        name: UnsafeRawBufferPointer, credential: UnsafeRawBufferPointer? = nil, identity: UnsafeRawBufferPointer? = nil,
        service: UnsafeRawBufferPointer? = nil
    ) {
        self.name = name
        self.credential = credential ?? Self.nothing
        self.identity = identity ?? Self.nothing
        self.service = service ?? Self.nothing
    }

    /// Octets of encoded attributes, `identity` or `service`, that a record can hold.
    public static let largestAttributes = 4096

    var areStorable: Bool {
        (1...253).contains(name.count) && credential.count <= 1024 && identity.count <= Self.largestAttributes
            && service.count <= Self.largestAttributes
    }
}

/// An entry in the form of a record: how long it is, and its octets.
struct PackedSubscriber {
    private let header: SubscriberRecord.Header
    private let upper: (id: UInt32, tenant: UInt32, profile: UInt32)
    private let extended: SubscriberRecord.Extension
    private let parts: SubscriberParts
    private let card: [UInt8]
    private let bindings: [UInt8]
    private let limit: QuotaLimit?
    /// Octets of the record.
    let count: Int

    /// - Parameters:
    ///   - entry: its numbers, words, card, bindings and limit; its other arrays are not looked at.
    ///   - parts: of lengths that a record can hold.
    init(_ entry: SubscriberEntry, _ parts: SubscriberParts) {
        upper = (Self.upper(entry.id), Self.upper(entry.tenant), Self.upper(entry.profile))
        let own = entry.ownProfile ?? entry.profile
        limit = entry.quotaLimit
        let limitCount = limit == nil ? 0 : MemoryLayout<QuotaLimit>.size
        extended = SubscriberRecord.Extension(
            sessionTimeoutSeconds: entry.sessionTimeoutSeconds, idleTimeoutSeconds: entry.idleTimeoutSeconds,
            interimSeconds: entry.interimSeconds, expiresSeconds: entry.expiresSeconds, validitySeconds: entry.validitySeconds,
            identityCount: UInt16(parts.identity.count), serviceCount: UInt16(parts.service.count),
            ownProfile: (UInt32(truncatingIfNeeded: own), Self.upper(own)), limitCount: UInt32(limitCount))
        let timers = entry.sessionTimeoutSeconds | entry.idleTimeoutSeconds | entry.interimSeconds
        let times = timers | entry.expiresSeconds | entry.validitySeconds
        let isExtended = times != 0 || entry.ownProfile != nil || limit != nil || parts.service.count > 0 || parts.identity.count > 255
        let isWide = upper.id | upper.tenant | upper.profile != 0
        var flags: UInt8 = 0
        if entry.replacesFilters { flags |= SubscriberRecord.Flag.replacesFilters }
        if entry.hasKeyedAttributes { flags |= SubscriberRecord.Flag.keyedAttributes }
        if entry.authenticatesByMAC { flags |= SubscriberRecord.Flag.hardwareAddress }
        if entry.isRemoved { flags |= SubscriberRecord.Flag.removal }
        card = entry.card.count == SIMCredential.count ? entry.card : []
        if !card.isEmpty { flags |= SubscriberRecord.Flag.card }
        precondition(entry.bindings.count <= SubscriberBindings.largest, "SubscriberBindings.encoded keeps to it")
        bindings = entry.bindings
        if !bindings.isEmpty { flags |= SubscriberRecord.Flag.bound }
        if isWide { flags |= SubscriberRecord.Flag.wide }
        if isExtended { flags |= SubscriberRecord.Flag.extended }
        header = SubscriberRecord.Header(
            id: UInt32(truncatingIfNeeded: entry.id), tenant: UInt32(truncatingIfNeeded: entry.tenant),
            profile: UInt32(truncatingIfNeeded: entry.profile), credentialCount: UInt16(parts.credential.count + card.count),
            nameCount: UInt8(parts.name.count), identityCount: UInt8(truncatingIfNeeded: parts.identity.count),
            kindAndStatus: entry.credentialKind.rawValue | entry.status.rawValue << 4, flags: flags, locks: entry.locks)
        self.parts = parts
        let fixed = SubscriberRecord.headerCount + (isWide ? SubscriberRecord.wideCount : 0)
        count =
            fixed + (isExtended ? SubscriberRecord.extensionCount : 0) + parts.name.count + parts.credential.count + card.count
            + parts.identity.count + parts.service.count + bindings.count + limitCount
    }

    /// Writes `count` octets.
    func write(to start: UnsafeMutableRawPointer) {
        start.storeBytes(of: header, as: SubscriberRecord.Header.self)
        var place = start + SubscriberRecord.headerCount
        if header.flags & SubscriberRecord.Flag.wide != 0 {
            for (position, half) in [upper.id, upper.tenant, upper.profile].enumerated() {
                place.storeBytes(of: half, toByteOffset: position * 4, as: UInt32.self)
            }
            place += SubscriberRecord.wideCount
        }
        if header.flags & SubscriberRecord.Flag.extended != 0 {
            place.storeBytes(of: extended, as: SubscriberRecord.Extension.self)
            place += SubscriberRecord.extensionCount
        }
        append(parts.name, &place)
        append(parts.credential, &place)
        if !card.isEmpty { card.withUnsafeBytes { append($0, &place) } }
        append(parts.identity, &place)
        append(parts.service, &place)
        if !bindings.isEmpty { bindings.withUnsafeBytes { append($0, &place) } }
        if let limit { withUnsafeBytes(of: limit) { append($0, &place) } }
    }

    private func append(_ part: UnsafeRawBufferPointer, _ place: inout UnsafeMutableRawPointer) {
        guard let start = part.baseAddress else { return }
        memcpy(place, start, part.count)
        place += part.count
    }

    private static func upper(_ number: Int64) -> UInt32 { UInt32(truncatingIfNeeded: number >> 32) }
}
