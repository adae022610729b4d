import CLinux
import Glibc
import Synchronization
import Testing

@testable import RadiusCore

@Suite struct JournalTests {
    @Test func deliversWhatWasAppendedInOrder() throws {
        let folder = JournalFolder()
        let journal = try Journal.open(directory: folder.path, segmentBytes: 1 << 20)
        defer { journal.close() }
        let sequences = (1...50).map { number in journal.append(.sample(Int64(number)), octets: packet(number)) }
        #expect(sequences == (1...50).map { UInt64($0) })
        #expect(journal.waitUntilDurable(50))
        var reader = JournalReader(directory: folder.path, after: 0)
        let kept = try KeptRecord.all(&reader, through: journal.durableSequence)
        #expect(kept.map(\.sequence) == (1...50).map { UInt64($0) })
        #expect(kept.map(\.packet) == (1...50).map { packet($0) })
        #expect(kept[4].receivedMicroseconds == 1_700_000_000_000_005)
        #expect(kept[4].subscriber == 15)
        #expect(kept[4].firstPeerOctet == 5)
        // Counted behind the commit.
        #expect(eventually { journal.statistics().records == 50 })
        #expect(journal.statistics().pending == 0)
    }

    @Test func continuesTheSequenceAfterReopening() throws {
        let folder = JournalFolder()
        var identities: Set<Int64> = []
        for round in 0..<3 {
            let journal = try Journal.open(directory: folder.path, segmentBytes: 1 << 20)
            #expect(journal.durableSequence == UInt64(round * 10))
            #expect(journal.recoveredSequence == UInt64(round * 10))
            identities.insert(journal.identity)
            for number in 1...10 { #expect(journal.append(.sample(1), octets: packet(number)) == UInt64(round * 10 + number)) }
            journal.close()
            #expect(journal.durableSequence == UInt64(round * 10 + 10))
        }
        #expect(identities.count == 1)
        var reader = JournalReader(directory: folder.path, after: 15)
        #expect(try KeptRecord.all(&reader, through: 30).map(\.sequence) == (16...30).map { UInt64($0) })
    }

    @Test func reopensAnUnusedJournalAgainAndAgain() throws {
        let folder = JournalFolder()
        for _ in 0..<3 {
            let journal = try Journal.open(directory: folder.path, segmentBytes: 1 << 20)
            #expect(journal.durableSequence == 0)
            journal.close()
        }
        #expect(folder.segments.isEmpty)
    }

    @Test func refusesADirectoryThatAnotherJournalHolds() throws {
        let folder = JournalFolder()
        let journal = try Journal.open(directory: folder.path, segmentBytes: 1 << 20)
        #expect(throws: JournalError.locked(directory: folder.path)) {
            _ = try Journal.open(directory: folder.path, segmentBytes: 1 << 20)
        }
        journal.close()
        try Journal.open(directory: folder.path, segmentBytes: 1 << 20).close()
    }

    /// A child that another thread has just forked holds the lock of a journal that was closed meanwhile, until it has become its program.
    @Test func waitsForALockThatIsLetGo() throws {
        let folder = JournalFolder()
        try Journal.open(directory: folder.path, segmentBytes: 1 << 20).close()
        let lock = folder.path + "/lock"
        let held = open(lock, O_RDWR)
        defer { close(held) }
        // The journal of above may live on for a moment in such a child, too.
        #expect(eventually { flock(held, LOCK_EX | LOCK_NB) == 0 })
        let outcome = Mutex<Bool?>(nil)
        Thread.start(name: "opener") {
            let journal = try? Journal.open(directory: folder.path, segmentBytes: 1 << 20)
            outcome.withLock { $0 = journal != nil }
            journal?.close()
        }
        #expect(eventually { openDescriptors(of: lock) >= 2 })
        flock(held, LOCK_UN)
        #expect(eventually { outcome.withLock { $0 } == true })
    }

    /// Of this process.
    private func openDescriptors(of path: String) -> Int {
        (0..<1024).count { descriptor in
            var name = [CChar](repeating: 0, count: 4096)
            let count = readlink("/proc/self/fd/\(descriptor)", &name, name.count - 1)
            return count > 0 && String(decoding: name.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) == path
        }
    }

