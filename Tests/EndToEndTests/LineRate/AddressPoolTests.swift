import Support
import Testing

extension LineRateTests {
    /// Addresses of one pool over two daemons, which are killed in between.
    @Suite struct AddressPools {
        /// `make e2e`: 10,000 subscribers at a time.
        @Test func noAddressIsHadTwiceAndNoneIsLostWhoeverIsKilled() async throws {
            let count = Scale.of(240, large: 10_000)
            let range = Scale.of("10.128.0.0/21", large: "10.128.0.0/17")
            let items = Scale.of(2048, large: 32_768)
            try await TwoNodes.run { first, second in
                let subscribers = AddressSubscribers([first, second], count: count)
                try await subscribers.create(range: range, offerSeconds: 15)
                try await killing(second, when: { subscribers.accepts > count / 2 }) {
                    try await subscribers.comeAndGo(0..<count, leaving: false)
                }
                #expect(subscribers.online == count)
                // Half of them go and come while the first one is killed, which takes PostgreSQL with it.
                try await subscribers.leave(0..<count / 2)
                try await killing(first, when: { subscribers.accepts > count + count / 4 }) {
                    try await subscribers.comeAndGo(0..<count / 2, leaving: true)
                }
                try await killing(second, when: { subscribers.accepts > count * 3 / 2 + count / 4 }) {
                    try await subscribers.comeAndGo(0..<count / 2, leaving: false)
                }
                try await expectAgreement(subscribers, first, second, online: count)
                try await subscribers.leave(0..<count)
                try await expectAgreement(subscribers, first, second, online: 0)
                try await expectNothingLost(first, second, items: items)
                print("address pools: \(subscribers.accepts) log-ins, 3 kills, \(subscribers.faults.count) addresses had twice")
            }
        }

        /// Kills and starts `victim` when the time has come, while `body` goes on.
        private func killing(_ victim: DaemonProcess, when isDue: @escaping @Sendable () -> Bool, _ body: () async throws -> Void)
            async throws
        {
            async let killed: Void = {
                try await eventually { isDue() }
                try await victim.kill()
                try await victim.start()
            }()
            try await body()
            try await killed
        }

        /// Accepts, sessions and leases say the same.
        private func expectAgreement(
            _ subscribers: AddressSubscribers, _ first: DaemonProcess, _ second: DaemonProcess, online: Int
        ) async throws {
            for node in [first, second] { try await node.awaitShipping() }
            #expect(subscribers.faults.isEmpty, "\(subscribers.faults.prefix(3))")
            let rows = try await first.query(
                "SELECT acct_session_id, host(framed_ipv4) FROM aaa.session_record WHERE acct_session_id LIKE 'pooled-%'")
            let stored = Dictionary(rows.map { ($0[0] ?? "", $0[1] ?? "") }) { first, _ in first }
            let sessions = subscribers.sessions
            let wrong = sessions.filter { stored[$0.name] != text($0.address) }
            #expect(wrong.isEmpty, "\(wrong.count) sessions have another address than their Accept, such as \(wrong.prefix(3))")
            #expect(rows.count == sessions.count)
            // In time, too, no session began with an address before the one before had ended.
            let overlaps = try await first.query(
                """
                SELECT count(*)::text FROM (
                    SELECT started_at, username, lag(coalesce(stopped_at, 'infinity')) OVER w AS ended, lag(username) OVER w AS before
                    FROM aaa.session_record WHERE acct_session_id LIKE 'pooled-%' WINDOW w AS (PARTITION BY framed_ipv4 ORDER BY started_at)
                ) s WHERE ended > started_at AND before <> username
                """)
            #expect(overlaps == [["0"]])
            let leases = try await first.query(
                """
                SELECT count(*)::text, count(DISTINCT l.username)::text, count(*) FILTER (WHERE l.contested)::text, count(s.id)::text
                FROM aaa.address_lease l LEFT JOIN aaa.session s ON ARRAY[s.id] = l.sessions AND s.stopped_at IS NULL
                    AND s.framed_ipv4 <<= l.address AND s.username = l.username
                WHERE cardinality(l.sessions) > 0
                """)
            #expect(leases == [["\(online)", "\(online)", "0", "\(online)"]])
        }

        /// Every item is free again, at a node or with none.
        private func expectNothingLost(_ first: DaemonProcess, _ second: DaemonProcess, items: Int) async throws {
            try await eventually {
                let rows = try await first.query(
                    """
                    SELECT ((SELECT sum(items - carved) FROM aaa.address_range)
                        + (SELECT coalesce(sum(items), 0) FROM aaa.address_block WHERE node_id IS NULL))::text
                    """)
                let unheld = Double(rows.first?.first.flatMap(\.self) ?? "") ?? 0
                var free = 0.0
                for node in [first, second] {
                    free += await node.metric(#"lastmile_address_pool_held{tenant="1",pool="pooled",state="free"}"#) ?? 0
                }
                return unheld + free == Double(items)
            }
        }

        private func text(_ address: UInt32) -> String {
            (0..<4).map { "\(address >> (24 - 8 * UInt32($0)) & 255)" }.joined(separator: ".")
        }
    }
}
