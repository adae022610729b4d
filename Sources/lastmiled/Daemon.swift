import Admin
import DaemonSettings
import Database
import FoundationEssentials
import Glibc
import Logging
import Provisioning
import RadiusCore
import ServiceLifecycle
import UnixSignals

/// Puts the parts together, in the order in which they need each other, and takes them down in reverse.
struct Daemon {
    let settings: Settings
    let settingsFile: String?
    let demo: Bool
    private let logger: Logger
    private let watch: StopWatch

    init(settings: Settings, settingsFile: String?, demo: Bool) {
        self.settings = settings
        self.settingsFile = settingsFile
        self.demo = demo
        logger = Logger(label: "lastmiled")
        watch = StopWatch(logger: logger)
    }

    private var state: StateDirectory { StateDirectory(path: settings.stateDirectory) }

    func run() async throws {
        for note in settings.notes { logger.warning("\(note)") }
        try state.prepare()
        let dictionary = try Self.loadDictionary(settings)
        for warning in dictionary.warnings { logger.warning("dictionary: \(warning)") }
        let token = try state.operatorToken(settings.adminToken)
        let secrets = try Self.startable { try KeyFile.open(path: Self.keyFile(settings)) }
        let cluster = try await startCluster()
        do {
            try await serve(dictionary: dictionary, token: token, secrets: secrets, cluster: cluster)
        } catch {
            await cluster?.stop()
            throw error is StartFailure ? error : StartFailure("\(error)")
        }
        watch.step("its PostgreSQL to end")
        await cluster?.stop()
        watch.end()
    }

    private func serve(dictionary: RadiusDictionary, token: String, secrets: SecretBox, cluster: PrivateCluster?) async throws {
        let database = configuration(cluster)
        try await migrate(database)
        let pool = try Pool(configuration: database, logger: Logger(label: "database"))
        defer { pool.shutdown() }
        try await KeyCheck(pool: pool, secrets: secrets, file: Self.keyFile(settings)).run()
        let demo = try await Bootstrap(pool: pool, secrets: secrets, logger: logger).run(demo: demo)
        let parts = try Parts(settings: settings, database: database, pool: pool, dictionary: dictionary, secrets: secrets)
        try await parts.startFeed()
        let http =
            settings.roles.contains(.admin)
            ? AdminServer(
                services: parts.adminServices(token: token, seal: { try secrets.seal($0) }, open: { try secrets.open($0) }),
                address: settings.httpAddress,
                port: Int(settings.httpPort)) : nil
        try parts.startRadius()
        // They end in reverse: HTTP last, so that /readyz and /metrics can be read while the rest drains.
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = []
        if let http { services.append(.init(service: HTTPService(server: http, settings: settings))) }
        if let relay = parts.relay { services.append(.init(service: RelayService(relay: relay))) }
        services.append(.init(service: PartsService(parts: parts, watch: watch)))
        if let server = parts.server {
            services.append(.init(service: ReauthorizationService(reauthorizer: parts.reauthorizer)))
            services.append(.init(service: SessionReplacementService(replacer: parts.replacer)))
            let report = UnknownClientsReport(clients: server.environment.unknownClients, logger: Logger(label: "radius"))
            services.append(.init(service: report))
            services.append(.init(service: RateLimitReport(store: parts.feed.store, logger: Logger(label: "radius"))))
            if let certificates = server.environment.eap?.certificates {
                let files = settings.eapTLS
                let certificateWatch = EAPCertificateWatch(
                    certificates: certificates, directory: files.directory, everySeconds: files.refreshSeconds)
                services.append(.init(service: certificateWatch))
            }
            if let proxy = server.environment.proxy {
                services.append(.init(service: HomeServerWatch(proxy: proxy, logger: Logger(label: "proxy"))))
            }
            services.append(.init(service: StreamReport(streams: parts.streams, logger: Logger(label: "radsec"))))
        }
        services.append(.init(service: Announcement(parts: parts, http: http, settings: settings, demo: demo)))
        services.append(.init(service: ReloadOnHangUp(settingsFile: settingsFile, feed: parts.feed, logger: logger)))
        services.append(.init(service: StopNotice(parts: parts)))
        let group = ServiceGroup(
            configuration: .init(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger(label: "services")))
        watch.start { [parts] in (parts.shipper.shippedSequence ?? 0) &+ (parts.authLog?.statistics.written ?? 0) }
        try await group.run()
        watch.step("work on the database")
    }

    static func keyFile(_ settings: Settings) -> String { StateDirectory(path: settings.stateDirectory).keys }

    static func loadDictionary(_ settings: Settings) throws -> RadiusDictionary {
        try startable { try RadiusDictionary.load(path: settings.dictionaryPath) }
    }

    private static func startable<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch { throw StartFailure("\(error)") }
    }

    private func startCluster() async throws -> PrivateCluster? {
        guard settings.databaseURL == nil else { return nil }
        do {
            let cluster = try PrivateCluster(directory: state.cluster, logger: Logger(label: "postgresql"))
            try await cluster.start { StandardError.write("lastmiled: \($0)") }
            return cluster
        } catch {
            throw StartFailure("\(error)")
        }
    }

    private func configuration(_ cluster: PrivateCluster?) -> DatabaseConfiguration {
        DatabaseConfiguration(conninfo: settings.databaseURL ?? cluster?.conninfo ?? "", poolSize: settings.databasePool)
    }

    private func migrate(_ database: DatabaseConfiguration) async throws {
        let directory = Self.migrations(settings)
        do {
            _ = try await Migrator(directory: directory).migrate(database) { progress in
                StandardError.write("lastmiled: \(progress)")
            }
        } catch let error as DatabaseError where settings.databaseURL != nil && error.code == .unableToConnect {
            throw StartFailure(
                "cannot connect to the PostgreSQL of database.url: \(error.message); start that server, or correct database.url "
                    + "(LASTMILE_DATABASE_URL); without it the daemon runs a PostgreSQL of its own")
        } catch {
            throw StartFailure("the database schema could not be brought up to date: \(error)")
        }
    }

    /// Installed beside the dictionaries, or where a checkout has them.
    private static func migrations(_ settings: Settings) -> String {
        let installed = settings.shareDirectory + "/migrations"
        return access(installed, F_OK) == 0 ? installed : settings.shareDirectory + "/Sources/Database/Migrations"
    }
}
