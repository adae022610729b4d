import Database
import Logging
import Support
import Synchronization
import Testing

/// Holds a thread until opened.
private final class Gate: Sendable {
    private let isOpen = Atomic(false)

    func open() { isOpen.store(true, ordering: .releasing) }

    func wait() throws { try eventuallyBlocking { isOpen.load(ordering: .acquiring) } }
}

@Suite struct PoolTests {
    private func pool(_ configuration: DatabaseConfiguration) throws -> Pool {
        try Pool(configuration: configuration, logger: Logger(label: "tests"))
    }

    @Test func runsMoreWorkThanItHasConnections() async throws {
        let pool = try pool(try await PostgresFixture.shared())
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 1...100 {
                group.addTask { try await pool.run { try $0.queryOne("SELECT $1::int", [.init(number)])?.int(0) ?? 0 } }
            }
            return try await group.reduce(0, +)
        }
        #expect(sum == 5050)
        #expect(pool.metrics.inUse == 0 && pool.metrics.queueDepth == 0)
        pool.shutdown()
    }

    @Test func cancellationEndsTheWait() async throws {
        var configuration = try await PostgresFixture.shared()
        configuration.poolSize = 1
        let pool = try pool(configuration)
        let gate = Gate()
        async let holder: Void = pool.run { _ in try gate.wait() }
        try await eventually { pool.metrics.inUse == 1 }
        let waiting = Task { try await pool.run { _ in } }
        try await eventually { pool.metrics.queueDepth == 1 }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        #expect(pool.metrics.queueDepth == 0)
        gate.open()
        try await holder
        pool.shutdown()
    }

    @Test func refusesWhatWaitsTooLongOrIsTooMuch() async throws {
        var configuration = try await PostgresFixture.shared()
        configuration.poolSize = 1
        configuration.waitTimeoutSeconds = 1
        configuration.queueLimit = 1
        let pool = try pool(configuration)
        let gate = Gate()
        async let holder: Void = pool.run { _ in try gate.wait() }
        try await eventually { pool.metrics.inUse == 1 }
        let waiting = Task { try await pool.run { _ in } }
        try await eventually { pool.metrics.queueDepth == 1 || pool.metrics.failuresTotal > 0 }
        await #expect { try await pool.run { _ in } } throws: { SQLState.poolBusy ~= $0 }
        await #expect { try await waiting.value } throws: { SQLState.poolBusy ~= $0 }
        gate.open()
        try await holder
        pool.shutdown()
    }

    @Test func failsWithConnectionFailureWhenNoServerAnswers() async throws {
        let pool = try pool(DatabaseConfiguration(conninfo: "host=/nonexistent dbname=x", poolSize: 1, waitTimeoutSeconds: 1))
        for _ in 0..<2 {
            await #expect {
                try await pool.run { _ in }
            } throws: {
                ($0 as? DatabaseError)?.isConnectionLoss == true && SQLState.connectionFailure ~= $0
            }
        }
        pool.shutdown()
        await #expect { try await pool.run { _ in } } throws: { SQLState.poolBusy ~= $0 }
    }

    @Test func replacesAConnectionThatTheServerEnded() async throws {
        var configuration = try await PostgresFixture.shared()
        configuration.poolSize = 1
        let pool = try pool(configuration)
        let backend = try await pool.run { try $0.queryOne("SELECT pg_backend_pid()")?.int(0) ?? 0 }
        let ended = try await withConnection(try await PostgresFixture.superuser()) { connection in
            try connection.queryOne("SELECT pg_terminate_backend($1, 10000)", [.init(backend)])?.bool(0)
        }
        #expect(ended == true)
        let next = try await pool.run { try $0.queryOne("SELECT pg_backend_pid()")?.int(0) ?? 0 }
        #expect(next != backend && next != 0)
        pool.shutdown()
    }

    @Test func repeatsATransactionAfterASerializationFailure() async throws {
        let pool = try pool(try await PostgresFixture.shared())
        let attempts = Mutex(0)
        let value = try await pool.transaction(.none) { connection in
            let attempt = attempts.withLock { count in
                count += 1
                return count
            }
            if attempt < 3 { try connection.script("DO $$ BEGIN RAISE serialization_failure; END $$") }
            return attempt
        }
        #expect(value == 3)
        await #expect {
            try await pool.transaction(.none) { try $0.script("DO $$ BEGIN RAISE deadlock_detected; END $$") }
        } throws: {
            SQLState.deadlockDetected ~= $0
        }
        pool.shutdown()
    }

    @Test func doesNotLendAnOpenTransaction() async throws {
        var configuration = try await PostgresFixture.shared()
        configuration.poolSize = 1
        let pool = try pool(configuration)
        try await pool.run { try $0.script("BEGIN") }
        #expect(try await pool.run { $0.isInTransaction } == false)
        pool.shutdown()
    }

    @Test func servesThreadsThatMayBlock() async throws {
        let pool = try pool(try await PostgresFixture.shared())
        let value = try await onOwnThread { try pool.runBlocking { try $0.queryOne("SELECT 7")?.int(0) } }
        #expect(value == 7)
        pool.shutdown()
    }
}
