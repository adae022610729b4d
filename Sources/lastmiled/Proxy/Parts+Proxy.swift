import Admin
import DaemonSettings
import Logging
import Provisioning
import RadiusCore
import ServiceLifecycle

/// Realms and home servers.
extension Parts {
    /// The proxy; it has nothing to do until there is a realm.
    ///
    /// - Throws: `ServerError` when the system gives no descriptors.
    static func proxy(_ settings: Settings, store: SnapshotStore, secrets: SecretBox) throws -> ProxyService {
        var bounds = ProxyService.Settings()
        // Nobody is told of a NAS who could not use it.
        bounds.operatorNAS = settings.radiusCoAPort == 0 ? nil : secrets.operatorNASIdentifiers
        return try ProxyService(bounds, store: store, tls: homeServerTLS(settings.transports))
    }

    /// Where home servers' CoA and Disconnect come in; nil where they are not taken.
    ///
    /// - Throws: `ServerError` for a port that cannot be had.
    static func dynamicAuthorization(_ settings: Settings, _ proxy: ProxyService?) throws -> DynamicAuthorizationPort? {
        guard let proxy, settings.radiusCoAPort != 0, let address = IPAddress(text: settings.radiusAddress) else { return nil }
        return try DynamicAuthorizationPort(address: listening(address), port: settings.radiusCoAPort, proxy: proxy)
    }

    /// What takes them to the NAS; nil where they are not taken.
    var relay: SessionRelay? {
        dynamicAuthorization.map {
            SessionRelay(pool: pool, control: control, store: feed.store, port: $0, logger: Logger(label: "proxy"))
        }
    }

    /// For the line `ready`.
    var dynamicAuthorizationWords: [String] {
        dynamicAuthorization.map { ["radius-coa=\(settings.radiusAddress):\($0.port)"] } ?? []
    }

    /// What RadSec shows to others, and whom it trusts, holds for home servers too.
    private static func homeServerTLS(_ transports: TransportSettings) -> HomeServerTLS {
        guard let certificate = transports.certificatePath else { return ProxyService.noTLS }
        var tls = TLSSettings(role: .client)
        tls.certificatePath = certificate
        tls.keyPath = transports.keyPath
        tls.authorityPath = transports.authorityPath
        tls.revocationListPath = transports.revocationListPath
        tls.minimumVersion = transports.demandsTLS13 ? .tls13 : .tls12
        // Of DTLS there is 1.2 only.
        let certificates = RadSecCertificates(tls, hasDatagrams: !transports.demandsTLS13)
        return { isDatagram throws(TLSFileFailure) in
            // Asked for once a connection, and at most once a second.
            let outcome = certificates.refresh()
            if let context = isDatagram ? certificates.currentForDatagrams : certificates.current { return context }
            if case .failed(let failure, _) = outcome { throw failure }
            throw TLSFileFailure(path: "radsec.minimum_version", reason: "it is 1.3, and of DTLS there is 1.2 only")
        }
    }

    /// What the HTTP interface asks of the proxy.
    func proxyServices() -> ProxyServices {
        var services = ProxyServices()
        services.status = { [server] tenant in
            let reports = (server?.environment.proxy?.reports ?? []).filter { $0.server.tenant == tenant }
            return ProxyJSON.text(["home_servers": .array(reports.map(ProxyJSON.report))])
        }
        services.match = { [feed, server] tenant, userName, nas in
            let snapshot = feed.store.snapshot
            let report = try PolicyService.forwarding(userName, nas, tenant, snapshot)
            return ProxyJSON.match(userName, tenant, report, snapshot, server?.environment.proxy?.reports ?? [])
        }
        services.checkRealm = { kind, realm in
            switch kind {
            case "pattern": Realm.mistake(inPattern: realm).map { "the pattern \($0)" }
            case "suffix" where realm.contains("@"): "a realm has no @; user@realm is what it is found in"
            case "suffix" where realm.isEmpty, "prefix" where realm.isEmpty: "a realm is expected; kind null is for names without one"
            case "prefix" where realm.contains("\\") || realm.contains("/"): "a realm has no \\ and no /; they stand behind it in the name"
            default: nil
            }
        }
        services.checkFilter = { [feed] names, removes in
            var problems: [String] = []
            _ = AttributeFilter(
                allow: removes ? [] : names, remove: removes ? names : [], dictionary: feed.store.snapshot.dictionary, problems: &problems)
            return problems
        }
        services.checkAttributes = { [feed] lines in
            var problems: [String] = []
            _ = AttributeFilter(allow: [], remove: [], set: lines, dictionary: feed.store.snapshot.dictionary, problems: &problems)
            return problems
        }
        return services
    }
}

