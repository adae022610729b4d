import Support
import Testing

extension DaemonProcess {
    /// One figure of `/metrics`; nil when it is not there or the daemon does not answer.
    func metric(_ name: String) async -> Double? {
        guard let text = try? await client.send("GET", "/metrics").text else { return nil }
        let prefix = name + " "
        return text.split(separator: "\n").first { $0.hasPrefix(prefix) }.flatMap { Double($0.dropFirst(prefix.count)) }
    }

    /// Waits until PostgreSQL has all that the journal holds.
    func awaitShipping(file: String = #fileID, line: Int = #line) async throws {
        try await eventually(file: file, line: line) { await metric("lastmile_accounting_lag_records") == 0 }
    }

    /// How often PostgreSQL has each accounting record of a session.
    func storedRecords() async throws -> [AccountedRecord: Int] {
        let rows = try await query(
            """
            SELECT s.acct_session_id, r.status::text, r.upload_octets::text, r.download_octets::text, coalesce(r.session_seconds, 0)::text, count(*)::text
            FROM aaa.accounting_record r
            JOIN (SELECT id, acct_session_id FROM aaa.session UNION ALL SELECT id, acct_session_id FROM aaa.session_history) s ON s.id = r.session_id
            GROUP BY 1, 2, 3, 4, 5
            """)
        var found: [AccountedRecord: Int] = [:]
        for row in rows {
            let numbers = try row.dropFirst().map { try #require($0.flatMap { Int64($0) }) }
            let record = AccountedRecord(
                session: try #require(row[0]), status: Int(numbers[0]), upload: numbers[1], download: numbers[2], seconds: numbers[3])
            found[record] = Int(numbers[4])
        }
        return found
    }
}
