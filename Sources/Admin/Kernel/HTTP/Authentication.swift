internal import Crypto
import Database

/// Finds out who asks, by the bearer token (RFC 6750).
struct Authentication: Sendable {
    private let operatorDigest: [UInt8]
    private let pool: Pool

    init(_ services: AdminServices) {
        operatorDigest = Self.digest(services.operatorToken)
        pool = services.pool
    }

    static func digest(_ token: String) -> [UInt8] {
        Array(SHA256.hash(data: Array(token.utf8)))
    }

    /// - Parameters:
    ///   - authorization: the `Authorization` header.
    ///   - tenant: the `X-Lastmile-Tenant` header: the tenant's name.
    /// - Returns: who asks, in the tenant that the token or the header names.
    /// - Throws: `Problem` with 401 for no or a wrong token, 404 for a tenant that does not exist, 403 for another tenant's.
    func principal(authorization: String?, tenant: String?) async throws -> Principal {
        guard let authorization else { throw Problem.unauthorized("send the header Authorization: Bearer <token>") }
        let parts = authorization.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw Problem.unauthorized("the header Authorization has the form: Bearer <token>")
        }
        let digest = Self.digest(String(parts[1]))
        do {
            if ConstantTime.equal(digest, operatorDigest) { return try await operatorPrincipal(tenant) }
            return try await tokenPrincipal(digest, tenant)
        } catch let error as DatabaseError {
            throw Problem(error, nil, in: Registry([])) ?? error
        }
    }

    /// The installation's operator, in the tenant that is named or else the first; tenant 0 when there is none yet.
    private func operatorPrincipal(_ tenant: String?) async throws -> Principal {
        let id = try await pool.transaction(.none, readOnly: true) { connection in
            let named = "SELECT id FROM tenancy.tenant WHERE name = $1"
            let first = "SELECT id FROM tenancy.tenant ORDER BY id LIMIT 1"
            return try connection.queryOne(tenant == nil ? first : named, tenant.map { [.text($0)] } ?? [])?.int64(0)
        }
        if let tenant, id == nil { throw Problem.notFound("the tenant “\(tenant)”") }
        return Principal(name: "operator", tenant: id ?? 0, scopes: ["*"], isPlatform: true)
    }

    private func tokenPrincipal(_ digest: [UInt8], _ tenant: String?) async throws -> Principal {
        let found = try await pool.transaction(.system) { connection -> (tenantName: String, principal: Principal)? in
            guard
                let row = try connection.queryOne(
                    """
                    SELECT k.tenant_id, k.name, k.scopes, n.name, k.id, coalesce(k.last_used_at < now() - interval '1 minute', true)
                    FROM tenancy.api_token k JOIN tenancy.tenant n ON n.id = k.tenant_id
                    WHERE k.digest = $1 AND (k.expires_at IS NULL OR k.expires_at > now())
                    """, [.bytes(digest)])
            else { return nil }
            if try row.bool(5) {
                try connection.execute("UPDATE tenancy.api_token SET last_used_at = now() WHERE id = $1", [.int(try row.int64(4))])
            }
            let principal = Principal(
                name: "token:" + (try row.string(1)), tenant: try row.int64(0), scopes: Set(try row.strings(2)), isPlatform: false)
            return (try row.string(3), principal)
        }
        guard let found else {
            throw Problem.unauthorized("the token is unknown, revoked or expired")
        }
        if let tenant, tenant != found.tenantName {
            throw Problem(403, "forbidden", "The token does not permit this", "the token belongs to another tenant than “\(tenant)”")
        }
        return found.principal
    }
}
