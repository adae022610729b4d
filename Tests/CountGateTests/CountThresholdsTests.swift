import Testing

@testable import CountGate

@Suite struct CountThresholdsTests {
    @Test func readsLimitsInTheOrderOfTheFile() throws {
        let thresholds = try CountThresholds(
            "# a comment\n\nvectors avx2\npap mallocs 0\nchap instructions 7\nchap mallocs 1\npap instructions 12345\n")
        #expect(thresholds.vectors == "avx2")
        #expect(thresholds.cases == ["pap", "chap"])
        #expect(thresholds.limits["pap"] == .init(instructions: 12_345, mallocs: 0))
        #expect(thresholds.limits["chap"] == .init(instructions: 7, mallocs: 1))
    }

    @Test(arguments: [
        ("", "thresholds: there is no line 'vectors NAME'"),
        ("vectors\n", "thresholds, line 1, 'vectors': 'vectors NAME' was expected, once"),
        ("vectors avx2\nvectors avx2\n", "thresholds, line 2, 'vectors avx2': 'vectors NAME' was expected, once"),
        ("vectors avx2\npap 5\n", "thresholds, line 2, 'pap 5': 'CASE instructions N' or 'CASE mallocs N' was expected"),
        ("vectors avx2\npap cycles 5\n", "thresholds, line 2, 'pap cycles 5': 'CASE instructions N' or 'CASE mallocs N' was expected"),
        ("vectors avx2\n\npap instructions 5k\n", "thresholds, line 3, 'pap instructions 5k': '5k' is no number of instructions"),
        ("vectors avx2\npap instructions 0\n", "thresholds, line 2, 'pap instructions 0': '0' is no number of instructions"),
        ("vectors avx2\npap mallocs -1\n", "thresholds, line 2, 'pap mallocs -1': '-1' is no number of mallocs"),
        (
            "vectors avx2\npap mallocs 0\npap mallocs 0\n",
            "thresholds, line 3, 'pap mallocs 0': a second line for the same"
        ),
        (
            "vectors avx2\npap mallocs 0\n",
            "thresholds: there is no line 'pap instructions N'; scripts/counts --update writes the file anew"
        ),
        (
            "vectors avx2\npap instructions 5\n",
            "thresholds: there is no line 'pap mallocs N'; scripts/counts --update writes the file anew"
        ),
    ])
    func saysWhatIsWrong(text: String, message: String) {
        #expect(throws: CountFault(message)) { try CountThresholds(text) }
    }

    @Test func writesWhatItReads() throws {
        let thresholds = try CountThresholds("vectors avx2\npap instructions 5\npap mallocs 0\nchap instructions 7\nchap mallocs 1\n")
        #expect(try CountThresholds(thresholds.text) == thresholds)
    }
}
