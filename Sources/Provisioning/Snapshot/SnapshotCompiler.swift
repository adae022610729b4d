import Database
import RadiusCore

/// Turns rows into the snapshot that the packet path reads. Confined to the feed's thread.
struct SnapshotCompiler {
    /// Rules for clients whose record leaves them open.
    struct Defaults: Sendable {
        var requireMessageAuthenticator: TriState = .auto
        var limitProxyState: TriState = .auto
        var rateLimitPerSecond: UInt32 = 0
    }

    var dictionary: RadiusDictionary
    let secrets: SecretBox
    let defaults: Defaults
    private(set) var profiles: [Int64: ReplyProfile] = [:]
    private(set) var policies: [Int64: AccessPolicy] = [:]
    private(set) var clients = ClientTable([])
    private(set) var subscribers = SubscriberTable(SubscriberIndexBuilder().build())
    private(set) var keyed: [Int64: [ReplyAttribute]] = [:]
    /// Lives longer than any one snapshot.
    private(set) var observations: [Int64: ClientObservation] = [:]
    /// What could not be compiled and why, until the object is read again.
    private(set) var problems: [Subject: [String]] = [:]

    /// Whose problem it is.
    enum Subject: Hashable {
        case profile(Int64), nas(Int64), subscriber(Int64)

        var isNAS: Bool {
            if case .nas = self { return true }
            return false
        }
    }

    init(dictionary: RadiusDictionary, secrets: SecretBox, defaults: Defaults) {
        self.dictionary = dictionary
        self.secrets = secrets
        self.defaults = defaults
    }

    var snapshot: Snapshot {
        Snapshot(
            clients: clients, subscribers: subscribers, profiles: profiles, policies: policies, keyedAttributes: keyed,
            dictionary: dictionary)
    }

    /// Rates that some NAS of the tenant cannot be told in full: clamped, or without an attribute.
    var lostRates: [String] {
        var vendors: [Int64: Set<NASVendor>] = [:]
        for client in clients.clients { vendors[client.tenant, default: []].insert(client.vendor) }
        return profiles.values.flatMap { profile in
            (vendors[profile.tenant] ?? []).flatMap { vendor in
                profile.rateAlarms(for: vendor).filter(\.losesRate).map {
                    "profile \(profile.name) at a NAS of make \(vendor.name): \($0.message)"
                }
            }
        }.sorted()
    }

    /// Reads everything.
    mutating func load(_ connection: Connection) throws {
        profiles = [:]
        policies = [:]
        keyed = [:]
        problems = [:]
        try connection.query(SnapshotReader.profileSQL) { try add(profile: $0) }
        try connection.query(SnapshotReader.policySQL) { row in
            let (tenant, policy) = try SnapshotReader.policy(row)
            policies[tenant] = policy
        }
        try loadClients(connection)
        let expected = try connection.queryOne("SELECT count(*) FROM aaa.subscriber")?.int(0) ?? 0
        var builder = SubscriberIndexBuilder(expecting: expected)
        try connection.queryStreaming(SnapshotReader.subscriberSQL) { builder.add(try subscriber($0)) }
        subscribers = SubscriberTable(builder.build())
    }

    /// Reads all clients anew; there are few.
    mutating func loadClients(_ connection: Connection) throws {
        problems = problems.filter { !$0.key.isNAS }
        var found: [NASClient] = []
        try connection.query(SnapshotReader.clientSQL) { row in
            if let client = try client(row) { found.append(client) }
        }
        clients = ClientTable(found)
    }

    /// Reads the named profiles; those that are gone are forgotten.
    mutating func reload(profiles ids: [Int64], _ connection: Connection) throws {
        for id in ids {
            profiles[id] = nil
            problems[.profile(id)] = nil
        }
        try connection.query(SnapshotReader.profileSQL + " WHERE id = ANY($1)", [.intArray(ids)]) { try add(profile: $0) }
    }

