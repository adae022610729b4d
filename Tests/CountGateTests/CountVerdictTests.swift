import Testing

@testable import CountGate

@Suite struct CountVerdictTests {
    private static func verdict(
        instructions: Int, allocations: Int = 0, vectors: String = "avx2", thresholds: String = "pap instructions 1000\npap mallocs 0\n"
    ) throws -> CountVerdict {
        let dumps = [("pap short", 0), ("pap long", instructions * 400)].compactMap {
            CountedRun.Dump(CountedRunTests.text($0.0, $0.1), name: "run/callgrind.4")
        }
        let run = try CountedRun(driver: "vectors \(vectors)\npap short 100 0\npap long 500 \(allocations)\n", dumps: dumps)
        return try CountVerdict(run, against: CountThresholds("vectors avx2\n" + thresholds))
    }

    @Test(arguments: [1000, 1050, 950, 1049, 951])
    func fivePercentAreAllowed(instructions: Int) throws {
        let verdict = try Self.verdict(instructions: instructions)
        #expect(verdict.failures == [])
        #expect(verdict.notes == [])
    }

    @Test func moreThanFivePercentFailAndNameTheDump() throws {
        let verdict = try Self.verdict(instructions: 1051)
        #expect(
            verdict.failures == [
                "pap: 1051 instructions a request, +5.1 % against the 1000 of the thresholds; 5 % more is allowed. "
                    + "To see where the cost comes from: callgrind_annotate --tree=caller run/callgrind.4"
            ])
    }

    @Test func aGainAsksForALowerThreshold() throws {
        let verdict = try Self.verdict(instructions: 949)
        #expect(verdict.failures == [])
        #expect(verdict.notes == ["pap: -5.1 % instructions. Keep the gain: scripts/counts --update, and commit the thresholds."])
    }

    @Test func oneAllocationAmongAllRequestsFails() throws {
        let verdict = try Self.verdict(instructions: 1000, allocations: 1)
        #expect(
            verdict.failures == [
                "pap: 1 allocations in 600 requests, allowed 0 for each. "
                    + "To see where malloc comes from: callgrind_annotate --tree=caller run/callgrind.4"
            ])
        let allowed = "pap instructions 1000\npap mallocs 1\n"
        #expect(try Self.verdict(instructions: 1000, allocations: 600, thresholds: allowed).failures == [])
        #expect(try Self.verdict(instructions: 1000, allocations: 601, thresholds: allowed).failures.count == 1)
    }

    @Test func otherVectorsLeaveOnlyMallocsToJudge() throws {
        let verdict = try Self.verdict(instructions: 5000, allocations: 1, vectors: "baseline")
        #expect(verdict.notes.count == 1)
        #expect(verdict.failures.count == 1)
        #expect(verdict.failures.first?.contains("allocations") == true)
    }

    @Test func aCaseWithoutThresholdsIsAnError() {
        #expect(throws: CountFault("case 'pap' has no thresholds; scripts/counts --update writes them")) {
            try Self.verdict(instructions: 1000, thresholds: "")
        }
    }

    @Test func aThresholdWithoutItsCaseIsAnError() {
        let both = "pap instructions 1000\npap mallocs 0\neap instructions 1\neap mallocs 0\n"
        #expect(throws: CountFault("the thresholds name a case 'eap' that is not counted; scripts/counts --update leaves it out")) {
            try Self.verdict(instructions: 1000, thresholds: both)
        }
    }

    @Test func theTableShowsFigureThresholdChangeAndMallocs() throws {
        let verdict = try Self.verdict(instructions: 1026, allocations: 601)
        #expect(
            verdict.table.map { $0.split(separator: " ").joined(separator: " ") } == [
                "case instructions threshold change mallocs", "pap 1026 1000 +2.6 % 2",
            ])
    }
}
