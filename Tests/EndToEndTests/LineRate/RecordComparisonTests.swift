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

        @Test func rowsThatAreRemovedAndCopiedInPostgreSQLAreFound() async throws {
            try await DaemonProcess.run { daemon in
                let load = try await AccountingLoad.start(daemon, sessions: 20)
                try await load.finish()
                try await load.expectExactlyOnce()
                let starts = "FROM aaa.accounting_record WHERE status = 1 ORDER BY sequence"
                _ = try await daemon.query("DELETE FROM aaa.accounting_record WHERE sequence = (SELECT sequence \(starts) LIMIT 1)")
                _ = try await daemon.query("INSERT INTO aaa.accounting_record SELECT * \(starts) LIMIT 1")
                let comparison = RecordComparison(acknowledged: load.acknowledged(), stored: try await daemon.storedRecords())
                #expect(comparison.missing.map(\.status) == [1])
                #expect(comparison.doubled.map(\.status) == [1])
                #expect(comparison.missing != comparison.doubled)
                #expect(comparison.strange == [])
            }
        }
    }
}