    @Test func refusesSegmentsThatAreTooSmall() {
        #expect(throws: JournalError.segmentBytes(1)) { _ = try Journal.open(directory: "/nonexistent", segmentBytes: 1) }
        #expect(throws: JournalError.system(operation: "create", path: "/nonexistent/journal", errno: ENOENT)) {
            _ = try Journal.open(directory: "/nonexistent/journal", segmentBytes: 1 << 20)
        }
    }

    @Test func beginsANewSegmentWhenOneIsFullAndReadsAcross() throws {
        let folder = JournalFolder()
        let journal = try Journal.open(directory: folder.path, segmentBytes: 65_536)
        defer { journal.close() }
        var reader = JournalReader(directory: folder.path, after: 0)
        var kept: [UInt64] = []
        for number in 1...600 {
            let sequence = try #require(journal.append(.sample(Int64(number)), octets: packet(1000)))
            guard number % 20 == 0 else { continue }
            #expect(journal.waitUntilDurable(sequence))
            kept += try KeptRecord.all(&reader, through: journal.durableSequence, limit: 33).map(\.sequence)
        }
        kept += try KeptRecord.all(&reader, through: journal.durableSequence).map(\.sequence)
        #expect(kept == (1...600).map { UInt64($0) })
        #expect(reader.lostRecords == 0)
        #expect(folder.segments.count > 5)
        #expect(journal.statistics().segments == UInt64(folder.segments.count))
    }

    @Test func retiresOnlyWholeSegmentsThatWereShipped() throws {
        let folder = JournalFolder()
        let journal = try Journal.open(directory: folder.path, segmentBytes: 65_536)
        defer { journal.close() }
        for number in 1...300 {
            let sequence = try #require(journal.append(.sample(Int64(number)), octets: packet(1000)))
            #expect(journal.waitUntilDurable(sequence))
        }
        let before = folder.segments.count
        #expect(journal.retire(through: 10, keepingHours: 0) == 0)
        #expect(journal.retire(through: 300, keepingHours: 1) == 0)
        #expect(journal.retire(through: 150, keepingHours: 0) == 2)
        #expect(folder.segments.count == before - 2)
        var reader = JournalReader(directory: folder.path, after: 150)
        #expect(try KeptRecord.all(&reader, through: 300).count == 150)
        #expect(journal.retire(through: 5000, keepingHours: 0) == before - 3)
        #expect(folder.segments.count == 1)
    }

    @Test func signalsListenersAfterACommit() throws {
        let folder = JournalFolder()
        let journal = try Journal.open(directory: folder.path, segmentBytes: 1 << 20)
        let event: Int32 = lm_eventfd()
        defer {
            journal.close()
            close(event)
        }
        journal.addListener(eventFD: event)
        let sequence = try #require(journal.append(.sample(1), octets: packet(3)))
        #expect(withUnsafePointer(to: event) { lm_wait($0, 1, 60_000) } == 1)
        #expect(journal.durableSequence >= sequence)
    }

    @Test func keepsEveryRecordOfManyThreads() throws {
        let folder = JournalFolder()
        let journal = try Journal.open(directory: folder.path, segmentBytes: 65_536)
        onThreads(4) { thread in
            for number in 0..<500 {
                let octets = [UInt8](repeating: UInt8(thread), count: 20 + number % 100)
                while journal.append(.sample(Int64(thread)), octets: octets) == nil { sched_yield() }
            }
        }
        journal.close()
        var reader = JournalReader(directory: folder.path, after: 0)
        let kept = try KeptRecord.all(&reader, through: journal.durableSequence)
        #expect(kept.map(\.sequence) == (1...2000).map { UInt64($0) })
        for thread in 0..<4 { #expect(kept.count { $0.packet.first == UInt8(thread) } == 500) }
        #expect(journal.statistics().commits <= 2000)
    }

    @Test func refusesAfterClosing() throws {
        let folder = JournalFolder()
        let journal = try Journal.open(directory: folder.path, segmentBytes: 1 << 20)
        journal.close()
        #expect(journal.append(.sample(1), octets: packet(1)) == nil)
        #expect(journal.state == .closed)
        #expect(journal.statistics().refused == 1)
        journal.close()
    }

    private func packet(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ count) }
    }
}
