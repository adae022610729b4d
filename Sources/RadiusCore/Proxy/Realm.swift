/// Whose requests go to other RADIUS servers: a realm of a tenant, and what is done with its requests (RFC 2607 §2, RFC 7542 §2).
public final class Realm: Sendable {
    /// How a User-Name is found to belong to a realm.
    public enum Kind: String, Sendable, CaseIterable {
        /// `user@realm`, behind the last `@`.
        case suffix
        /// `REALM\user` or `realm/user`, before the first of these.
        case prefix
        /// The whole User-Name matches a pattern of `*`, `?` and `[a-z]`.
        case pattern
        /// A User-Name without any realm.
        case null
        /// A User-Name with a realm that no other row names.
        case other = "default"
        /// No User-Name by itself: policy rules choose it.
        case rule
    }

    public let id: Int64
    public let tenant: Int64
    public let name: String
    public let kind: Kind
    /// The realm, or the pattern; case of ASCII letters does not count in a realm.
    public let text: String
    /// Patterns of lower numbers are tried first.
    public let priority: Int
    /// Where Access-Requests go; nil keeps them here.
    public let accessPool: HomeServerPool?
    /// Where Accounting-Requests go as well; nil keeps them here alone.
    public let accountingPool: HomeServerPool?
    /// The home server is told the user without the realm.
    public let strips: Bool
    /// A login that no home server answers is rejected; else the NAS hears nothing and may ask its next server.
    public let rejectsUnanswered: Bool
    public let requestFilter: AttributeFilter
    public let replyFilter: AttributeFilter
    let pattern: Glob?

    /// Nil when `kind` is `pattern` and `text` is none.
    public init?(
        id: Int64, tenant: Int64, name: String, kind: Kind, text: String, priority: Int = 0, accessPool: HomeServerPool?,
        accountingPool: HomeServerPool? = nil, strips: Bool = false, rejectsUnanswered: Bool = false,
        requestFilter: AttributeFilter = AttributeFilter(), replyFilter: AttributeFilter = AttributeFilter()
    ) {
        self.id = id
        self.tenant = tenant
        self.name = name
        self.kind = kind
        self.text = text
        self.priority = priority
        self.accessPool = accessPool
        self.accountingPool = accountingPool
        self.strips = strips
        self.rejectsUnanswered = rejectsUnanswered
        self.requestFilter = requestFilter
        self.replyFilter = replyFilter
        pattern = kind == .pattern ? try? Glob(text) : nil
        if kind == .pattern, pattern == nil { return nil }
    }

    /// What is wrong with `pattern`; nil when it is one.
    public static func mistake(inPattern pattern: String) -> String? {
        do throws(RuleFault) {
            _ = try Glob(pattern)
            return nil
        } catch {
            return error.reason
        }
    }
}

/// A realm and which octets of the User-Name are the user.
struct RealmMatch {
    let realm: Realm
    let user: Range<Int>

    init(realm: Realm, user: Range<Int>) {
        self.realm = realm
        self.user = user
    }

    /// Of a realm that a policy rule chose for `name`, which need not name it: the user is what the name would leave behind its realm.
    init(chosen realm: Realm, for name: UnsafeRawBufferPointer) {
        self.realm = realm
        switch realm.kind {
        case .pattern, .null: user = 0..<name.count
        case .prefix: user = Self.userBehindPrefix(name) ?? Self.userBeforeSuffix(name) ?? 0..<name.count
        case .suffix, .other, .rule: user = Self.userBeforeSuffix(name) ?? Self.userBehindPrefix(name) ?? 0..<name.count
        }
    }

    /// What a home server is told as User-Name of `name`.
    func forwarded(_ name: [UInt8]) -> [UInt8] { realm.strips && !user.isEmpty ? Array(name[user]) : name }

    private static func userBeforeSuffix(_ name: UnsafeRawBufferPointer) -> Range<Int>? {
        name.lastIndex(of: UInt8(ascii: "@")).map { 0..<$0 }
    }

    private static func userBehindPrefix(_ name: UnsafeRawBufferPointer) -> Range<Int>? {
        name.firstIndex { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "/") }.map { $0 + 1..<name.count }
    }
}

/// The realms of one tenant. Immutable; finding one allocates nothing.
struct TenantRealms: Sendable {
    private struct Entry {
        let hash: UInt64
        let octets: [UInt8]
        let realm: Realm
    }

    private let suffixes: [Entry]
    private let prefixes: [Entry]
    private let patterns: [Realm]
    private let null: Realm?
    private let other: Realm?

    init(_ realms: [Realm]) {
        suffixes = Self.entries(realms.filter { $0.kind == .suffix })
        prefixes = Self.entries(realms.filter { $0.kind == .prefix })
        patterns = realms.filter { $0.kind == .pattern }.sorted { ($0.priority, $0.id) < ($1.priority, $1.id) }
        null = realms.first { $0.kind == .null }
        other = realms.first { $0.kind == .other }
    }

