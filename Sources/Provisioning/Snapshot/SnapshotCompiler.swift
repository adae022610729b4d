import Database
import RadiusCore

/// Turns rows into the snapshot that the packet path reads. Confined to one thread at a time.
struct SnapshotCompiler: Sendable {
    /// Rules for clients whose record leaves them open.
    struct Defaults: Sendable {
        var requireMessageAuthenticator: TriState = .auto
        var limitProxyState: TriState = .auto
        var rateLimitPerSecond: UInt32 = 0
    }

    let dictionary: RadiusDictionary
    let secrets: SecretBox
    let defaults: Defaults
    private(set) var profiles: [Int64: ReplyProfile] = [:]
    private(set) var policies: [Int64: AccessPolicy] = [:]
    private(set) var clients = ClientTable([])
    private(set) var subscribers = SubscriberTable(SubscriberIndexBuilder().build())
    /// Policy rules, of the tenants that have any.
    private(set) var programs: [Int64: PolicyProgram] = [:]
    /// The same of the rules that forward.
    private(set) var forwarding: [Int64: PolicyProgram] = [:]
    /// The same of the rules about versions of TLS.
    private(set) var handshakes: [Int64: PolicyProgram] = [:]
    /// Realms and home servers; nil where there are none.
    private(set) var proxy: ProxyPlan?
    private(set) var keyed: [Int64: [ReplyAttribute]] = [:]
    /// Live longer than any one snapshot.
    let observations: ClientObservations
    /// What could not be compiled and why, until the object is read again.
    private(set) var problems: [Subject: [String]] = [:]

    /// Whose problem it is.
    enum Subject: Hashable {
        case profile(Int64), nas(Int64), subscriber(Int64), rules(tenant: Int64), proxy

        var isNAS: Bool {
            if case .nas = self { return true }
            return false
        }
    }

    private static let subscribersAtOnce = 50_000

    /// Where profiles' addresses come from.
    private let pools: AddressPools

    init(
        dictionary: RadiusDictionary, secrets: SecretBox, defaults: Defaults, pools: AddressPools = AddressPools(),
        observations: ClientObservations = ClientObservations()
    ) {
        self.pools = pools
        self.dictionary = dictionary
        self.secrets = secrets
        self.defaults = defaults
        self.observations = observations
    }

    /// One that has read nothing yet, with another dictionary.
    func anew(_ dictionary: RadiusDictionary) -> SnapshotCompiler {
        SnapshotCompiler(dictionary: dictionary, secrets: secrets, defaults: defaults, pools: pools, observations: observations)
    }

    var snapshot: Snapshot {
        Snapshot(
            clients: clients, subscribers: subscribers, profiles: profiles, policies: policies, keyedAttributes: keyed,
            programs: programs, forwarding: forwarding, handshakes: handshakes, proxy: proxy, dictionary: dictionary)
    }

    /// Rates that some NAS of the tenant cannot be told in full: clamped, or without an attribute.
    private(set) var lostRates: [String] = []
    /// All problems, sorted.
    private(set) var problemTexts: [String] = []
    /// Subscribers with problems beyond those that are told apart.
    private var unlisted = 0

    private mutating func sumUp() {
        problemTexts = problems.values.joined().sorted()
        if unlisted > 0 { problemTexts.append("the same and others: \(unlisted) more subscribers") }
        if subscribers.refused > 0 { problemTexts.append("the index has no room for \(subscribers.refused) subscribers") }
        var vendors: [Int64: Set<NASVendor>] = [:]
        for client in clients.clients { vendors[client.tenant, default: []].insert(client.vendor) }
        lostRates = profiles.values.flatMap { profile in
            (vendors[profile.tenant] ?? []).flatMap { vendor in
                profile.rateAlarms(for: vendor).filter(\.losesRate).map {
                    "profile \(profile.name) at a NAS of make \(vendor.name): \($0.message)"
                }
            }
        }.sorted()
    }

