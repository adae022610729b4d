import Glibc

/// What two hundred rules cost a log-in, as time: windows without rules and windows with them in turn, and the middle of the differences.
///
/// Only for people: nothing is judged by it, because it depends on the machine and on what else the machine does.
struct TimedRules {
    private static let pairs = 15
    private static let batches = 1000

    private var plain: CountDriver
    private var ruled: CountDriver

    /// Two servers, because rules stay in force.
    init(plain: CountedServer, ruled: CountedServer) {
        self.plain = CountDriver(server: plain)
        self.ruled = CountDriver(server: ruled)
    }

    /// Prints nanoseconds of the server's processor time for each request.
    mutating func measure() throws {
        var (without, with, costs): ([Double], [Double], [Double]) = ([], [], [])
        for _ in 0..<Self.pairs {
            without.append(try Self.nanoseconds(&plain, .pap))
            with.append(try Self.nanoseconds(&ruled, .policy))
            costs.append(with[with.count - 1] - without[without.count - 1])
        }
        print("nanoseconds of one log-in by PAP, median of \(Self.pairs) windows of \(Self.batches * CountDriver.batch):")
        for (name, values) in [("without rules", without), ("with 200 rules", with), ("the rules, pair by pair", costs)] {
            let sorted = values.sorted()
            print("  \(name): \(Int(sorted[sorted.count / 2])), from \(Int(sorted[0])) to \(Int(sorted[sorted.count - 1]))")
        }
    }

    /// Processor time of all threads but this one, for each request of a window.
    private static func nanoseconds(_ driver: inout CountDriver, _ kind: CountedCase) throws -> Double {
        try driver.drive(kind, batches: batches / 10)
        let before = serverNanoseconds()
        try driver.drive(kind, batches: batches)
        return Double(serverNanoseconds() - before) / Double(batches * CountDriver.batch)
    }

    private static func serverNanoseconds() -> Int64 { clock(CLOCK_PROCESS_CPUTIME_ID) - clock(CLOCK_THREAD_CPUTIME_ID) }

    private static func clock(_ which: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(which, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
