import Database
public import RadiusCore

/// The statements behind `SessionControl`. All block: only on a thread that owns `connection`, inside a tenant's transaction.
enum SessionControlStore {
    private static let selection = """
        SELECT s.id, s.nas_id, s.subscriber_id, s.profile_id, s.username, s.acct_session_id, s.calling_station_id, s.nas_port_id,
            s.nas_identifier, host(s.nas_address) AS nas_address, host(s.framed_ipv4) AS framed_ipv4, s.upload_octets, s.download_octets,
            s.forwarded_realm_id, s.operator_nas_identifier,
            n.vendor, n.coa_port, n.secret, n.send_message_authenticator, n.nas_identifier AS own_identifier,
            n.coa_over, masklen(n.address) <> CASE family(n.address) WHEN 4 THEN 32 ELSE 128 END AS is_of_network,
            coalesce(host(s.source_address), host(s.nas_address)) AS source,
            coalesce(
                host(n.coa_address),
                CASE WHEN masklen(n.address) = CASE family(n.address) WHEN 4 THEN 32 ELSE 128 END THEN host(n.address) END,
                host(s.source_address), host(s.nas_address)) AS peer_address
        FROM aaa.session s
        LEFT JOIN aaa.nas n ON n.id = s.nas_id AND n.tenant_id = s.tenant_id
        """

    /// The open session `id` of the transaction's tenant.
    static func session(_ id: Int64, tenant: Int64, on connection: Connection) throws -> ControlledSession? {
        let sql = "-- session_control.session\n\(selection) WHERE s.tenant_id = $1 AND s.id = $2 AND s.stopped_at IS NULL"
        return try connection.queryOne(sql, [.int(tenant), .int(id)]).map(ControlledSession.init)
    }

    /// Open sessions behind `last`, in order, of subscribers who have the profile or that began with it.
    static func sessions(ofProfile profile: Int64, tenant: Int64, after last: Int64, limit: Int, on connection: Connection) throws
        -> [ControlledSession]
    {
        let sql = """
            -- session_control.profile_sessions
            \(selection)
            LEFT JOIN aaa.subscriber u ON u.id = s.subscriber_id AND u.tenant_id = s.tenant_id
            WHERE s.tenant_id = $1 AND s.stopped_at IS NULL AND s.id > $3 AND (u.profile_id = $2 OR s.profile_id = $2)
            ORDER BY s.id LIMIT $4
            """
        return try connection.queryAll(sql, [.int(tenant), .int(profile), .int(last), SQLValue(limit)], ControlledSession.init)
    }

    /// Sessions that a home server may mean: open, and of no subscriber of ours. At most `limit`, in no order.
    static func sessions(_ search: RelayedRequest.Search, tenant: Int64, limit: Int, on connection: Connection) throws
        -> [ControlledSession]
    {
        let names = search.userNames.map { StorableText.of($0) }
        let parameters: [SQLValue] = [
            .int(tenant), SQLValue(search.nas), SQLValue(limit), .textArray(names), SQLValue(search.sessionID.map { StorableText.of($0) }),
        ]
        let isNamed = "lower(s.username) = ANY (ARRAY(SELECT lower(name) FROM unnest($4::text[]) AS name))"
        let condition =
            search.sessionID == nil
            ? "\(isNamed) AND $5::text IS NULL" : "s.acct_session_id = $5 AND (cardinality($4::text[]) = 0 OR \(isNamed))"
        let sql = """
            -- session_control.foreign_sessions
            \(selection)
            WHERE s.tenant_id = $1 AND s.subscriber_id IS NULL AND s.stopped_at IS NULL AND ($2::bigint IS NULL OR s.nas_id = $2)
                AND \(condition)
            LIMIT $3
            """
        return try connection.queryAll(sql, parameters, ControlledSession.init)
    }

    /// Records that requests are about to leave; gives each session's request id.
    static func begin(_ plans: [SessionControlPlan], tenant: Int64, by actor: String, on connection: Connection) throws -> [Int64: Int64] {
        var identifiers: [Int64: Int64] = [:]
        let parameters: [SQLValue] = [
            .int(tenant), .text(actor), .intArray(plans.map(\.session.id)), .intArray(plans.map(\.session.nasID)),
            .textArray(plans.map(\.session.userName)), .textArray(plans.map(\.kind.name)),
        ]
        try connection.query(
            """
            -- session_control.begin
            INSERT INTO aaa.dynamic_authorization (tenant_id, requested_by, session_id, nas_id, username, kind)
            SELECT $1, $2, p.session_id, p.nas_id, p.username, p.kind
            FROM unnest($3::bigint[], $4::bigint[], $5::text[], $6::text[]) AS p(session_id, nas_id, username, kind)
            RETURNING session_id, id
            """, parameters
        ) { identifiers[try $0.int64(0)] = try $0.int64(1) }
        return identifiers
    }

    /// Records how a request ended.
    static func finish(_ id: Int64, _ outcome: CoAOutcome, message: String, tenant: Int64, on connection: Connection) throws {
        var cause: UInt32?
        var attempts: Int?
        if case .nak(let given) = outcome { cause = given }
        if case .timeout(let count) = outcome { attempts = count }
        try connection.execute(
            """
            -- session_control.finish
            UPDATE aaa.dynamic_authorization
            SET finished_at = clock_timestamp(), outcome = $3, error_cause = $4, message = $5, attempts = $6
            WHERE tenant_id = $1 AND id = $2
            """, [.int(tenant), .int(id), .text(outcome.name), SQLValue(cause), .text(message), SQLValue(attempts)])
    }
}

extension CoARequest.Kind {
    /// As the column `kind` has it.
    public var name: String { self == .disconnect ? "disconnect" : "coa" }
}

extension CoAOutcome {
    /// As the column `outcome` has it.
    public var name: String {
        switch self {
        case .ack: "ack"
        case .nak: "nak"
        case .timeout: "timeout"
        case .refused: "refused"
        }
    }
}