    /// Reads everything, for one that has read nothing yet; tells `progress` now and then how many subscribers it has read.
    mutating func load(_ connection: Connection, progress: (Int) throws -> Void) throws {
        try connection.query(SnapshotReader.profileSQL) { try add(profile: $0) }
        try connection.query(SnapshotReader.policySQL) { row in
            let (tenant, policy) = try SnapshotReader.policy(row)
            policies[tenant] = policy
        }
        try loadClients(connection)
        try add(rulesOf: nil, connection)
        try loadProxy(connection)
        let rows = SubscriberRows(connection)
        var reading = try SubscriberCompiler(dictionary: dictionary, opener: secrets.opener(), rows)
        var builder = SubscriberIndexBuilder()
        var count = 0
        try rows.all { row in
            try reading.compile(row) { entry, parts in builder.add(entry, parts) }
            count += 1
            if count & 0xffff == 0 { try progress(count) }
        }
        subscribers = SubscriberTable(builder.build())
        try progress(count)
        take(reading)
        sumUp()
    }

    private mutating func take(_ reading: SubscriberCompiler) {
        keyed.merge(reading.keyed) { $1 }
        unlisted += reading.unlisted
        for (id, found) in reading.problems { problems[.subscriber(id)] = found }
    }

    /// Reads all clients anew; there are few.
    mutating func loadClients(_ connection: Connection) throws {
        problems = problems.filter { !$0.key.isNAS }
        var found: [NASClient] = []
        try connection.query(SnapshotReader.clientSQL) { row in
            if let client = try client(row) { found.append(client) }
        }
        clients = ClientTable(found)
        sumUp()
    }

    /// Reads all realms, pools and home servers anew; there are few.
    mutating func loadProxy(_ connection: Connection) throws {
        var rows = ProxyRows(dictionary: dictionary, secrets: secrets)
        proxy = try rows.plan(connection)
        problems[.proxy] = rows.problems.isEmpty ? nil : rows.problems
        sumUp()
    }

    /// Reads the named profiles; those that are gone are forgotten.
    mutating func reload(profiles ids: [Int64], _ connection: Connection) throws {
        for id in ids {
            profiles[id] = nil
            problems[.profile(id)] = nil
        }
        try connection.query(SnapshotReader.profileSQL + " WHERE id = ANY($1)", [.intArray(ids)]) { try add(profile: $0) }
        sumUp()
    }

    mutating func reload(policies tenants: [Int64], _ connection: Connection) throws {
        for tenant in tenants { policies[tenant] = nil }
        try connection.query(SnapshotReader.policySQL + " WHERE tenant_id = ANY($1)", [.intArray(tenants)]) { row in
            let (tenant, policy) = try SnapshotReader.policy(row)
            policies[tenant] = policy
        }
    }

    /// Reads the policy rules of the named tenants.
    mutating func reload(rulesOf tenants: [Int64], _ connection: Connection) throws {
        for tenant in tenants {
            programs[tenant] = nil
            forwarding[tenant] = nil
            handshakes[tenant] = nil
            problems[.rules(tenant: tenant)] = nil
        }
        try add(rulesOf: tenants, connection)
        sumUp()
    }

    private mutating func add(rulesOf tenants: [Int64]?, _ connection: Connection) throws {
        for (tenant, found) in try PolicyRuleRows.byTenant(tenants, connection) {
            var zone = ZoneOffsets.utc
            var texts: [String] = []
            do { zone = try ZoneOffsets.load(found.zone) } catch { texts.append("policy rules go by UTC: \(error)") }
            let arrival = PolicyCompiler.compile(found.rules, at: .arrival, dictionary: dictionary, zone: zone)
            let handshake = PolicyCompiler.compile(found.rules, at: .handshake, dictionary: dictionary, zone: zone)
            let proof = PolicyCompiler.compile(found.rules, at: .proof, dictionary: dictionary, zone: zone)
            forwarding[tenant] = arrival.program
            handshakes[tenant] = handshake.program
            programs[tenant] = proof.program
            texts += (arrival.faults + handshake.faults + proof.faults).map {
                "policy \($0), so the \($0.kind == .reserved ? "attribute" : "rule") is left out"
            }
            if !texts.isEmpty { problems[.rules(tenant: tenant)] = texts }
        }
    }