    mutating func reload(policies tenants: [Int64], _ connection: Connection) throws {
        for tenant in tenants { policies[tenant] = nil }
        try connection.query(SnapshotReader.policySQL + " WHERE tenant_id = ANY($1)", [.intArray(tenants)]) { row in
            let (tenant, policy) = try SnapshotReader.policy(row)
            policies[tenant] = policy
        }
    }

    /// Reads the named subscribers; `freed` are names that a rename or a deletion gave up.
    mutating func reload(subscribers ids: [Int64], freed: [(tenant: Int64, name: String)], _ connection: Connection) throws {
        var changes = freed.map { SubscriberEntry.removal(of: Array($0.name.utf8), in: $0.tenant) }
        for id in ids {
            keyed[id] = nil
            problems[.subscriber(id)] = nil
        }
        try connection.query(SnapshotReader.subscriberSQL + " WHERE t.id = ANY($1)", [.intArray(ids)]) { row in
            changes.append(try subscriber(row))
        }
        subscribers = subscribers.updated(with: changes)
    }

    private mutating func add(profile row: Row) throws {
        var found: [String] = []
        let attributes = try SnapshotReader.attributes(row, from: 15, problems: &found)
        var filters = CompiledAttributes()
        for filter in try row.strings(14) { filters.append("Filter-Id", filter, dictionary) }
        let name = try row.string(2)
        found += filters.problems
        var compiled: [NASVendor: CompiledAttributes] = [:]
        for vendor in NASVendor.allCases {
            compiled[vendor] = CompiledAttributes(attributes, for: vendor, dictionary: dictionary)
            for problem in compiled[vendor]?.problems ?? [] where !found.contains(problem) { found.append(problem) }
        }
        let id = try row.int64(0)
        for problem in found { problems[.profile(id), default: []].append("profile \(name): \(problem)") }
        profiles[id] = ReplyProfile(
            id: id, tenant: try row.int64(1), name: name, rate: try SnapshotReader.rate(row),
            sessionTimeoutSeconds: UInt32(try row.int(11)), idleTimeoutSeconds: UInt32(try row.int(12)),
            interimSeconds: UInt32(try row.int(13)), filters: filters.encoded, free: { compiled[$0]?.encoded ?? [] },
            keyed: { compiled[$0]?.keyed ?? [] })
    }

    private mutating func client(_ row: Row) throws -> NASClient? {
        let id = try row.int64(0)
        let name = try row.string(2)
        let length = try row.int(5) == 4 ? try row.int(4) + 96 : try row.int(4)
        guard let network = IPAddress(text: try row.string(3)) else { return nil }
        guard let secret = open(try row.bytes(6), of: "NAS \(name)", .nas(id)) else { return nil }
        let stored = ClientObservation(
            requiresMessageAuthenticator: try row.optionalBool(11), limitsProxyState: try row.optionalBool(12))
        let observation = observations[id] ?? stored
        observations[id] = observation
        return NASClient(
            id: id, tenant: try row.int64(1), name: name, network: network, prefixLength: length, secret: SharedSecret(secret),
            vendor: NASVendor(name: try row.string(7)) ?? .generic,
            requireMessageAuthenticator: try row.optionalString(8).flatMap { TriState(name: $0) } ?? defaults.requireMessageAuthenticator,
            limitProxyState: try row.optionalString(9).flatMap { TriState(name: $0) } ?? defaults.limitProxyState,
            sendsMessageAuthenticator: try row.bool(10),
            rateLimitPerSecond: try row.optionalInt32(13).map { UInt32(clamping: $0) } ?? defaults.rateLimitPerSecond,
            observation: observation)
    }

    private mutating func note(_ entry: SubscriberEntry, _ problem: String) {
        problems[.subscriber(entry.id), default: []].append("subscriber \(entry.id): \(problem)")
    }

