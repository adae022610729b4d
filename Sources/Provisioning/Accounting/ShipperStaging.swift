import Database

/// Where a batch's rows wait for the statements that take them over: temporary tables of the shipper's own connection.
///
/// COPY is by far the cheapest way into PostgreSQL, and refused into a table under row-level security. Nobody else sees a temporary
/// table, it is not logged, and it is empty again after every transaction.
enum ShipperStaging {
    private static let tables = ["shipper_key", "shipper_missing", "shipper_header", "shipper_progress", "shipper_usage"]

    /// How far a session has come.
    private static let growth = """
        started timestamptz, updated timestamptz, seconds bigint, upload bigint, download bigint, fold bytea, heard timestamptz
        """

    private static let definition = """
        CREATE TEMPORARY TABLE shipper_key (place integer, nas bigint, key bytea) ON COMMIT DELETE ROWS;
        CREATE TEMPORARY TABLE shipper_missing (place integer, nas bigint, key bytea) ON COMMIT DELETE ROWS;
        CREATE TEMPORARY TABLE shipper_progress (writer xid, id bigint, is_new boolean, tenant bigint, \(growth), stopped timestamptz, ended_by text,
            cause text) ON COMMIT DELETE ROWS;
        CREATE TEMPORARY TABLE shipper_header (id bigint, is_new boolean, tenant bigint, nas bigint, key bytea, subscriber bigint, profile bigint,
            realm bigint, \(growth), booked_day date, booked_upload bigint, booked_download bigint, booked_seconds bigint,
            username text, session text, multi text, nas_identifier text, nas_address inet, port bigint, port_id text, port_type integer,
            calling text, called text, ipv4 inet, ipv6 inet, prefix cidr, delegated cidr, interface text, class text, source inet,
            operator_nas bytea) ON COMMIT DELETE ROWS;
        CREATE TEMPORARY TABLE shipper_usage (tenant bigint, subscriber bigint, day date, upload bigint, download bigint, seconds bigint)
            ON COMMIT DELETE ROWS;
        """

    /// A batch is to be looked up row by row through an index, so that its cost depends on the batch and not on the tables. Plans are
    /// made anew for each batch, by the sizes of that moment: one that was made while the tables were empty would ruin a full database.
    private static let planning = """
        SET enable_hashjoin = off; SET enable_mergejoin = off; SET random_page_cost = 1.1; SET jit = off;
        SET plan_cache_mode = force_custom_plan
        """

    /// Makes the tables on a connection that has none, outside a transaction.
    ///
    /// - Throws: `insufficientPrivilege` when the database does not let the daemon's roles make temporary tables.
    static func prepare(_ connection: Connection) throws {
        try connection.script(definition)
        try connection.script("GRANT SELECT, INSERT ON \(tables.map { "pg_temp.\($0)" }.joined(separator: ", ")) TO lastmile_system")
        try connection.script(planning)
    }

    /// No autovacuum comes to temporary tables, so their age would hold the whole database back. Outside a transaction.
    static func refresh(_ connection: Connection) throws {
        try connection.script("VACUUM (FREEZE) \(tables.map { "pg_temp.\($0)" }.joined(separator: ", "))")
    }
}
