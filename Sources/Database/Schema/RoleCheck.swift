/// Row-level security protects tenants from each other only while the daemon's role is subject to it.
enum RoleCheck {
    static func run(_ connection: Connection) throws {
        let row = try connection.queryOne(
            """
            SELECT r.rolname, r.rolsuper OR r.rolbypassrls,
                coalesce((SELECT pg_has_role(r.oid, s.oid, 'USAGE') FROM pg_roles s WHERE s.rolname = 'lastmile_system'), false)
            FROM pg_roles r WHERE r.rolname = current_user
            """)
        guard let row else { return }
        let role = try row.string(0)
        if try row.bool(1) {
            throw DatabaseError(
                .insufficientPrivilege, "the role \(role) bypasses row-level security, which keeps tenants apart",
                hint: "connect as a role that is neither SUPERUSER nor BYPASSRLS and owns the database")
        }
        if try row.bool(2) {
            throw DatabaseError(
                .insufficientPrivilege, "the role \(role) inherits lastmile_system and so would see every tenant",
                hint: "PostgreSQL 15: ALTER ROLE \(role) NOINHERIT; 16 and newer: "
                    + "GRANT lastmile_system TO \(role) WITH INHERIT FALSE, SET TRUE")
        }
    }
}