    private static func entries(_ realms: [Realm]) -> [Entry] {
        realms.map { realm in
            let octets = realm.text.utf8.map(folded)
            return Entry(hash: octets.withUnsafeBytes { hash($0[...]) }, octets: octets, realm: realm)
        }.sorted { $0.hash < $1.hash }
    }

    /// The realm of `name`, a User-Name: by suffix, then by prefix, then by pattern, then whatever is for names with, or without, a realm.
    func find(_ name: UnsafeRawBufferPointer) -> RealmMatch? {
        let at = name.lastIndex(of: UInt8(ascii: "@"))
        if let at, let realm = Self.find(name[(at + 1)...], in: suffixes) { return RealmMatch(realm: realm, user: 0..<at) }
        let slash = name.firstIndex { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "/") }
        if let slash, let realm = Self.find(name[..<slash], in: prefixes) { return RealmMatch(realm: realm, user: slash + 1..<name.count) }
        for realm in patterns where realm.pattern?.matches(name) == true { return RealmMatch(realm: realm, user: 0..<name.count) }
        guard at != nil || slash != nil else { return null.map { RealmMatch(realm: $0, user: 0..<name.count) } }
        let user = at.map { 0..<$0 } ?? slash.map { $0 + 1..<name.count } ?? 0..<name.count
        return other.map { RealmMatch(realm: $0, user: user) }
    }

    private static func find(_ text: Slice<UnsafeRawBufferPointer>, in entries: [Entry]) -> Realm? {
        guard !text.isEmpty else { return nil }
        let wanted = hash(text)
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].hash < wanted { low = middle + 1 } else { high = middle }
        }
        while low < entries.count, entries[low].hash == wanted {
            let octets = entries[low].octets
            if octets.count == text.count, zip(octets, text).allSatisfy({ $0 == folded($1) }) { return entries[low].realm }
            low += 1
        }
        return nil
    }

    private static func folded(_ octet: UInt8) -> UInt8 { octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet }

    /// FNV-1a of the text in lower case.
    private static func hash(_ text: Slice<UnsafeRawBufferPointer>) -> UInt64 {
        text.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64(folded($1))) &* 0x0100_0000_01b3 }
    }
}

/// Realms, pools and home servers at one moment: the part of a snapshot that proxying goes by. Immutable.
public final class ProxyPlan: Sendable {
    public let servers: [Int64: HomeServer]
    public let realms: [Realm]
    private let tenants: [Int64: TenantRealms]
    private let numbers: [Int64: Realm]
    /// Those that may ask for CoA and Disconnect over UDP.
    private let dynamicAuthorizationClients: [IPAddress: [HomeServer]]
    /// Realms whose accounting goes elsewhere, too.
    let accountingRealms: Int

    public init(servers: [HomeServer], realms: [Realm]) {
        self.servers = [Int64: HomeServer](servers.map { ($0.id, $0) }) { first, _ in first }
        self.realms = realms
        numbers = [Int64: Realm](realms.map { ($0.id, $0) }) { first, _ in first }
        // The secrets of all RADIUS/TLS and RADIUS/DTLS are known to everybody.
        dynamicAuthorizationClients = [IPAddress: [HomeServer]](grouping: servers.filter { !$0.transport.isProtected }, by: \.address)
        accountingRealms = realms.count { $0.accountingPool != nil }
        tenants = [Int64: [Realm]](grouping: realms, by: \.tenant).mapValues { TenantRealms($0) }
    }

    var forwardsAccounting: Bool { accountingRealms > 0 }

    /// The realm that policy rules know by this number; nil while it is not in force. Allocates nothing.
    func realm(_ id: Int64) -> Realm? { numbers[id] }

    /// Home servers at `address` whose CoA and Disconnect requests are taken over UDP.
    func dynamicAuthorizationClients(at address: IPAddress) -> [HomeServer] { dynamicAuthorizationClients[address] ?? [] }

    /// The realm of a User-Name. Allocates nothing.
    func find(tenant: Int64, name: UnsafeRawBufferPointer) -> RealmMatch? { tenants[tenant]?.find(name) }

    /// The realm that `userName` belongs to, and what a home server is told as User-Name.
    ///
    /// `chosen` is the number of the realm that a policy rule chose, whatever the name; while that is not in force there is none.
    public func realm(tenant: Int64, userName: String, chosen: Int64? = nil) -> (realm: Realm, forwardedName: String)? {
        let octets = Array(userName.utf8)
        let match = octets.withUnsafeBytes { name -> RealmMatch? in
            guard let chosen else { return find(tenant: tenant, name: name) }
            guard let realm = realm(chosen), realm.tenant == tenant else { return nil }
            return RealmMatch(chosen: realm, for: name)
        }
        guard let match else { return nil }
        return (match.realm, String(decoding: match.forwarded(octets), as: UTF8.self))
    }
}
