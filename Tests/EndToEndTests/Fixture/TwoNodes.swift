import Support

/// Two daemons on one PostgreSQL, which is the first one's own: it ends and comes back with that daemon.
enum TwoNodes {
    /// Rejects leave at once, so that a test that asks until it is accepted does not measure their delay.
    private static let settings = ["LASTMILE_RADIUS_REJECT_DELAY_MILLISECONDS": "0"]

    static func run(_ body: (_ first: DaemonProcess, _ second: DaemonProcess) async throws -> Void) async throws {
        try await DaemonProcess.run(settings) { first in
            var shared = settings
            shared["LASTMILE_DATABASE_URL"] = "host='\(first.state)/postgresql/socket' port=5432 user=lastmile dbname=lastmile"
            shared["LASTMILE_ADMIN_TOKEN"] = first.token
            // What one node seals, the other opens.
            let keys = TextFile.read(first.state + "/secret.keys")
            try await DaemonProcess.run(shared, files: ["secret.keys": keys]) { try await body(first, $0) }
        }
    }
}
