import Database
import Logging
import RadiusCore
import Support

@testable import Provisioning

/// Hooks in a fresh database, with hands to make them, to let log-ins come and to look at what became of them.
struct HookBench {
    static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    let bench: AccountingBench

    static func run(_ body: (HookBench) async throws -> Void) async throws {
        try await AccountingBench.run { try await body(HookBench(bench: $0)) }
    }

    /// Makes a hook whose secret is not sealed; returns its id.
    @discardableResult
    func hook(
        _ name: String, url: String = "http://127.0.0.1:9/", outcome: String = "both", condition: String = "", tenant: Int64? = nil
    ) async throws -> Int64 {
        let owner = tenant ?? bench.tenant
        return try await bench.pool.transaction(.system) { connection in
            try connection.queryOne(
                """
                INSERT INTO aaa.post_auth_hook (tenant_id, name, url, secret, outcome, condition) VALUES ($1, $2, $3, $4, $5, $6)
                RETURNING id
                """,
                [.int(owner), .text(name), .text(url), .bytes(Array(Self.secret.utf8)), .text(outcome), .text(condition)])?.int64(0) ?? 0
        }
    }

    /// Queues `count` events for a hook, numbered from 1.
    func queue(_ count: Int, for hook: Int64) async throws {
        try await bench.execute(
            """
            INSERT INTO aaa.post_auth_event (tenant_id, hook_id, event)
            SELECT h.tenant_id, h.id, json_build_object('at', '2026-03-01T12:00:00.000000Z', 'number', n)
            FROM aaa.post_auth_hook h, generate_series(1, \(count)) n WHERE h.id = \(hook) ORDER BY n
            """)
    }

    /// Has the waiting message of a hook tried now, whenever it is due.
    func hurry(_ hook: Int64) async throws {
        try await bench.execute("UPDATE aaa.post_auth_progress SET due_at = now() WHERE hook_id = \(hook)")
    }

    /// A column of a hook's progress, as text.
    func progress(_ hook: Int64, _ column: String) async throws -> String {
        try await bench.texts("SELECT (\(column))::text FROM aaa.post_auth_progress WHERE hook_id = \(hook)").first ?? "none"
    }

    func waiting(_ hook: Int64) async throws -> Int64 {
        try await bench.number("SELECT count(*) FROM aaa.post_auth_event WHERE hook_id = \(hook)")
    }

    /// Runs `body` beside a service that tells hooks.
    func serving(
        reaching networks: [String] = ["127.0.0.0/8"], logger: Logger = AccountingBench.quiet, _ body: (HookService) async throws -> Void
    ) async throws {
        let service = HookService(configuration: bench.configuration, open: { $0 }, reach: WebhookReach(networks), logger: logger)
        try service.start()
        do {
            try await body(service)
        } catch {
            try await onOwnThread { service.stop() }
            throw error
        }
        try await onOwnThread { service.stop() }
    }
}
