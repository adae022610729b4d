import Database
import Support
import Testing

@testable import Provisioning

/// What happens to changes that nobody needs any more, and to a node that still needed them.
@Suite(.serialized) struct ChangePruningTests {
    /// Runs `body` on a connection to a database with one tenant, on a server where nobody else has a transaction open.
    private func withDatabase(_ body: @escaping @Sendable (Connection, Int64) throws -> Void) async throws {
        try await OwnServer.with { _, configuration in
            try await onOwnThread {
                let connection = try Connection.open(configuration)
                defer { connection.close() }
                let tenant = try connection.transaction(.system) {
                    try $0.queryOne("INSERT INTO tenancy.tenant (name) VALUES ('isp') RETURNING id")?.int64(0) ?? 0
                }
                try body(connection, tenant)
            }
        }
    }

    private static func addProfile(_ name: String, _ tenant: Int64, _ connection: Connection) throws {
        _ = try connection.transaction(.system) {
            try $0.execute("INSERT INTO aaa.profile (tenant_id, name) VALUES ($1, $2)", [.int(tenant), .text(name)])
        }
    }

    /// Notes the horizon, lets two days pass for all notes there are, and prunes.
    private static func pruneAfterTwoDays(_ connection: Connection) throws {
        try connection.transaction(.system) { connection in
            try ChangePruning.run(connection)
            try connection.execute("UPDATE aaa.change_horizon SET recorded_at = recorded_at - interval '2 days'")
        }
        try connection.transaction(.system) { try ChangePruning.run($0) }
    }

    private static func begin(_ connection: Connection) throws -> ChangeFeed {
        var feed = ChangeFeed()
        try connection.transaction(.system, isolation: .repeatableRead, readOnly: true) { try feed.begin($0) }
        return feed
    }

    private static func read(_ feed: inout ChangeFeed, _ connection: Connection) throws -> ChangeSet {
        try connection.transaction(.system, isolation: .repeatableRead, readOnly: true) { try feed.read($0) }
    }

    private static func rows(_ connection: Connection) throws -> Int {
        try connection.transaction(.system) { try $0.queryOne("SELECT count(*) FROM aaa.change")?.int(0) ?? 0 }
    }

    @Test func aChangeIsReadOnceAndInOrder() async throws {
        try await withDatabase { connection, tenant in
            try Self.addProfile("before", tenant, connection)
            var feed = try Self.begin(connection)
            #expect(try Self.read(&feed, connection).isEmpty)
            for name in ["a", "b"] { try Self.addProfile(name, tenant, connection) }
            let changes = try Self.read(&feed, connection)
            #expect(changes.count == 2 && changes.profiles.count == 2 && !changes.isUnknown)
            #expect(try Self.read(&feed, connection).isEmpty)
        }
    }

    @Test func aNodeThatWasAwayForLongerThanChangesAreKeptReadsEverything() async throws {
        try await withDatabase { connection, tenant in
            var (away, present) = (try Self.begin(connection), try Self.begin(connection))
            try Self.addProfile("missed", tenant, connection)
            #expect(try Self.read(&present, connection).count == 1)
            try Self.pruneAfterTwoDays(connection)
            #expect(try Self.rows(connection) == 0)
            #expect(try Self.read(&away, connection).isUnknown)
            #expect(try Self.read(&present, connection).isEmpty)
            // Once it has read everything, it goes on.
            away = try Self.begin(connection)
            try Self.addProfile("seen", tenant, connection)
            let changes = try Self.read(&away, connection)
            #expect(changes.count == 1 && !changes.isUnknown)
        }
    }

    @Test func aChangeIsKeptForADayAfterItsTransactionEnded() async throws {
        try await withDatabase { connection, tenant in
            var feed = try Self.begin(connection)
            try connection.transaction(.system) { connection in
                try connection.execute("INSERT INTO aaa.profile (tenant_id, name) VALUES ($1, 'long')", [.int(tenant)])
                // What others note and delete while this transaction is open.
                try ChangePruning.run(connection)
                try connection.execute("UPDATE aaa.change_horizon SET recorded_at = recorded_at - interval '2 days'")
                try ChangePruning.run(connection)
            }
            #expect(try Self.rows(connection) == 1)
            let changes = try Self.read(&feed, connection)
            #expect(changes.count == 1 && !changes.isUnknown)
        }
    }

    /// A dump carries ids of the server that it was made on.
    @Test func rowsFromARestoredDumpAreNoChanges() async throws {
        try await withDatabase { connection, tenant in
            try connection.transaction(.system) { connection in
                try connection.execute(
                    """
                    INSERT INTO aaa.change (tenant_id, kind, key, transaction_id, created_at)
                    VALUES ($1, 'nas', 1, '9999999999', now() - interval '3 days'), ($1, 'nas', 2, '9999999999', now())
                    """, [.int(tenant)])
                try connection.execute("INSERT INTO aaa.change_horizon (transaction_id, pruned) VALUES ('9999999999', true)")
            }
            var feed = try Self.begin(connection)
            #expect(try Self.read(&feed, connection).isEmpty)
            try Self.addProfile("new", tenant, connection)
            for expected in [1, 0] {
                let changes = try Self.read(&feed, connection)
                #expect(changes.count == expected && !changes.clients && !changes.isUnknown)
            }
            try Self.pruneAfterTwoDays(connection)
            #expect(try Self.rows(connection) == 1)
        }
    }
}
