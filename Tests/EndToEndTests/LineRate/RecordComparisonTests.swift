import Support
import Testing

extension LineRateTests {
    /// The comparison that the other tests rest on finds what it is there to find.
    @Suite struct Comparison {
        private static func record(_ session: Int, _ status: Int, download: Int64 = 0) -> AccountedRecord {
            AccountedRecord(session: "run-\(session)", status: status, upload: 0, download: download, seconds: 0)
        }

        private static let acknowledged = [record(1, 1), record(1, 2, download: 7), record(2, 1)]
        private static let stored = Dictionary(uniqueKeysWithValues: acknowledged.map { ($0, 1) })

        @Test func equalSidesAreExact() {
            let comparison = RecordComparison(acknowledged: Self.acknowledged, stored: Self.stored)
            #expect(comparison.isExact)
            #expect(comparison.acknowledgedCount == 3)
        }

        @Test func aRecordThatIsNotStoredIsMissing() {
            var stored = Self.stored
            stored[Self.record(1, 2, download: 7)] = nil
            let comparison = RecordComparison(acknowledged: Self.acknowledged, stored: stored)
            #expect(!comparison.isExact)
            #expect(comparison.missing == [Self.record(1, 2, download: 7)])
            #expect(comparison.doubled == [] && comparison.strange == [])
        }

        @Test func aRecordThatIsStoredTwiceIsDoubled() {
            var stored = Self.stored
            stored[Self.record(2, 1)] = 2
            let comparison = RecordComparison(acknowledged: Self.acknowledged, stored: stored)
            #expect(!comparison.isExact)
            #expect(comparison.doubled == [Self.record(2, 1)])
            #expect(comparison.missing == [] && comparison.strange == [])
        }

        @Test func aSecondCopyWithOtherCountersIsStrange() {
            var stored = Self.stored
            stored[Self.record(1, 2, download: 14)] = 1
            let comparison = RecordComparison(acknowledged: Self.acknowledged, stored: stored)
            #expect(!comparison.isExact)
            #expect(comparison.strange == [Self.record(1, 2, download: 14)])
        }

        @Test func withoutRegardToCountersThatCopyIsDoubledAndAMissingRecordStillMissing() {
            var stored = Self.stored
            stored[Self.record(1, 2, download: 14)] = 1
            stored[Self.record(2, 1)] = nil
            let comparison = RecordComparison.ofIdentities(acknowledged: Self.acknowledged, stored: stored)
            #expect(comparison.doubled == [Self.record(1, 2)])
            #expect(comparison.missing == [Self.record(2, 1)])
            #expect(comparison.strange == [])
        }

        @Test func aRecordThatWasAcknowledgedTwiceIsRepeated() {
            let comparison = RecordComparison(acknowledged: Self.acknowledged + [Self.record(2, 1)], stored: Self.stored)
            #expect(!comparison.isExact)
            #expect(comparison.repeated == [Self.record(2, 1)])
        }

        private static let columns = [
            "sequences", "received", "events", "nas_ids", "session_ids", "subscriber_ids", "statuses", "session_seconds", "upload_octets",
            "download_octets",
        ]

        /// Takes the first Start out of its block.
        private static let removal = """
            UPDATE aaa.accounting_block b SET
                \(columns.map { "\($0) = b.\($0)[:r.place - 1] || b.\($0)[r.place + 1:]" }.joined(separator: ", "))
            FROM (SELECT sequences AS those, array_position(sequences, sequence) AS place FROM aaa.accounting_block,
                (SELECT min(sequence) AS sequence FROM aaa.accounting_record WHERE status = 1) s WHERE sequence = ANY (sequences)) r
            WHERE b.sequences = r.those
            """

        /// Puts a second copy of the first Start into a block of its own.
        private static let doubling = """
            INSERT INTO aaa.accounting_block SELECT tenant_id, node_id, received_at, session_id, session_id, ARRAY[sequence],
                ARRAY[received_at], ARRAY[event_at], ARRAY[nas_id], ARRAY[session_id], ARRAY[subscriber_id], ARRAY[status],
                ARRAY[session_seconds], ARRAY[upload_octets], ARRAY[download_octets], packet
            FROM aaa.accounting_record WHERE status = 1 ORDER BY sequence LIMIT 1
            """

        @Test func rowsThatAreRemovedAndCopiedInPostgreSQLAreFound() async throws {
            try await DaemonProcess.run { daemon in
                let load = try await AccountingLoad.start(daemon, sessions: 20)
                try await load.finish()
                try await load.expectExactlyOnce()
                _ = try await daemon.query(Self.removal)
                _ = try await daemon.query(Self.doubling)
                let comparison = RecordComparison(acknowledged: load.acknowledged(), stored: try await daemon.storedRecords())
                #expect(comparison.missing.map(\.status) == [1])
                #expect(comparison.doubled.map(\.status) == [1])
                #expect(comparison.missing != comparison.doubled)
                #expect(comparison.strange == [])
            }
        }
    }
}