    private mutating func open(_ sealed: [UInt8], of owner: String, _ subject: Subject) -> [UInt8]? {
        do {
            return try secrets.open(sealed)
        } catch {
            problems[subject, default: []].append("\(owner): \(error)")
            return nil
        }
    }

    private mutating func subscriber(_ row: Row) throws -> SubscriberEntry {
        var entry = SubscriberEntry()
        entry.id = try row.int64(0)
        entry.tenant = try row.int64(1)
        entry.name = try row.withBytes(2) { Array($0) }
        entry.status = SubscriberStatus(name: try row.string(5)) ?? .suspended
        entry.profile = try row.int64(6)
        entry.sessionTimeoutSeconds = UInt32(try row.int(13))
        entry.idleTimeoutSeconds = UInt32(try row.int(14))
        entry.interimSeconds = UInt32(try row.int(15))
        entry.locks = SnapshotReader.locks(try row.strings(20))
        try addCredential(row, to: &entry)
        try addAttributes(row, to: &entry)
        if !entry.isStorable { note(entry, "its reply attributes are too large; it cannot log in") }
        return entry
    }

    private mutating func addCredential(_ row: Row, to entry: inout SubscriberEntry) throws {
        guard let sealed = try row.optionalBytes(3), let clear = open(sealed, of: "subscriber \(entry.id)", .subscriber(entry.id)) else {
            return
        }
        switch try row.string(4) {
        case "clear":
            entry.credentialKind = .clearText
            entry.credential = clear
        case "hash":
            entry.credentialKind = .hash
            entry.credential = clear
        default:
            guard let hash = Self.octets(hex: clear), hash.count == 16 else {
                note(entry, "the stored NT hash is not 32 hex digits")
                return
            }
            entry.credentialKind = .ntHash
            entry.credential = hash
        }
    }

    private mutating func addAttributes(_ row: Row, to entry: inout SubscriberEntry) throws {
        var identity = CompiledAttributes()
        if let address = try row.optionalString(7) { identity.append("Framed-IP-Address", address, dictionary) }
        if let prefix = try row.optionalString(8) { identity.append("Framed-IPv6-Prefix", prefix, dictionary) }
        if let prefix = try row.optionalString(9) { identity.append("Delegated-IPv6-Prefix", prefix, dictionary) }
        for (tag, column) in [(1, 11), (2, 12)] {
            guard let vlan = try row.optionalInt32(column) else { continue }
            identity.append("Tunnel-Type:\(tag)", "13", dictionary)
            identity.append("Tunnel-Medium-Type:\(tag)", "6", dictionary)
            identity.append("Tunnel-Private-Group-Id:\(tag)", "\(vlan)", dictionary)
        }
        var found: [String] = []
        let attributes = try SnapshotReader.attributes(row, from: 17, problems: &found)
        found += attributes.compactMap { $0.vendor == nil ? nil : "\($0.name): only a profile's attribute may name a vendor" }
        var service = CompiledAttributes(attributes, for: nil, dictionary: dictionary)
        for route in try row.strings(10) {
            service.append(route.contains(":") ? "Framed-IPv6-Route" : "Framed-Route", route, dictionary)
        }
        let filters = try row.strings(16)
        for filter in filters { service.append("Filter-Id", filter, dictionary) }
        entry.replacesFilters = !filters.isEmpty
        entry.identity = identity.encoded
        entry.service = service.encoded
        entry.hasKeyedAttributes = !service.keyed.isEmpty
        if !service.keyed.isEmpty { keyed[entry.id] = service.keyed }
        for problem in found + identity.problems + service.problems { note(entry, problem) }
    }

    private static func octets(hex digits: [UInt8]) -> [UInt8]? {
        let nibbles = digits.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard nibbles.count == digits.count, nibbles.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: nibbles.count, by: 2).map { UInt8(nibbles[$0] << 4 | nibbles[$0 + 1]) }
    }
}
