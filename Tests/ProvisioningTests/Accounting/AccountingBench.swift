import Database
import Glibc
import Logging
import RadiusCore
import Support

@testable import Provisioning

struct NotSettled: Error {
    let state: String
}

/// Waits until `condition` holds; throws after a minute, with what `state` then says.
func settles(_ condition: () async throws -> Bool, state: () -> String = { "" }) async throws {
    do {
        try await eventually(condition)
    } catch is ConditionNotMet {
        throw NotSettled(state: state())
    }
}

/// A journal, a fresh database with one tenant, and the shipper between them.
final class AccountingBench: Sendable {
    /// 2026-03-01T12:00:00Z.
    static let noon: Int64 = 1_772_366_400_000_000

    let configuration: DatabaseConfiguration
    let pool: Pool
    let tenant: Int64
    private let folder: String

    static func run(timeZone: String = "UTC", _ body: (AccountingBench) async throws -> Void) async throws {
        try await run(try await PostgresFixture.freshDatabase(), timeZone: timeZone, body)
    }

    static func run(
        _ configuration: DatabaseConfiguration, timeZone: String = "UTC", _ body: (AccountingBench) async throws -> Void
    ) async throws {
        let pool = try Pool(configuration: configuration, logger: quiet)
        defer { pool.shutdown() }
        let tenant = try await pool.run { connection in
            try connection.queryOne("INSERT INTO tenancy.tenant (name, time_zone) VALUES ('north', $1) RETURNING id", [.text(timeZone)])?
                .int64(0) ?? 0
        }
        let folder = try PostgresFixture.temporaryDirectory()
        defer { remove(folder) }
        try await body(AccountingBench(configuration, pool, tenant, folder))
    }

    private init(_ configuration: DatabaseConfiguration, _ pool: Pool, _ tenant: Int64, _ folder: String) {
        self.configuration = configuration
        self.pool = pool
        self.tenant = tenant
        self.folder = folder
    }

    static var quiet: Logger {
        var logger = Logger(label: "accounting-tests")
        logger.logLevel = .critical
        return logger
    }

    static var settings: AccountingSettings {
        var settings = AccountingSettings()
        settings.gatherMilliseconds = 1
        settings.maintenanceSeconds = 3600
        return settings
    }

    func journalPath(_ node: String) -> String { folder + "/" + node }

    func openJournal(_ node: String = "node1") throws -> Journal {
        try Journal.open(directory: journalPath(node), segmentBytes: 1 << 20)
    }

    func shipper(
        _ journal: Journal, node: String = "node1", settings: AccountingSettings = AccountingBench.settings, store: SnapshotStore? = nil
    ) -> AccountingShipper {
        AccountingShipper(
            journal: journal, configuration: configuration, node: node, settings: settings, store: store, logger: Self.quiet)
    }

    /// Journals the packets, ships them, and waits until all are in the database.
    @discardableResult
    func ship(_ packets: [AccountingPacket], node: String = "node1") async throws -> ShipperStatistics {
        let journal = try openJournal(node)
        defer { journal.close() }
        for packet in packets { try append(packet, to: journal) }
        return try await ship(journal, node: node)
    }

    func ship(_ journal: Journal, node: String = "node1") async throws -> ShipperStatistics {
        let shipper = shipper(journal, node: node)
        try shipper.start()
        defer { shipper.stop() }
        try await settles({ try await isShipped(journal, node) }, state: { "\(shipper.statistics)" })
        try await settles { shipper.statistics.lagRecords == 0 }
        return shipper.statistics
    }

    /// Runs `body` with one shipper; what `body` calls journals packets and waits until they are in the database.
    func shipping(
        node: String = "node1", store: SnapshotStore? = nil,
        _ body: (_ feed: ([AccountingPacket]) async throws -> ShipperStatistics) async throws -> Void
    ) async throws {
        let journal = try openJournal(node)
        defer { journal.close() }
        let shipper = shipper(journal, node: node, store: store)
        try shipper.start()
        defer { shipper.stop() }
        try await body { packets in
            for packet in packets { try self.append(packet, to: journal) }
            try await settles({ try await self.isShipped(journal, node) }, state: { "\(shipper.statistics)" })
            try await settles { shipper.statistics.lagRecords == 0 }
            return shipper.statistics
        }
    }

