import Glibc
import Support
import Testing

/// `lastmile radius load` in accounting mode, with the list of what the server acknowledged.
struct AccountingLoad {
    private let tool: RunningTool
    private let file: String
    private let daemon: DaemonProcess

    /// Records of one session: Start, two interims, Stop.
    static let recordsPerSession = 4

    /// Sessions of `rate` records a second, new ones until `end` where no number is given; each record is sent again twice a second until
    /// it is answered; to `port` unless that is 0.
    static func start(
        _ daemon: DaemonProcess, sessions: Int?, rate: Int = 300, port: UInt16 = 0
    ) async throws -> AccountingLoad {
        let file = daemon.state + "/acknowledged.\(await Serial.next())"
        let target = "127.0.0.1:\(port == 0 ? daemon.accountingPort : port)"
        let length = sessions.map { ["--count", "\($0)"] } ?? ["--seconds", "86400"]
        let tool = try await CommandLineTool(daemon).start(
            [
                "radius", "load", "--target", target, "--secret", "testing123", "--mode", "accounting", "--rate", "\(rate)",
                "--timeout", "500", "--retries", "10000", "--user-count", "50", "--acknowledged", file, "-o", "json",
            ] + length)
        return AccountingLoad(tool: tool, file: file, daemon: daemon)
    }

    var isRunning: Bool { tool.process.exitStatus == nil }

    /// What was acknowledged so far.
    func acknowledged() -> [AccountedRecord] {
        TextFile.read(file).split(separator: "\n").compactMap { line in
            let words = line.split(separator: "\t")
            guard words.count == 5, let status = Int(words[1]), let upload = Int64(words[2]) else { return nil }
            guard let download = Int64(words[3]), let seconds = Int64(words[4]) else { return nil }
            return AccountedRecord(session: String(words[0]), status: status, upload: upload, download: download, seconds: seconds)
        }
    }

    /// How many records are acknowledged so far.
    var count: Int { TextFile.read(file).utf8.count { $0 == UInt8(ascii: "\n") } }

    /// Waits until `count` records are acknowledged.
    func reach(_ wanted: Int, file: String = #fileID, line: Int = #line) async throws {
        try await eventually(file: file, line: line) {
            let isRunning = isRunning
            if count >= wanted { return true }
            guard isRunning else { throw ProcessFailure("the load ended early: \(tool.output)\(tool.errors)") }
            return false
        }
    }

    /// Begins no further session, and waits for its end as `finish` does.
    func end() async throws {
        tool.process.signal(SIGINT)
        try await finish()
    }

    /// Kills it, when a test has failed before its end.
    func remove() { tool.remove() }

    /// Waits for its end; nothing may have been given up.
    func finish() async throws {
        let status = try await tool.process.end(within: 300)
        let report = (output: tool.output, errors: tool.errors)
        tool.remove()
        #expect(status == 0, "\(report.output)\(report.errors)")
    }

    /// Each acknowledged record stands in PostgreSQL once, and nothing else does. For a load that has finished.
    func expectExactlyOnce() async throws {
        try await daemon.awaitShipping()
        Self.expectExact(RecordComparison(acknowledged: acknowledged(), stored: try await daemon.storedRecords()))
    }

    /// The same for all loads together, over nodes that share the first one's PostgreSQL; and each session has the totals of its Stop,
    /// in whatever order the nodes shipped its records.
    static func expectExactlyOnce(_ loads: [AccountingLoad], nodes: [DaemonProcess]) async throws {
        for node in nodes { try await node.awaitShipping() }
        let storage = try #require(nodes.first)
        let acknowledged = loads.flatMap { $0.acknowledged() }
        expectExact(.ofIdentities(acknowledged: acknowledged, stored: try await storage.storedRecords()))
        let stops = acknowledged.filter { $0.status == 2 }
        let rows = try await storage.query(
            "SELECT acct_session_id, upload_octets::text, download_octets::text FROM aaa.session_record WHERE state = 'closed'")
        let closed = Set(rows.map { $0.compactMap(\.self) })
        let wrong = stops.filter { !closed.contains([$0.session, "\($0.upload)", "\($0.download)"]) }
        #expect(wrong.isEmpty, "\(wrong.count) sessions have other totals than their Stop, such as \(wrong.prefix(3))")
        #expect(rows.count == stops.count)
    }

    private static func expectExact(_ comparison: RecordComparison) {
        #expect(comparison.isExact, "\(comparison)")
        #expect(comparison.acknowledgedCount > 0)
        print("line rate: \(comparison)")
    }
}