/// Home servers' CoA and Disconnect go to the NAS until the daemon ends. It ends behind the parts: their CoA client lets go of what waits.
struct RelayService: Service {
    let relay: SessionRelay

    func run() async throws {
        await cancelWhenGracefulShutdown { await relay.run() }
    }
}

/// The proxy's answers as JSON.
enum ProxyJSON {
    static func report(_ report: ProxyService.HomeServerReport) -> JSON {
        let meter = report.meter
        let version: JSON = meter.version.map { .string($0.name) } ?? .null
        let reason: JSON = meter.mostDropped.map { .string(String($0.name.dropFirst("dropped_".count))) } ?? .null
        return [
            "id": number(report.server.id), "name": .string(report.server.name), "address": .string(report.server.address.text),
            "transport": .string(report.server.transport.rawValue), "state": .string(meter.state.name),
            "radius_version": version, "connection_failure": meter.connectionFailure.map { .string($0) } ?? .null,
            "latency_microseconds": number(meter.latencyMicroseconds), "outstanding": number(meter.outstanding),
            "requests": number(meter[.accessRequests] + meter[.accountingRequests]), "timeouts": number(meter[.timeouts]),
            "dropped": number(HomeServerCounter.droppedReplies.reduce(0) { $0 + meter[$1] }),
            "dropped_mostly": reason,
            "secret_flaw": report.server.secretFlaw.map { .string($0) } ?? .null,
            "coa_requests": number(HomeServerCounter.dynamicAuthorizations.reduce(0) { $0 + meter[$1] }),
            "coa_dropped": number(HomeServerCounter.droppedDynamicAuthorizations.reduce(0) { $0 + meter[$1] }),
            "counters": .object(HomeServerCounter.allCases.map { JSON.Member($0.name, number(meter[$0])) }),
        ]
    }

    /// Where a user name would go; `report` is nil where nobody's rules decide about it.
    static func match(
        _ userName: String, _ tenant: Int64, _ report: ForwardingReport?, _ snapshot: Snapshot, _ reports: [ProxyService.HomeServerReport]
    ) -> String {
        let found: (realm: Realm, forwardedName: String)?
        if let report {
            found = report.realm.map { ($0, report.forwardedName) }
        } else {
            found = snapshot.proxy?.realm(tenant: tenant, userName: userName)
        }
        let rules: JSON = .array((report?.rules.lines ?? []).map { ExplanationJSON.rule($0) })
        guard let (realm, name) = found else {
            return text([
                "username": .string(userName), "realm": .null,
                "sentence": .string("No realm has this name; it is answered here." + hint(report)), "rules": rules,
            ])
        }
        let states = [Int64: HomeServerLiveness.State](reports.map { ($0.server.id, $0.meter.state) }) { first, _ in first }
        return text([
            "username": .string(userName), "realm": .string(realm.name), "kind": .string(realm.kind.rawValue),
            "rule": report?.rule.map { .string($0) } ?? .null,
            "forwarded_as": .string(name),
            "pool": realm.accessPool.map { .string($0.name) } ?? .null,
            "sentence": .string(sentence(realm, name, states, report)),
            "home_servers": .array(
                (realm.accessPool?.servers ?? []).map {
                    ["name": .string($0.name), "address": .string($0.address.text), "state": .string((states[$0.id] ?? .alive).name)]
                }),
            "rules": rules,
        ])
    }

    private static func sentence(
        _ realm: Realm, _ name: String, _ states: [Int64: HomeServerLiveness.State], _ report: ForwardingReport?
    ) -> String {
        let who = report?.rule.map { "The rule \($0) chooses the realm \(realm.name). " } ?? ""
        guard let pool = realm.accessPool else { return who + "The realm has no pool; it is answered here." + hint(report) }
        let isAnyoneAlive = pool.servers.contains { states[$0.id] != .dead }
        let end = isAnyoneAlive ? " as \(name)." : ", of which no home server is alive."
        return who + "Goes to the pool \(pool.name)" + end + hint(report)
    }

    /// That rules which do not hold for a name alone may hold for a whole login.
    private static func hint(_ report: ForwardingReport?) -> String {
        guard let report, report.rule == nil, !report.rules.lines.isEmpty else { return "" }
        return " Rules that forward may look at more than the name: policy-rule test tries a whole login."
    }

    static func text(_ value: JSON) -> String { String(decoding: value.bytes, as: UTF8.self) }

    private static func number(_ value: some BinaryInteger) -> JSON { .number("\(value)") }
}
