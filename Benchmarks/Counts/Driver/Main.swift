import CountProbe
import Glibc

/// `counts drive FOLDER`, under callgrind: counts, and prints a line for each window.
/// `counts time FOLDER`, without callgrind: prints what rules cost in time.
/// `counts judge FOLDER THRESHOLDS`, where FOLDER holds those lines as `driver.txt` and the dumps: prints the table; 1 when a threshold
/// is broken, 2 when nothing could be judged.
/// `counts update FOLDER THRESHOLDS`: writes the thresholds anew.
@main
struct Counts {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do throws(CountFault) {
            switch (arguments.first, arguments.count) {
            case ("drive", 2): try drive(arguments[1])
            case ("time", 2): try time(arguments[1])
            case ("judge", 3): try judge(run(in: arguments[1]), CountThresholds(TextFile.read(arguments[2])))
            case ("update", 3): try TextFile.write(CountThresholds(holding: run(in: arguments[1])).text, to: arguments[2])
            default: throw CountFault("usage: counts drive FOLDER | time FOLDER | judge FOLDER THRESHOLDS | update FOLDER THRESHOLDS")
            }
        } catch {
            say("counts: error: \(error)")
            exit(2)
        }
    }

    private static func drive(_ folder: String) throws(CountFault) {
        guard cp_is_counted() != 0 else { throw CountFault("counts drive runs under valgrind --tool=callgrind; see scripts/counts") }
        cp_ignore_this_thread()
        do {
            print("vectors", String(cString: cp_vectors()))
            let server = try CountedServer(journal: folder + "/journal", dictionary: "dictionaries/dictionary")
            var driver = CountDriver(server: server)
            cp_begin()
            for kind in CountedCase.allCases { try driver.count(kind) }
            server.stop()
        } catch {
            throw CountFault("\(error)")
        }
    }

    private static func time(_ folder: String) throws(CountFault) {
        do {
            let plain = try CountedServer(journal: folder + "/journal-plain", dictionary: "dictionaries/dictionary")
            let ruled = try CountedServer(journal: folder + "/journal-ruled", dictionary: "dictionaries/dictionary")
            var rules = TimedRules(plain: plain, ruled: ruled)
            try rules.measure()
            plain.stop()
            ruled.stop()
        } catch {
            throw CountFault("\(error)")
        }
    }

    private static func judge(_ run: CountedRun, _ thresholds: CountThresholds) throws(CountFault) {
        let verdict = try CountVerdict(run, against: thresholds)
        print("Counted with \(run.vectors) vectors, in batches of \(CountDriver.batch); for each request:")
        verdict.table.forEach { print($0) }
        verdict.notes.forEach { print("note: \($0)") }
        fflush(nil)
        guard !verdict.failures.isEmpty else { return }
        verdict.failures.forEach { say("counts: \($0)") }
        say("counts: If the cost is worth it, say why in the commit that raises the threshold: scripts/counts --update")
        exit(1)
    }

    private static func run(in folder: String) throws(CountFault) -> CountedRun {
        let dumps = try TextFile.names(in: folder).filter { $0.hasPrefix("callgrind.") }.map { name throws(CountFault) in
            CountedRun.Dump(try TextFile.read(folder + "/" + name, atMost: 4096), name: folder + "/" + name)
        }
        return try CountedRun(driver: TextFile.read(folder + "/driver.txt"), dumps: dumps.compactMap(\.self))
    }

    private static func say(_ line: String) {
        let octets = Array((line + "\n").utf8)
        _ = write(STDERR_FILENO, octets, octets.count)
    }
}
