import Database
import Glibc
import Logging
import Provisioning
import RadiusCore
import Support
import Synchronization

/// A database with a tenant, hands to change its rows, and feeds that follow it.
struct SnapshotDesk: Sendable {
    let configuration: DatabaseConfiguration
    let pool: Pool
    let secrets: SecretBox
    let feed: SnapshotFeed
    let tenant: Int64

    static let dictionary = Result { try anotherDictionary() }
    /// The same one, read once more.
    static func anotherDictionary() throws -> RadiusDictionary { try RadiusDictionary.load(path: dictionaryPath) }
    private static let dictionaryPath =
        #filePath.split(separator: "/").dropLast(4).map { "/" + $0 }.joined() + "/dictionaries/dictionary"

    /// Runs `body` with a desk of its own, and ends what it started; on `database` if one is given, which must be migrated and empty.
    static func with(_ database: DatabaseConfiguration? = nil, _ body: (SnapshotDesk) async throws -> Void) async throws {
        let folder = try PostgresFixture.temporaryDirectory()
        let keys = folder + "/key"
        let secrets = try KeyFile.open(path: keys)
        unlink(keys)
        rmdir(folder)
        var configuration = if let database { database } else { try await PostgresFixture.freshDatabase() }
        configuration.poolSize = 4
        let pool = try Pool(configuration: configuration, logger: Logger(label: "tests"))
        let tenant = try await pool.transaction(.system) {
            try $0.queryOne("INSERT INTO tenancy.tenant (name) VALUES ('isp') RETURNING id")?.int64(0) ?? 0
        }
        let feed = try anotherFeed(configuration, secrets)
        let desk = SnapshotDesk(configuration: configuration, pool: pool, secrets: secrets, feed: feed, tenant: tenant)
        do {
            try await body(desk)
        } catch {
            try await desk.end()
            throw error
        }
        try await desk.end()
    }

    /// One more feed on the database, as another node has it; the caller ends it.
    static func anotherFeed(_ configuration: DatabaseConfiguration, _ secrets: SecretBox) throws -> SnapshotFeed {
        var own = configuration
        own.applicationName = "feed"
        return SnapshotFeed(
            configuration: own, dictionary: try dictionary.get(), secrets: secrets, rules: .init(), logger: Logger(label: "tests"))
    }

    /// Starts the feed and returns when the first snapshot is in force.
    func follow() async throws { try await Self.start(feed) }

    static func start(_ feed: SnapshotFeed) async throws {
        feed.start()
        try await eventually { feed.state.isLoaded && feed.state.isConnected }
    }

    static func end(_ feed: SnapshotFeed) async throws {
        feed.stop()
        try await eventually { feed.hasEnded }
    }

    private func end() async throws {
        try await Self.end(feed)
        let pool = pool
        try await onOwnThread { pool.shutdown() }
    }

    /// Runs one statement as the system.
    ///
    /// - Returns: the first column of the first row; 0 without one.
    @discardableResult
    func sql(_ text: String, _ parameters: [SQLValue] = []) async throws -> Int64 {
        try await pool.transaction(.system) { try $0.queryOne(text, parameters)?.optionalInt64(0) ?? 0 }
    }

    func profile(_ name: String, download: Int64 = 50_000_000, upload: Int64 = 10_000_000, of owner: Int64? = nil) async throws -> Int64 {
        try await sql(
            "INSERT INTO aaa.profile (tenant_id, name, download, upload) VALUES ($1, $2, $3, $4) RETURNING id",
            [.int(owner ?? tenant), .text(name), .int(download), .int(upload)])
    }

    @discardableResult
    func nas(_ name: String = "core1", address: String = "192.0.2.7/32", vendor: String = "mikrotik") async throws -> Int64 {
        try await sql(
            "INSERT INTO aaa.nas (tenant_id, name, address, secret, vendor) VALUES ($1, $2, $3::text::cidr, $4, $5) RETURNING id",
            [.int(tenant), .text(name), .text(address), .bytes(try seal("nas-secret")), .text(vendor)])
    }

    @discardableResult
    func subscriber(_ name: String, profile: Int64?, password: String = "secret", of owner: Int64? = nil) async throws -> Int64 {
        try await sql(
            "INSERT INTO aaa.subscriber (tenant_id, username, profile_id, password) VALUES ($1, $2, $3, $4) RETURNING id",
            [.int(owner ?? tenant), .text(name), SQLValue(profile), .bytes(try seal(password))])
    }

    func lock(_ subscriber: Int64, _ reason: String, _ level: String) async throws {
        try await sql(
            "INSERT INTO aaa.access_lock (tenant_id, subscriber_id, reason, level) VALUES ($1, $2, $3, $4)",
            [.int(tenant), .int(subscriber), .text(reason), .text(level)])
    }

    func unlock(_ subscriber: Int64, _ reason: String) async throws {
        try await sql("DELETE FROM aaa.access_lock WHERE subscriber_id = $1 AND reason = $2", [.int(subscriber), .text(reason)])
    }

    func seal(_ clear: String) throws -> [UInt8] { try secrets.seal(Array(clear.utf8)) }

    /// What the NAS called `nas` would be told now; nil when it or the subscriber is not known.
    func explain(_ name: String, nas: String = "core1", tenant owner: Int64? = nil) -> Explanation? {
        let snapshot = feed.store.snapshot
        return snapshot.clients.find(tenant: tenant, name: nas)
            .flatMap { Explanation(userName: name, tenant: owner ?? tenant, client: $0, in: snapshot) }
    }

    /// The stored credential as text.
    func credential(_ name: String, tenant owner: Int64? = nil) -> String? {
        let snapshot = feed.store.snapshot
        let octets = Array(name.utf8).withUnsafeBytes { name in
            snapshot.subscribers.find(tenant: owner ?? tenant, name: name).map { Array($0.credential) }
        }
        return octets.map { String(decoding: $0, as: UTF8.self) }
    }
}

extension Explanation {
    /// `Name = value` of every attribute, in order.
    var lines: [String] { attributes.map { "\($0.taggedName) = \($0.value)" } }

    func value(_ name: String) -> String? { attributes.first { $0.taggedName == name }?.value }
}

/// Opened once, from any thread.
final class Gate: Sendable {
    private let opened = Atomic<Bool>(false)

    var isOpen: Bool { opened.load(ordering: .acquiring) }
    func open() { opened.store(true, ordering: .releasing) }
    /// For a thread that may block.
    func pass() throws { try eventuallyBlocking { isOpen } }
}
