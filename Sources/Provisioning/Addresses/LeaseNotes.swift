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
        // An interim record says nothing new of the address.
        let ids = rows.filter { tenants.contains($0.tenant) && $0.isChanged && (hasResumed || $0.isTold || !$0.fold.isOpen) }.map(\.id)
        try note(ids)
        guard !restarted.isEmpty else { return }
        try connection.query("SELECT aaa.sweep_leases($1)", [.intArray(restarted)]) { _ in }
    }

    /// Notes the sessions `ids`.
    func note(_ ids: [Int64]) throws {
        guard !ids.isEmpty else { return }
        try connection.query("SELECT aaa.note_leases($1)", [.intArray(ids)]) { _ in }
    }
}
