import Database

/// Writes down who changed what, in the transaction of the change.
struct Audit {
    let exchange: Exchange
    let resource: Resource

    /// Records one change: `create`, `update`, `delete` or an action's name, with the row's JSON text before and after, nil when there was
    /// none. Of `secrets`, the names of those that were written, the values are shown as `***`.
    func record(
        _ action: String, id: Int64, name: String, before: String?, after: String?, secrets: [String] = [], _ connection: Connection
    ) throws {
        let masked = JSON.object(secrets.map { JSON.Member($0, "***") })
        if resource.scope == .platform {
            try connection.execute("SELECT set_config('lastmile.tenant', $1, true)", [.text(String(id))])
        }
        let tenant = resource.scope == .platform ? id : exchange.principal.tenant
        try connection.execute(
            """
            INSERT INTO lastmile.audit (tenant_id, actor, action, resource, resource_id, resource_name, before, after, request_id)
            VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb || $9::jsonb, $10)
            """,
            [
                .int(tenant), .text(exchange.principal.name), .text(action), .text(resource.name), .int(id), .text(name),
                before.map(SQLValue.json) ?? .null, after.map(SQLValue.json) ?? .null,
                .json(String(decoding: masked.bytes, as: UTF8.self)), .text(exchange.requestID),
            ])
    }
}
