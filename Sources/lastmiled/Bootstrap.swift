import Database
import Logging
import Provisioning

/// What an empty database needs before the daemon is of use: a tenant; and with `--demo`, something to try.
struct Bootstrap {
    let pool: Pool
    let secrets: SecretBox
    let logger: Logger

    /// - Returns: what became of `--demo`.
    func run(demo: Bool) async throws -> Announcement.Demo {
        let secrets = secrets
        let made = try await pool.transaction(.system) { connection -> Int64? in
            try connection.execute("LOCK TABLE tenancy.tenant IN SHARE ROW EXCLUSIVE MODE")
            guard try connection.queryOne("SELECT 1 FROM tenancy.tenant LIMIT 1") == nil else { return nil }
            return try connection.queryOne(
                "INSERT INTO tenancy.tenant (name, title) VALUES ($1, $2) RETURNING id",
                demo ? ["demo", "Demonstration"] : ["default", "Default tenant"])?.int64(0)
        }
        guard let made else { return try await demo ? present() : .notAsked }
        logger.info("made the first tenant", metadata: ["tenant": "\(made)"])
        guard demo else { return .notAsked }
        try await pool.transaction(.tenant(made)) { try Self.fill($0, tenant: made, secrets: secrets) }
        return .filled
    }

    /// Whether an earlier `--demo` filled the database.
    private func present() async throws -> Announcement.Demo {
        try await pool.transaction(.system, readOnly: true) { connection in
            let alice =
                "SELECT 1 FROM aaa.subscriber JOIN tenancy.tenant t ON t.id = tenant_id WHERE t.name = 'demo' AND username = 'alice'"
            return try connection.queryOne(alice) == nil ? .notEmpty : .filled
        }
    }

    /// Asymmetric plans, so that nobody can mistake upload for download.
    private static func fill(_ connection: Connection, tenant: Int64, secrets: SecretBox) throws {
        let profile = "INSERT INTO aaa.profile (tenant_id, name, download, upload) VALUES ($1, $2, $3, $4) RETURNING id"
        let plans: [(String, Int64, Int64)] = [("home20", 20_000_000, 5_000_000), ("home100", 100_000_000, 20_000_000)]
        var ids: [String: Int64] = [:]
        for (name, download, upload) in plans + [("walled-garden", 1_000_000, 1_000_000)] {
            ids[name] = try connection.queryOne(profile, [.int(tenant), .text(name), .int(download), .int(upload)])?.int64(0)
        }
        try connection.execute(
            "INSERT INTO aaa.access_policy (tenant_id, walled_garden_profile_id, interim_interval) VALUES ($1, $2, 300)",
            [.int(tenant), SQLValue(ids["walled-garden"])])
        for (name, address) in [("loopback", "127.0.0.0/8"), ("loopback6", "::1/128")] {
            try connection.execute(
                "INSERT INTO aaa.nas (tenant_id, name, address, secret, vendor) VALUES ($1, $2, $3::text::cidr, $4, 'mikrotik')",
                [.int(tenant), .text(name), .text(address), .bytes(try secrets.seal(Array("testing123".utf8)))])
        }
        for (name, plan, status) in [("alice", "home100", "active"), ("bob", "home20", "active"), ("carol", "home20", "suspended")] {
            try connection.execute(
                """
                INSERT INTO aaa.subscriber (tenant_id, username, password, profile_id, status, full_name)
                VALUES ($1, $2, $3, $4, $5, initcap($2) || ' Example')
                """,
                [.int(tenant), .text(name), .bytes(try secrets.seal(Array("wonderland".utf8))), SQLValue(ids[plan]), .text(status)])
        }
    }
}
