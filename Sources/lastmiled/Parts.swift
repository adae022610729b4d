import Admin
import DaemonSettings
import Database
import Glibc
import Logging
import Provisioning
import RadiusCore
import Synchronization

/// The parts of the daemon below its HTTP interface, and how they are wired.
final class Parts: Sendable {
    let settings: Settings
    let pool: Pool
    let feed: SnapshotFeed
    let journal: Journal
    let server: RadiusServer?
    /// RADIUS over TCP, TLS and DTLS; nil where none is set.
    let streams: StreamServer?
    /// Where home servers' CoA and Disconnect come in; nil where they are not taken.
    let dynamicAuthorization: DynamicAuthorizationPort?
    let shipper: AccountingShipper
    /// What keeps addresses as DNS has them.
    let names: NameFollower
    /// What counts usage against quotas.
    let quotas: QuotaService
    /// What tells hooks of log-ins.
    let hooks: HookService
    let hookQueue: HookQueue?
    /// Accounting on its way to home servers.
    let forwarder: AccountingForwarder?
    let authLog: AuthLogShipper?
    let coa: CoAClient
    let control: SessionControl
    let reauthorizer: Reauthorizer
    let addresses: AddressPools
    /// Nil where nothing is handed out.
    let addressService: AddressPoolService?
    /// Who is online, of those who may be so often at once.
    let census = SessionCensus()
    let censusReader: SessionCensusReader?
    let slowChecks: SlowChecks
    private let stopping = Atomic<Bool>(false)
    let logger = Logger(label: "radius")

    init(
        settings: Settings, database: DatabaseConfiguration, pool: Pool, dictionary: RadiusDictionary, secrets: SecretBox
    ) throws {
        self.settings = settings
        self.pool = pool
        let state = StateDirectory(path: settings.stateDirectory)
        addresses = AddressPools()
        feed = SnapshotFeed(
            configuration: database, dictionary: dictionary, secrets: secrets, rules: Self.rules(settings), pools: addresses,
            logger: Logger(label: "snapshot"))
        journal = try Journal.open(directory: state.journal, segmentBytes: settings.journalSegmentBytes)
        let cores = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        slowChecks = SlowChecks(
            .init(
                threads: settings.slowCheckThreads == 0 ? max(1, cores / 2) : settings.slowCheckThreads,
                queue: settings.slowCheckQueue, deadlineMilliseconds: settings.slowCheckDeadlineMilliseconds))
        let node = try NodeIdentity.read(state)
        server =
            settings.roles.contains(.aaa)
            ? try Self.server(
                settings, store: feed.store, journal: journal, slowChecks: slowChecks, node: node, cores: cores, census: census,
                secrets: secrets) : nil
        censusReader = server.map { [census] _ in
            SessionCensusReader(census: census, configuration: database, logger: Logger(label: "session-limits"))
        }
        dynamicAuthorization = try Self.dynamicAuthorization(settings, server?.environment.proxy)
        streams = try server.flatMap { try Self.streams(settings, beside: $0, cores: cores) }
        names = NameFollower(configuration: database, seconds: settings.dnsRefreshSeconds, logger: Logger(label: "dns"))
        quotas = QuotaService(configuration: database, logger: Logger(label: "quotas"))
        hooks = HookService(
            configuration: database, open: { try secrets.open($0) }, reach: WebhookReach(settings.hookNetworks),
            logger: Logger(label: "hooks"))
        shipper = AccountingShipper(
            journal: journal, configuration: database, node: node, settings: Self.keeping(settings), quotas: quotas.wake,
            store: feed.store, logger: Logger(label: "accounting"))
        addressService = server.map { [addresses, shipper, journal] _ in
            Self.addressService(addresses, database, node, settings, shipper, journal)
        }
        forwarder = server?.environment.proxy.map { [feed, journal] in AccountingForwarder(journal: journal, store: feed.store, proxy: $0) }
        hookQueue = server.map { [feed] _ in HookQueue(store: feed.store, logger: Logger(label: "hooks")) }
        authLog = server.map { [streams, hookQueue] server in
            AuthLogShipper(
                rings: server.authEvents + (streams?.authEvents ?? []), configuration: database,
                reasonNames: Dictionary(uniqueKeysWithValues: AccessReason.allCases.map { ($0.rawValue, $0.name) }),
                methodNames: Dictionary(uniqueKeysWithValues: AuthenticationMethod.allCases.map { ($0.rawValue, $0.name) }),
                eventsPerSecond: settings.authLogRate, hooks: hookQueue,
                logger: Logger(label: "auth-log"))
        }
        coa = try CoAClient()
        control = SessionControl(
            pool: pool, client: coa, connections: streams?.reverse, open: { try secrets.open($0) },
            attributes: { [feed] tenant, session in
                feed.store.snapshot.change(
                    tenant: tenant, userName: session.userName, subscriber: session.subscriberID, vendor: session.vendor,
                    used: session.used)
            },
            limits: { [feed] tenant, session in
                feed.store.snapshot.limitChange(
                    tenant: tenant, userName: session.userName, subscriber: session.subscriberID, vendor: session.vendor,
                    used: session.used)
            },
            defaultPort: settings.coaPort)
        reauthorizer = Reauthorizer(pool: pool, control: control, feed: feed, logger: Logger(label: "reauthorization"))
    }

