import Database
import RadiusCore

/// What a node has of the database: the snapshot's parts, and up to which change. Confined to one thread at a time.
struct SnapshotReplica: Sendable {
    private(set) var compiler: SnapshotCompiler
    private var feed = ChangeFeed()

    /// Without anything read yet.
    init(_ compiler: SnapshotCompiler) { self.compiler = compiler }

    /// Reads everything in one transaction of `connection`; `progress` is told now and then how many subscribers were read, and may
    /// end it by throwing.
    init(loading compiler: SnapshotCompiler, _ connection: Connection, progress: (Int) throws -> Void) throws {
        self.init(compiler)
        try connection.transaction(.system, isolation: .repeatableRead, readOnly: true) { connection in
            try Self.takeTime(connection)
            try feed.begin(connection)
            try self.compiler.load(connection, progress: progress)
        }
    }

    /// Neither a statement of the transaction nor what is reckoned between two of them is too long.
    private static func takeTime(_ connection: Connection) throws {
        try connection.script("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
    }

    /// Whether `connection`, another one than before, leads to the history of changes that was followed; false after a restored backup.
    mutating func goesOn(_ connection: Connection) throws -> Bool {
        var next = feed
        let goesOn = try connection.transaction(.system, readOnly: true) { try next.goesOn($0) }
        feed = next
        return goesOn
    }

    /// Takes over what was committed since the last time, all or nothing. `limit` gives how many changes are worth to be read one by
    /// one, by the number of subscribers. Returns the changes; nil, with nothing done, when they are more than that, or nobody knows
    /// any more what they are.
    mutating func catchUp(_ connection: Connection, limit: (_ subscribers: Int) -> Int = { _ in .max }) throws -> ChangeSet? {
        var next = self
        let changes = try connection.transaction(.system, isolation: .repeatableRead, readOnly: true) { connection in
            try Self.takeTime(connection)
            let changes = try next.feed.read(connection)
            guard !changes.isUnknown, changes.count <= limit(next.compiler.subscribers.count) else { return ChangeSet?.none }
            try next.compiler.apply(changes, connection)
            return changes
        }
        if changes != nil { self = next }
        return changes
    }
}

extension SnapshotCompiler {
    /// Reads again what has changed.
    fileprivate mutating func apply(_ changes: ChangeSet, _ connection: Connection) throws {
        guard !changes.isEmpty else { return }
        if !changes.profiles.isEmpty { try reload(profiles: Array(changes.profiles), connection) }
        if !changes.policies.isEmpty { try reload(policies: Array(changes.policies), connection) }
        if changes.clients { try loadClients(connection) }
        if !changes.ruledTenants.isEmpty { try reload(rulesOf: Array(changes.ruledTenants), connection) }
        if changes.proxy { try loadProxy(connection) }
        if !changes.subscribers.isEmpty {
            try reload(subscribers: Array(changes.subscribers), freed: changes.freed, connection)
        }
    }
}
