import Support
import Testing

/// `lastmile radius load` in accounting mode, with the list of what the server acknowledged.
struct AccountingLoad {
    private let tool: RunningTool
    private let file: String
    private let daemon: DaemonProcess

    /// One record as the list and the database name it.
    struct Record: Hashable {
        let session: String
        let status: Int
        let upload: Int64
        let download: Int64
        let seconds: Int64
    }

    /// Sessions of three hundred records a second, each record sent again until it is answered.
    static func start(_ daemon: DaemonProcess, sessions: Int) async throws -> AccountingLoad {
        let file = daemon.state + "/acknowledged"
        let tool = try await CommandLineTool(daemon).start([
            "radius", "load", "--target", "127.0.0.1:\(daemon.accountingPort)", "--secret", "testing123", "--mode", "accounting", "--rate",
            "300",
            "--count", "\(sessions)", "--timeout", "500", "--retries", "100", "--user-count", "50", "--acknowledged", file, "-o", "json",
        ])
        return AccountingLoad(tool: tool, file: file, daemon: daemon)
    }

    var isRunning: Bool { tool.process.exitStatus == nil }

    /// What was acknowledged so far.
    func acknowledged() -> [Record] {
        TextFile.read(file).split(separator: "\n").compactMap { line in
            let words = line.split(separator: "\t")
            guard words.count == 5, let status = Int(words[1]), let upload = Int64(words[2]) else { return nil }
            guard let download = Int64(words[3]), let seconds = Int64(words[4]) else { return nil }
            return Record(session: String(words[0]), status: status, upload: upload, download: download, seconds: seconds)
        }
    }

    /// Waits until `count` records are acknowledged.
    func reach(_ count: Int) async throws {
        try await eventually {
            guard isRunning || acknowledged().count >= count else {
                throw ProcessFailure("the load ended early: \(tool.output)\(tool.errors)")
            }
            return acknowledged().count >= count
        }
    }

    /// Waits for its end; nothing may have been given up.
    func finish() async throws {
        let status = try await tool.process.end(within: 120)
        let report = (output: tool.output, errors: tool.errors)
        tool.remove()
        #expect(status == 0, "\(report.output)\(report.errors)")
    }

    /// Waits until PostgreSQL has all that the journal holds, and gives how often it has each record.
    func stored() async throws -> [Record: Int] {
        try await eventually {
            let metrics = try? await daemon.client.send("GET", "/metrics").text
            return metrics?.contains("\nlastmile_accounting_lag_records 0\n") == true
        }
        let rows = try await daemon.query(
            """
            SELECT s.acct_session_id, r.status::text, r.upload_octets::text, r.download_octets::text, coalesce(r.session_seconds, 0)::text, count(*)::text
            FROM aaa.accounting_record r
            JOIN (SELECT id, acct_session_id FROM aaa.session UNION ALL SELECT id, acct_session_id FROM aaa.session_history) s ON s.id = r.session_id
            GROUP BY 1, 2, 3, 4, 5
            """)
        var found: [Record: Int] = [:]
        for row in rows {
            let numbers = try row.dropFirst().map { try #require($0.flatMap { Int64($0) }) }
            let record = Record(
                session: try #require(row[0]), status: Int(numbers[0]), upload: numbers[1], download: numbers[2], seconds: numbers[3])
            found[record] = Int(numbers[4])
        }
        return found
    }

    /// Each acknowledged record stands in PostgreSQL once; and none stands there twice.
    func expectExactlyOnce() async throws {
        let acknowledged = acknowledged()
        let stored = try await stored()
        let missing = acknowledged.filter { stored[$0] == nil }
        #expect(missing.isEmpty, "\(missing.count) of \(acknowledged.count) acknowledged records are lost, such as \(missing.prefix(3))")
        let repeated = stored.filter { $0.value > 1 }
        #expect(repeated.isEmpty, "\(repeated.count) records are stored more than once, such as \(repeated.prefix(3))")
        #expect(acknowledged.count == Set(acknowledged).count)
    }
}
