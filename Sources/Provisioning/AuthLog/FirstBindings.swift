import Database
import RadiusCore

/// Binds subscribers that wait for it to the station and the line of their first accepted login.
///
/// The log may lose events under a flood or while the database is away; then the next login binds.
enum FirstBindings {
    /// In a transaction of scope `system`. Nothing is done unless an event says that something is awaited.
    static func bind(_ events: ArraySlice<AuthEventRing.Entry>, _ connection: Connection) throws {
        let awaited = events.filter { $0.event.outcome == .accept && !$0.event.binding.isDisjoint(with: [.macAwaited, .lineAwaited]) }
        guard !awaited.isEmpty else { return }
        let inOrder = awaited.sorted { $0.event.atMicroseconds < $1.event.atMicroseconds }
        try bindStations(inOrder.filter { $0.event.binding.contains(.macAwaited) }, connection)
        try bindLines(inOrder.filter { $0.event.binding.contains(.lineAwaited) }, connection)
    }

    private static func bindStations(_ events: [AuthEventRing.Entry], _ connection: Connection) throws {
        var first: [Int64: String] = [:]
        for entry in events where first[entry.event.subscriber] == nil {
            first[entry.event.subscriber] = SubscriberBindings.text(callingStation: entry.callingStation)
        }
        guard !first.isEmpty else { return }
        let found = first.sorted { $0.key < $1.key }
        try connection.execute(stationSQL, [.intArray(found.map(\.key)), .textArray(found.map(\.value))])
    }

    /// Circuit and remote id; the port only where neither is told, since ports are renumbered more often.
    private static func bindLines(_ events: [AuthEventRing.Entry], _ connection: Connection) throws {
        var first: [Int64: [String]] = [:]
        for entry in events where first[entry.event.subscriber] == nil {
            let line = [entry.circuitID, entry.remoteID].map(text)
            let port = line == ["", ""] ? text(SubscriberBindings.portID(entry.nasPortID)) : ""
            if line + [port] != ["", "", ""] { first[entry.event.subscriber] = line + [port] }
        }
        guard !first.isEmpty else { return }
        let found = first.sorted { $0.key < $1.key }
        let columns = (0..<3).map { column in SQLValue.textArray(found.map { $0.value[column] }) }
        try connection.execute(lineSQL, [.intArray(found.map(\.key))] + columns)
    }

    private static func text(_ octets: [UInt8]) -> String { octets.isEmpty ? "" : SubscriberBindings.text(octets) }

    private static let stationSQL = """
        UPDATE aaa.subscriber s SET macs = ARRAY[l.mac], version = version + 1, updated_at = now()
        FROM unnest($1::bigint[], $2::text[]) l (id, mac)
        WHERE s.id = l.id AND s.bind_on_first_use AND s.mac_binding <> 'ignore' AND s.macs = '{}'
        """

    private static let lineSQL = """
        UPDATE aaa.subscriber s
        SET circuit_ids = array_remove(ARRAY[l.circuit], ''), remote_ids = array_remove(ARRAY[l.remote], ''),
            nas_port_ids = array_remove(ARRAY[l.port], ''), version = version + 1, updated_at = now()
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) l (id, circuit, remote, port)
        WHERE s.id = l.id AND s.bind_on_first_use AND s.line_binding <> 'ignore'
            AND s.circuit_ids = '{}' AND s.remote_ids = '{}' AND s.nas_port_ids = '{}'
        """
}
