import CLinux
import Glibc
import Testing

@testable import RadiusCore

@Suite struct JournalBatchTests {
    @Test func aBatchGetsNumbersInARowAndIsMadeDurable() throws {
        let folder = JournalFolder()
        let journal = try Journal.open(directory: folder.path, segmentBytes: 1 << 20)
        let sequences = journal.appending { batch in (1...40).map { batch.append(.sample($0), octets: [UInt8(truncatingIfNeeded: $0)]) } }
        #expect(sequences == (1...40).map { UInt64($0) })
        #expect(journal.append(.sample(41), octets: [41]) == 41)
        #expect(journal.waitUntilDurable(41))
        #expect(journal.statistics().pendingOctets == 0)
        journal.close()
        #expect(journal.appending { batch in batch.append(.sample(42), octets: [42]) } == nil)
        var reader = JournalReader(directory: folder.path, after: 0)
        #expect(try KeptRecord.all(&reader, through: 41).map(\.packet) == (1...41).map { [UInt8($0)] })
    }

    @Test func fillsASegmentAheadAndLeavesNoZerosBehind() async throws {
        let folder = JournalFolder()
        let path = folder.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let journal = try Journal.open(directory: path, segmentBytes: 1 << 20)
            let sequence = try #require(journal.append(.sample(1), octets: [UInt8](repeating: 5, count: 100)))
            try #require(journal.waitUntilDurable(sequence))
            kill(getpid(), SIGKILL)
        }
        #expect(Self.size(folder.segments[0]) == 1 << 20)
        // Zeros are no torn record, and no number is left out for them.
        let journal = try Journal.open(directory: folder.path, segmentBytes: 1 << 20)
        #expect(journal.statistics().torn == 0)
        #expect(Self.size(folder.segments[0]) == 32 + 180)
        #expect(journal.append(.sample(2), octets: [1]) == 2)
        #expect(journal.waitUntilDurable(2))
        journal.close()
        #expect(Self.size(folder.segments[1]) == 32 + 81)
        var reader = JournalReader(directory: folder.path, after: 0)
        #expect(try KeptRecord.all(&reader, through: 2).map(\.sequence) == [1, 2])
    }

    @Test func aTornRecordBeforeTheZerosIsStillTorn() throws {
        let folder = JournalFolder()
        let journal = try Journal.open(directory: folder.path, segmentBytes: 1 << 20)
        for _ in 1...3 { #expect(journal.append(.sample(1), octets: [UInt8](repeating: 5, count: 100)) != nil) }
        journal.close()
        let segment = folder.segments[0]
        truncate(segment, off_t(Self.size(segment) - 50))
        truncate(segment, 500_000)
        let reopened = try Journal.open(directory: folder.path, segmentBytes: 1 << 20)
        defer { reopened.close() }
        #expect(reopened.statistics().tornOctets == 130)
        #expect(reopened.durableSequence > 2)
        #expect(Self.size(segment) == 32 + 2 * 180)
    }

    private static func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : -1
    }

    @Test func batchesOfManyThreadsNeverMix() throws {
        let folder = JournalFolder()
        let journal = try Journal.open(directory: folder.path, segmentBytes: 65_536)
        onThreads(4) { thread in
            for _ in 0..<100 {
                let numbers = journal.appending { batch in
                    (0..<10).compactMap { _ in batch.append(.sample(Int64(thread)), octets: [1, 2]) }
                }
                #expect(numbers.count == 10 && zip(numbers, numbers.dropFirst()).allSatisfy { $0 + 1 == $1 })
            }
        }
        journal.close()
        #expect(journal.durableSequence == 4000)
    }

    /// A limit of the system itself stands in for a full disk: nothing is acknowledged beyond it, and lifting it is enough.
    @Test func aRealLimitRefusesAndItsEndRecoversWithoutARestart() async {
        await #expect(processExitsWith: .success) {
            let folder = JournalFolder()
            signal(SIGXFSZ, SIG_IGN)
            let journal = try Journal.open(directory: folder.path, segmentBytes: 1 << 20)
            try Self.limitFiles(to: 100_000)
            let event: Int32 = lm_eventfd()
            journal.addListener(eventFD: event)
            var accepted: [UInt64] = []
            while let sequence = journal.append(.sample(1), octets: [UInt8](repeating: 5, count: 1000)) { accepted.append(sequence) }
            try #require(eventually { journal.state == .refusing(errno: EFBIG) })
            let durable = journal.durableSequence
            try #require(durable < accepted.count)
            // Who waits is woken to learn of it.
            try #require(withUnsafePointer(to: event) { lm_wait($0, 1, 60_000) } == 1)
            try #require(journal.append(.sample(2), octets: [1]) == nil)
            try #require(journal.statistics().refused >= 1)
            try Self.limitFiles(to: .max)
            try #require(eventually { journal.state == .healthy })
            let last = try #require(journal.append(.sample(3), octets: [3]))
            try #require(journal.waitUntilDurable(last))
            journal.close()
            var reader = JournalReader(directory: folder.path, after: 0)
            let kept = try KeptRecord.all(&reader, through: last)
            try #require(kept.map(\.sequence) == accepted + [last])
        }
    }

    private static func limitFiles(to octets: UInt) throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        limit.rlim_cur = min(octets, limit.rlim_max)
        try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
    }
}

extension JournalBatch {
    /// Appends octets that the testing macros can hold.
    mutating func append(_ entry: JournalEntry, octets: [UInt8]) -> UInt64? {
        append(entry, packet: octets.span)
    }
}
