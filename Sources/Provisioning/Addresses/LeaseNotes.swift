import Database
import RadiusCore

/// Tells `aaa.address_lease` which sessions have an address now and which no longer. In the transaction that writes the sessions.
struct LeaseNotes {
    let connection: Connection

    /// Notes what a batch of accounting brought.
    /// `rows` are the batch's sessions as they are written. With `hasResumed` some came to life again that had been closed; of the routers
    /// in `restarted` all sessions were closed.
    func note(_ rows: [SessionRow], hasResumed: Bool, restarted: [Int64]) throws {
        let tenants = Set(try connection.queryAll("SELECT DISTINCT tenant_id FROM aaa.address_pool") { try $0.int64(0) })
        guard !tenants.isEmpty else { return }
        let changed = rows.filter { tenants.contains($0.tenant) && $0.isChanged }
        var ids: [Int64] = []
        var going: [Int64] = []
        for row in changed { if hasResumed || row.isTold || !row.fold.isOpen { ids.append(row.id) } else { going.append(row.id) } }
        // That a session goes on says nothing new, unless what it has was nobody's so far.
        try note(ids + unnoted(going))
        guard !restarted.isEmpty else { return }
        try connection.query("SELECT aaa.sweep_leases($1)", [.intArray(restarted)]) { _ in }
    }

    private func unnoted(_ ids: [Int64]) throws -> [Int64] {
        guard !ids.isEmpty else { return [] }
        return try connection.queryAll("SELECT aaa.unnoted_sessions($1)", [.intArray(ids)]) { try $0.int64(0) }
    }

    /// Notes the sessions `ids`.
    func note(_ ids: [Int64]) throws {
        guard !ids.isEmpty else { return }
        try connection.query("SELECT aaa.note_leases($1)", [.intArray(ids)]) { _ in }
    }
}
