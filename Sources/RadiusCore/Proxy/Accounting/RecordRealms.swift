/// Which realms the policy rules that forward choose for accounting records, by what these say.
///
/// Not for the packet path; confined to one thread.
public final class RecordRealms {
    private let store: SnapshotStore
    private var scratch = PolicyScratch()

    public init(_ store: SnapshotStore) { self.store = store }

    /// Asks the rules in force about one record.
    ///
    /// - Parameters:
    ///   - packet: the record; octets behind its length do not count.
    ///   - entry: what the journal has of it.
    ///   - name: its User-Name.
    /// - Returns: `aaa.realm.id`; nil when no rule chooses a realm, so that the name does.
    public func realm(of packet: [UInt8], _ entry: JournalEntry, name: [UInt8]) -> Int64? {
        let snapshot = store.snapshot
        guard snapshot.forwarding[entry.tenant] != nil, !name.isEmpty,
            let length = try? PacketHeader.length(of: packet.span, limit: JournalFormat.longestPacket)
        else { return nil }
        let whole = Array(packet.prefix(length))
        return name.withUnsafeBytes { scratch.realm(of: whole, entry, $0, in: snapshot)?.id }
    }
}

extension PolicyScratch {
    /// What the tenant's rules that forward say of an accounting record, for which its attributes stand as those of a log-in, and its
    /// arrival as the time.
    mutating func realm(
        of packet: [UInt8], _ entry: JournalEntry, _ name: UnsafeRawBufferPointer, in snapshot: Snapshot
    ) -> Realm? {
        guard let program = snapshot.forwarding[entry.tenant], let plan = snapshot.proxy else { return nil }
        // The NAS may have been deleted meanwhile; then nothing is known of it.
        let client = snapshot.clients.rows.find(id: entry.nas)
        return packet.withUnsafeBufferPointer { packet -> Realm? in
            guard let start = packet.baseAddress else { return nil }
            let login = PolicyLogin(
                kept: start, count: packet.count, userName: name, from: client, at: IPAddress(octets: entry.peer), method: .none,
                microseconds: entry.receivedMicroseconds)
            return withExtendedLifetime(snapshot) { run(program, login, forwardingBy: plan) }
        }
    }
}
