@testable import RadiusCore

/// A snapshot of one tenant with two plans and a walled garden, made in the test.
struct PolicyDesk {
    static let plan: Int64 = 10
    static let garden: Int64 = 20

    var profiles: [ReplyProfile] = [profile(plan, "home50", 50, 10), profile(garden, "garden", 1, 1)]
    var policy = AccessPolicy(walledGardenProfile: garden, interimSeconds: 77)
    var subscribers: [SubscriberEntry] = []
    var keyed: [Int64: [ReplyAttribute]] = [:]

    static func profile(
        _ id: Int64, _ name: String, _ download: UInt64, _ upload: UInt64, timeouts: (UInt32, UInt32, UInt32) = (0, 0, 0),
        filters: [UInt8] = [], free: @escaping (NASVendor) -> [UInt8] = { _ in [] },
        keyed: @escaping (NASVendor) -> [ReplyAttribute] = { _ in [] }
    ) -> ReplyProfile {
        ReplyProfile(
            id: id, tenant: 1, name: name,
            rate: BandwidthRate(downloadBitsPerSecond: download * 1_000_000, uploadBitsPerSecond: upload * 1_000_000),
            sessionTimeoutSeconds: timeouts.0, idleTimeoutSeconds: timeouts.1, interimSeconds: timeouts.2, filters: filters, free: free,
            keyed: keyed)
    }

    static func subscriber(_ name: String, id: Int64 = 42, profile: Int64 = plan, status: SubscriberStatus = .active) -> SubscriberEntry {
        var entry = SubscriberEntry()
        entry.id = id
        entry.tenant = 1
        entry.name = Array(name.utf8)
        entry.profile = profile
        entry.status = status
        return entry
    }

    static func client(_ vendor: NASVendor = .mikrotik) -> NASClient {
        NASClient(
            id: 7, tenant: 1, name: "core1", huntgroup: "city", network: IPAddress(ipv4: 0xc000_0207), prefixLength: 128,
            secret: SharedSecret(Array("xyzzy5461".utf8)), vendor: vendor)
    }

    func snapshot(
        programs: [Int64: PolicyProgram] = [:], forwarding: [Int64: PolicyProgram] = [:], handshakes: [Int64: PolicyProgram] = [:],
        proxy: ProxyPlan? = nil
    ) throws -> Snapshot {
        var builder = SubscriberIndexBuilder()
        for entry in subscribers { builder.add(entry) }
        return Snapshot(
            clients: ClientTable([Self.client()]), subscribers: SubscriberTable(builder.build()),
            profiles: [Int64: ReplyProfile](uniqueKeysWithValues: profiles.map { ($0.id, $0) }), policies: [1: policy],
            keyedAttributes: keyed, programs: programs, forwarding: forwarding, handshakes: handshakes, proxy: proxy,
            dictionary: try ShippedDictionaries.loaded.get())
    }

    func explain(_ name: String, vendor: NASVendor = .mikrotik) throws -> Explanation? {
        Explanation(userName: name, tenant: 1, client: Self.client(vendor), in: try snapshot())
    }

    /// What the packet path decides about the only subscriber.
    func decision() throws -> AccessDecision? {
        let snapshot = try snapshot()
        return subscribers.first.flatMap { first in
            first.name.withUnsafeBytes { snapshot.subscribers.find(tenant: 1, name: $0) }.map {
                AccessDecision($0, in: snapshot, at: 1_769_862_896)
            }
        }
    }
}

extension Explanation {
    /// `Name = value` of every attribute, in order.
    var lines: [String] { attributes.map { "\($0.taggedName) = \($0.value)" } }
}