    /// How long accounting keeps what.
    private static func keeping(_ settings: Settings) -> AccountingSettings {
        var keeping = AccountingSettings()
        keeping.journalHours = settings.journalRetentionHours
        keeping.recordDays = settings.accountingRetentionDays
        keeping.historyMonths = max(1, settings.accountingRetentionDays / 30)
        keeping.usageDays = settings.usageRetentionDays
        keeping.rejectDays = settings.rejectRetentionDays
        keeping.authLogDays = settings.authLogRetentionDays
        keeping.dynamicAuthorizationDays = settings.coaRetentionDays
        keeping.auditDays = settings.auditRetentionDays
        return keeping
    }

    private static func rules(_ settings: Settings) -> SnapshotFeed.Rules {
        SnapshotFeed.Rules(
            requireMessageAuthenticator: TriState(name: settings.requireMessageAuthenticator.rawValue) ?? .auto,
            limitProxyState: TriState(name: settings.limitProxyState.rawValue) ?? .auto,
            rateLimitPerSecond: UInt32(settings.clientRateLimit))
    }

    private static func server(
        _ settings: Settings, store: SnapshotStore, journal: Journal, slowChecks: SlowChecks, node: String, cores: Int,
        census: SessionCensus, secrets: SecretBox
    ) throws -> RadiusServer {
        var limits = ServerSettings()
        limits.replyCacheOctets = settings.replyCacheBytes
        limits.rejectDelayMilliseconds = settings.rejectDelayMilliseconds
        guard let address = IPAddress(text: settings.radiusAddress) else {
            throw StartFailure("radius.address: \(settings.radiusAddress) is not an IP address")
        }
        let environment = ServerEnvironment(
            settings: limits, store: store, journal: journal, slowChecks: slowChecks,
            eap: EAPService(
                Self.eap(settings, node: node, cores: cores), store: store,
                certificates: try EAPCertificateFiles(settings.eapTLS).opened()),
            recorder: Self.recorder(settings, cores: cores), proxy: try Self.proxy(settings, store: store, secrets: secrets),
            sessions: census)
        return try RadiusServer(
            .init(
                address: Self.listening(address), authenticationPort: settings.radiusAuthPort, accountingPort: settings.radiusAcctPort,
                workers: settings.radiusWorkers == 0 ? cores : settings.radiusWorkers),
            environment: environment)
    }

    /// 0.0.0.0 stands for every address of both families: one dual-stack socket.
    static func listening(_ address: IPAddress) -> IPAddress { address.ipv4 == 0 ? IPAddress(high: 0, low: 0) : address }

    /// How EAP is spoken.
    private static func eap(_ settings: Settings, node: String, cores: Int) -> EAPService.Settings {
        var eap = EAPService.Settings()
        eap.methods = settings.eapMethods.compactMap { EAPType(name: $0) }
        eap.akaPrimeNetwork = settings.eapAKAPrimeNetwork
        eap.notifiesRefused = settings.eapNotifiesRefused
        eap.conversations = settings.eapConversations
        eap.memoryOctets = settings.eapMemoryBytes
        eap.conversationOctets = settings.eapConversationBytes
        eap.conversationSeconds = settings.eapConversationSeconds
        eap.responseSeconds = settings.eapResponseSeconds
        eap.threads = settings.eapThreads == 0 ? max(1, cores / 2) : settings.eapThreads
        eap.queue = settings.eapQueue
        eap.deadlineMilliseconds = settings.eapDeadlineMilliseconds
        eap.node = node
        EAPCertificateFiles(settings.eapTLS).apply(to: &eap)
        return eap
    }

    /// Starts the feed and returns when the first snapshot is in force.
    func startFeed() async throws {
        feed.start()
        var (read, deadline) = (0, ContinuousClock.now + .seconds(60))
        while ContinuousClock.now < deadline {
            let state = feed.state
            if state.isLoaded { return }
            // Millions take a while on a slow machine; only standstill is a failure.
            if state.subscribersRead != read { (read, deadline) = (state.subscribersRead, ContinuousClock.now + .seconds(60)) }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw StartFailure(
            "the subscribers could not be read from the database (\(read) so far, then nothing for a minute): "
                + (feed.state.lastError ?? feed.state.loadError ?? "still reading"))
    }

    func startRadius() throws {
        try shipper.start()
        try quotas.start()
        try names.start()
        try hooks.start()
        try authLog?.start()
        try addressService?.start()
        try censusReader?.start()
        if let warning = server?.steering.warning { logger.warning("\(warning)") }
        prepareStreams()
        forwarder?.start()
        server?.start()
        streams?.start()
    }

    /// Whether the process was asked to end; from then on it is not ready.
    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    /// The first act of a stop: says so, and lets the workers answer what they have received.
    func beginStop() {
        stopping.store(true, ordering: .relaxed)
        server?.stop()
        streams?.stop()
        dynamicAuthorization?.stop()
    }
}
