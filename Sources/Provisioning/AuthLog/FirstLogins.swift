import Database
import RadiusCore

/// Begins the validity of subscribers at their first accepted login.
///
/// The log may lose events under a flood or while the database is away; then the next login begins it.
enum FirstLogins {
    /// In a transaction of scope `system`. The index of those whose login is awaited is small, and mostly empty.
    static func activate(_ events: ArraySlice<AuthEventRing.Entry>, _ connection: Connection) throws {
        var first: [Int64: Int64] = [:]
        for entry in events where entry.event.outcome == .accept && entry.event.subscriber != 0 {
            first[entry.event.subscriber] = min(entry.event.atMicroseconds, first[entry.event.subscriber] ?? .max)
        }
        guard !first.isEmpty else { return }
        let logins = first.sorted { $0.key < $1.key }
        try connection.execute(sql, [.intArray(logins.map(\.key)), .intArray(logins.map(\.value))])
    }

    private static let sql = """
        UPDATE aaa.subscriber s
        SET activated_at = l.at, expires_at = least(s.expires_at, l.at + s.validity * interval '1 second'), version = version + 1,
            updated_at = now()
        FROM (SELECT id, to_timestamp(micros / 1000000.0) AS at FROM unnest($1::bigint[], $2::bigint[]) u (id, micros)) l
        WHERE s.id = l.id AND s.validity IS NOT NULL AND s.activated_at IS NULL
        """
}
