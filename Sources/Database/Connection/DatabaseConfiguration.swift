/// Where the database is and how connections to it behave.
public struct DatabaseConfiguration: Sendable {
    /// A libpq connection string or `postgresql://` URL. May hold a password: never log it.
    public var conninfo: String
    /// Connections, and threads, that a `Pool` holds; 1...1000.
    public var poolSize: Int
    /// What `pg_stat_activity` shows for these connections.
    public var applicationName: String
    /// PostgreSQL cancels a statement that runs longer; 0 = no limit.
    public var statementTimeoutSeconds: Int
    /// PostgreSQL ends a connection that idles inside a transaction for longer; 0 = no limit.
    public var idleInTransactionTimeoutSeconds: Int
    /// libpq gives up on one attempt to connect after this long; at least 2.
    public var connectTimeoutSeconds: Int
    /// How long work waits for a free connection, or for the server to come back, before it fails.
    public var waitTimeoutSeconds: Int
    /// Most pieces of work that may wait in a `Pool`; more are refused at once.
    public var queueLimit: Int

    public init(
        conninfo: String,
        poolSize: Int = 8,
        applicationName: String = "lastmiled",
        statementTimeoutSeconds: Int = 30,
        idleInTransactionTimeoutSeconds: Int = 60,
        connectTimeoutSeconds: Int = 5,
        waitTimeoutSeconds: Int = 10,
        queueLimit: Int = 1024
    ) {
        self.conninfo = conninfo
        self.poolSize = poolSize
        self.applicationName = applicationName
        self.statementTimeoutSeconds = statementTimeoutSeconds
        self.idleInTransactionTimeoutSeconds = idleInTransactionTimeoutSeconds
        self.connectTimeoutSeconds = connectTimeoutSeconds
        self.waitTimeoutSeconds = waitTimeoutSeconds
        self.queueLimit = queueLimit
    }
}

/// Whose rows a transaction may touch.
///
/// Business tables carry `tenant_id` under forced row-level security (`lastmile.protect`), so the scope is not a filter that a
/// statement could forget.
public enum TenantScope: Hashable, Sendable {
    /// The rows of one tenant: sets `lastmile.tenant` for this transaction.
    case tenant(Int64)
    /// The rows of all tenants, for the daemon's own work: `SET LOCAL ROLE lastmile_system`.
    case system
    /// No tenant: touching a protected table is an error (`SQLState.tenantMissing`).
    case none
}

/// PostgreSQL's transaction isolation levels.
public enum IsolationLevel: String, Sendable {
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
}