    /// Reads the named subscribers; `freed` are names that a rename or a deletion gave up.
    mutating func reload(subscribers ids: [Int64], freed: [(tenant: Int64, name: String)], _ connection: Connection) throws {
        var changes = freed.map { SubscriberEntry.removal(of: Array($0.name.utf8), in: $0.tenant) }
        // In pieces: what is taken up behind a load may be everything.
        for start in stride(from: 0, to: ids.count, by: Self.subscribersAtOnce) {
            try reload(ids[start..<min(ids.count, start + Self.subscribersAtOnce)], &changes, connection)
            changes = []
        }
    }

    private mutating func reload(_ ids: ArraySlice<Int64>, _ changes: inout [SubscriberEntry], _ connection: Connection) throws {
        let known = problems.count
        for id in ids {
            keyed[id] = nil
            problems[.subscriber(id)] = nil
        }
        let hadProblems = problems.count != known
        let rows = SubscriberRows(connection)
        let ids = Array(ids)
        var reading = try SubscriberCompiler(dictionary: dictionary, opener: secrets.opener(), rows, of: ids)
        try rows.named(ids) { row in
            try reading.compile(row) { entry, parts in changes.append(entry.holding(parts)) }
        }
        take(reading)
        subscribers = subscribers.updated(with: changes)
        if hadProblems || !reading.problems.isEmpty || subscribers.refused > 0 { sumUp() }
    }

    private mutating func add(profile row: Row) throws {
        var found: [String] = []
        let attributes = SnapshotReader.attributes(try row.strings(15), problems: &found)
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
            keyed: { compiled[$0]?.keyed ?? [] },
            pools: ProfilePools(
                ipv4: pool(try row.int64(16)), ipv6Prefix: pool(try row.int64(17)), delegatedPrefix: pool(try row.int64(18))),
            sessionLimit: SessionLimit(count: UInt16(clamping: try row.int(19)), replaces: try row.string(20) == "replace"))
    }

    private func pool(_ id: Int64) -> AddressPool? { id == 0 ? nil : pools.pool(id) }

    private mutating func client(_ row: Row) throws -> NASClient? {
        let id = try row.int64(0)
        let name = try row.string(2)
        let length = try row.int(5) == 4 ? try row.int(4) + 96 : try row.int(4)
        guard let network = IPAddress(text: try row.string(3)) else { return nil }
        guard let secret = open(try row.bytes(6), of: "NAS \(name)", .nas(id)) else { return nil }
        let observation = observations.observation(
            of: id,
            stored: ClientObservation(
                requiresMessageAuthenticator: try row.optionalBool(11), limitsProxyState: try row.optionalBool(12)))
        return NASClient(
            id: id, tenant: try row.int64(1), name: name, huntgroup: try row.string(15), identifier: try row.string(16),
            network: network, prefixLength: length, secret: SharedSecret(secret), vendor: NASVendor(name: try row.string(7)) ?? .generic,
            requireMessageAuthenticator: try row.optionalString(8).flatMap { TriState(name: $0) } ?? defaults.requireMessageAuthenticator,
            limitProxyState: try row.optionalString(9).flatMap { TriState(name: $0) } ?? defaults.limitProxyState,
            sendsMessageAuthenticator: try row.bool(10),
            rateLimitPerSecond: try row.optionalInt32(13).map { UInt32(clamping: $0) } ?? defaults.rateLimitPerSecond,
            tlsIdentities: try row.optionalString(14).map { identities($0, of: name, id) }, observation: observation)
    }

    /// Whom a certificate must name; nobody when that cannot be read, so that a slip of the pen opens nothing.
    private mutating func identities(_ text: String, of name: String, _ id: Int64) -> [TLSIdentity] {
        if let identities = TLSIdentity.list(text), !identities.isEmpty { return identities }
        problems[.nas(id), default: []].append(
            "NAS \(name): tls_identity '\(text)' is not a list of DNS names, addresses, sha256: fingerprints and psk: names; nothing is taken for it"
        )
        return []
    }

    private mutating func open(_ sealed: [UInt8], of owner: String, _ subject: Subject) -> [UInt8]? {
        do {
            return try secrets.open(sealed)
        } catch {
            problems[subject, default: []].append("\(owner): \(error)")
            return nil
        }
    }
}
