import Testing

@testable import CountGate

@Suite struct CountedRunTests {
    private static let dumps = [("pap short", 1_010_000), ("pap long", 5_010_000)].compactMap {
        CountedRun.Dump(text($0.0, $0.1), name: "f")
    }
    private static let lines = "vectors avx2\npap short 100 0\npap long 500 1\n"

    /// The head of a file as callgrind 3.19 writes it.
    static func text(_ window: String, _ instructions: Int) -> String {
        """
        # callgrind format
        version: 1
        creator: callgrind-3.19.0
        pid: 17256
        cmd:  counts drive run
        part: 2


        desc: I1 cache:\u{20}
        desc: Timerange: Basic block 10114381 - 10440873
        desc: Trigger: Client Request: \(window)

        positions: line
        events: Ir
        summary: \(instructions)


        ob=(2) libc.so.6
        """
    }

    @Test func aFigureIsTheDifferenceOfItsWindows() throws {
        let run = try CountedRun(driver: Self.lines, dumps: Self.dumps)
        #expect(run.vectors == "avx2")
        #expect(run.cases == ["pap"])
        #expect(run.figures["pap"] == CountedFigure(instructions: 10_000, allocations: 1, requests: 600, dump: "f"))
    }

    @Test(arguments: [(0, 0), (1, 1), (600, 1), (601, 2)])
    func mallocsAreRoundedUp(allocations: Int, mallocs: Int) {
        #expect(CountedFigure(instructions: 1, allocations: allocations, requests: 600).mallocs == mallocs)
    }

    @Test(arguments: ["pap before short", "pap"])
    func aDumpOfNoWindowIsLeftOut(window: String) {
        #expect(CountedRun.Dump(Self.text(window, 7), name: "f") == nil)
    }

    @Test func theDumpAtTheEndIsLeftOut() {
        let text = Self.text("pap short", 7).replacing("Client Request: pap short", with: "Program termination")
        #expect(CountedRun.Dump(text, name: "f") == nil)
    }

    @Test func aDumpThatBreaksOffIsLeftOut() throws {
        let whole = Self.text("pap short", 7)
        let head = try #require(whole.split(separator: "summary").first)
        #expect(CountedRun.Dump(whole, name: "f")?.instructions == 7)
        #expect(CountedRun.Dump(head, name: "f") == nil)
    }

    @Test(arguments: [
        ("pap short 100 0\npap long 500 0\n", "the driver did not say which vector instructions it saw"),
        ("vectors avx2\npap short 100\n", "the driver printed 'pap short 100', which is no window: CASE WINDOW REQUESTS ALLOCATIONS"),
        ("vectors avx2\nchap short 100 0\n", "callgrind wrote no dump for 'chap short'"),
        ("vectors avx2\npap short 100 0\n", "pap: a short and a longer window were expected, in this order"),
        ("vectors avx2\npap long 500 0\npap short 100 0\n", "pap: a short and a longer window were expected, in this order"),
        ("vectors avx2\npap long 100 0\npap short 500 0\n", "pap: the longer window took no more instructions than the short one"),
    ])
    func saysWhatTheDriverLeftOut(lines: String, message: String) {
        #expect(throws: CountFault(message)) { try CountedRun(driver: lines, dumps: Self.dumps) }
    }
}