    func isShipped(_ journal: Journal, _ node: String) async throws -> Bool {
        guard journal.statistics().pending == 0 else { return false }
        let cursor = try await pool.run { connection in
            try connection.queryOne(
                "SELECT sequence FROM aaa.journal_cursor WHERE node_id = $1 AND journal_id = $2", [.text(node), .int(journal.identity)])?
                .int64(0)
        }
        return UInt64(cursor ?? 0) == journal.durableSequence
    }

    func append(_ packet: AccountingPacket, to journal: Journal) throws {
        let entry = JournalEntry(
            receivedMicroseconds: packet.receivedMicroseconds, tenant: packet.tenant ?? tenant, nas: packet.nas,
            subscriber: packet.subscriber, peer: InlineArray<16, UInt8>(repeating: 1))
        let octets = packet.octets
        while journal.append(entry, packet: octets.span) == nil { sched_yield() }
    }

    /// The first column of every row, as text, as the daemon itself sees it.
    func texts(_ sql: String, scope: TenantScope = .system) async throws -> [String] {
        try await pool.transaction(scope) { connection in
            try connection.queryAll(sql) { try $0.optionalString(0) ?? "null" }
        }
    }

    func number(_ sql: String) async throws -> Int64 {
        try await pool.transaction(.system) { try $0.queryOne(sql)?.int64(0) ?? -1 }
    }

    func execute(_ sql: String) async throws {
        _ = try await pool.transaction(.system) { try $0.execute(sql) }
    }

    /// A subscriber of the bench's tenant; returns its id.
    func subscriber(_ name: String) async throws -> Int64 {
        try await number("INSERT INTO aaa.subscriber (tenant_id, username) VALUES (\(tenant), '\(name)') RETURNING id")
    }

    private static func remove(_ path: String) {
        if let folder = opendir(path) {
            while let item = readdir(folder) {
                let name = withUnsafeBytes(of: &item.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
                if name != ".", name != ".." { remove(path + "/" + name) }
            }
            closedir(folder)
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}

/// An Accounting-Request as a NAS would send it.
struct AccountingPacket: Sendable {
    var tenant: Int64?
    var nas: Int64 = 1
    var subscriber: Int64 = 0
    var receivedMicroseconds: Int64
    var attributes: [(UInt8, [UInt8])]

    /// Sent by the NAS `event` seconds behind `AccountingBench.noon`, which also stands in Event-Timestamp.
    init(
        _ status: UInt32, session: String = "s1", user: String = "alice", event: Int64, seconds: UInt32? = nil, upload: UInt64? = nil,
        download: UInt64? = nil
    ) {
        receivedMicroseconds = AccountingBench.noon + event * 1_000_000 + 20_000
        attributes = [
            (40, Self.number(status)), (44, Array(session.utf8)), (1, Array(user.utf8)), (32, Array("bras1".utf8)),
            (55, Self.number(UInt32(AccountingBench.noon / 1_000_000 + event))),
        ]
        if let seconds { attributes.append((46, Self.number(seconds))) }
        if let upload { attributes += Self.counter(42, 52, upload) }
        if let download { attributes += Self.counter(43, 53, download) }
    }

    var octets: [UInt8] {
        var packet: [UInt8] = [4, 7, 0, 0] + [UInt8](repeating: 0xaa, count: 16)
        for (type, value) in attributes { packet += [type, UInt8(value.count + 2)] + value }
        packet[2] = UInt8(packet.count >> 8)
        packet[3] = UInt8(packet.count & 0xff)
        return packet
    }

    static func number(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    private static func counter(_ low: UInt8, _ high: UInt8, _ octets: UInt64) -> [(UInt8, [UInt8])] {
        [(low, number(UInt32(truncatingIfNeeded: octets))), (high, number(UInt32(octets >> 32)))]
    }
}
