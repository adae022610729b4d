import CLinux
import Glibc
import Synchronization
import Testing

@testable import RadiusCore

@Suite struct JournalDamageTests {
    @Test(arguments: [1, 40, 71, 72, 80, 88, 179])
    func cutsATornEndAndNeverGivesItsNumbersAgain(octetsLeft: Int) throws {
        let folder = JournalFolder()
        try fill(10, folder)
        let size = fileSize(folder.segments[0])
        // The last record has 180 octets; a crash left the first of them.
        truncate(folder.segments[0], off_t(size - 180 + octetsLeft))
        let journal = try Journal.open(directory: folder.path, segmentBytes: 1 << 20)
        defer { journal.close() }
        #expect(journal.statistics().torn == 1)
        // Zeros at the end are no octets of a record; behind 33 octets the tenant's number ends in seven.
        #expect(journal.statistics().tornOctets == UInt64(octetsLeft == 40 ? 33 : octetsLeft))
        #expect(fileSize(folder.segments[0]) == size - 180)
        let sequence = try #require(journal.append(.sample(11), octets: [1, 2, 3]))
        #expect(sequence > 10)
        #expect(journal.waitUntilDurable(sequence))
        var reader = JournalReader(directory: folder.path, after: 0)
        #expect(try KeptRecord.all(&reader, through: sequence).map(\.sequence) == (1...9).map { UInt64($0) } + [sequence])
    }

    @Test(arguments: [0, 4, 9, 16, 60, 72, 80, 179])
    func stepsOverADamagedRecord(octet: Int) throws {
        let folder = JournalFolder()
        try fill(10, folder)
        flip(folder.segments[0], at: 32 + 4 * 180 + octet)
        var reader = JournalReader(directory: folder.path, after: 0)
        #expect(try KeptRecord.all(&reader, through: 10).map(\.sequence) == [1, 2, 3, 4, 6, 7, 8, 9, 10])
        #expect(reader.lostRecords == 1)
        #expect(reader.damagedOctets == 180)
        let journal = try Journal.open(directory: folder.path, segmentBytes: 1 << 20)
        defer { journal.close() }
        #expect(journal.durableSequence == 10)
    }

    @Test func readsRecordsOfTheFormerKind() throws {
        let folder = JournalFolder()
        try fill(2, folder)
        let path = folder.segments[0]
        var octets = [UInt8](repeating: 0, count: fileSize(path))
        let file = open(path, O_RDWR)
        try #require(file >= 0)
        try #require(pread(file, &octets, octets.count, 0) == octets.count)
        // The first record as it was written before it had a profile: eight octets less, another magic, its own checksum.
        octets.removeSubrange(32 + 72..<32 + 80)
        octets[32 + 2] = 0x1c
        let checksum = octets[32 + 8..<32 + 172].withUnsafeBufferPointer { lm_crc32c(0, $0.baseAddress, $0.count) }
        for position in 0..<4 { octets[32 + 4 + position] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(position))) }
        try #require(pwrite(file, octets, octets.count, 0) == octets.count)
        try #require(ftruncate(file, off_t(octets.count)) == 0)
        close(file)
        let journal = try Journal.open(directory: folder.path, segmentBytes: 1 << 20)
        defer { journal.close() }
        #expect(journal.durableSequence == 2)
        var reader = JournalReader(directory: folder.path, after: 0)
        var profiles: [Int64] = []
        _ = try reader.read(through: 2, limit: 10) { profiles.append($0.entry.profile) }
        #expect(profiles == [0, JournalEntry.sample(2).profile])
        #expect(reader.damagedOctets == 0)
    }

    @Test func survivesRandomDamageAnywhere() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            let folder = JournalFolder()
            try fill(20, folder)
            let size = fileSize(folder.segments[0])
            for _ in 0..<5 { flip(folder.segments[0], at: Int.random(in: 0..<size, using: &random)) }
            let journal = try Journal.open(directory: folder.path, segmentBytes: 1 << 20)
            let sequence = try #require(journal.append(.sample(1), octets: [9]))
            journal.close()
            var reader = JournalReader(directory: folder.path, after: 0)
            let kept = try KeptRecord.all(&reader, through: journal.durableSequence)
            #expect(kept.last?.sequence == sequence)
            #expect(kept.count >= 16)
            #expect(kept.map(\.sequence) == kept.map(\.sequence).sorted())
        }
    }

    @Test func refusesWhileTheDiskIsFullAndRecoversByItself() throws {
        let folder = JournalFolder()
        let isFull = Flag()
        let disk = JournalDisk(
            write: { descriptor, bytes, count, offset in
                // Half of it still fits, as on a real disk.
                if isFull.value { return count > 100 ? JournalDisk.system.write(descriptor, bytes, count / 2, offset) : -Int(ENOSPC) }
                return JournalDisk.system.write(descriptor, bytes, count, offset)
            }, synchronize: JournalDisk.system.synchronize)
        let journal = try Journal.open(directory: folder.path, segmentBytes: 1 << 20, pendingOctets: 1 << 20, disk: disk)
        defer { journal.close() }
        let first = try #require(journal.append(.sample(1), octets: octets))
        #expect(journal.waitUntilDurable(first))
        isFull.value = true
        let second = try #require(journal.append(.sample(2), octets: octets))
        #expect(eventually { journal.state == .refusing(errno: ENOSPC) })
        #expect(journal.append(.sample(3), octets: octets) == nil)
        #expect(journal.durableSequence == first)
        isFull.value = false
        #expect(journal.waitUntilDurable(second))
        #expect(eventually { journal.state == .healthy })
        let third = try #require(journal.append(.sample(4), octets: octets))
        #expect(journal.waitUntilDurable(third))
        #expect(journal.statistics().failures > 0)
        var reader = JournalReader(directory: folder.path, after: 0)
        #expect(try KeptRecord.all(&reader, through: third).map(\.sequence) == [1, 2, 3])
    }

    @Test func rewritesIntoANewSegmentWhenASyncFails() throws {
        let folder = JournalFolder()
        let isBroken = Flag()
        let disk = JournalDisk(
            write: JournalDisk.system.write,
            synchronize: { isBroken.value ? EIO : JournalDisk.system.synchronize($0) })
        let journal = try Journal.open(directory: folder.path, segmentBytes: 1 << 20, pendingOctets: 1 << 20, disk: disk)
        let first = try #require(journal.append(.sample(1), octets: octets))
        #expect(journal.waitUntilDurable(first))
        isBroken.value = true
        let second = try #require(journal.append(.sample(2), octets: octets))
        #expect(eventually { journal.statistics().failures >= 2 })
        isBroken.value = false
        #expect(journal.waitUntilDurable(second))
        #expect(folder.segments.count == 2)
        journal.close()
        var reader = JournalReader(directory: folder.path, after: 0)
        #expect(try KeptRecord.all(&reader, through: second).map(\.sequence) == [1, 2])
        let reopened = try Journal.open(directory: folder.path, segmentBytes: 1 << 20)
        #expect(reopened.durableSequence == 2)
        reopened.close()
    }

    @Test func refusesBeyondThePendingBoundAndLosesNothing() throws {
        let folder = JournalFolder()
        let isSlow = Flag()
        isSlow.value = true
        let disk = JournalDisk(
            write: JournalDisk.system.write,
            synchronize: { descriptor in
                while isSlow.value { sched_yield() }
                return JournalDisk.system.synchronize(descriptor)
            })
        let journal = try Journal.open(directory: folder.path, segmentBytes: 1 << 20, pendingOctets: 4096, disk: disk)
        var accepted: [UInt64] = []
        while let sequence = journal.append(.sample(1), octets: octets) { accepted.append(sequence) }
        #expect(accepted.count >= 22)
        #expect(accepted.count <= 45)
        isSlow.value = false
        journal.close()
        var reader = JournalReader(directory: folder.path, after: 0)
        #expect(try KeptRecord.all(&reader, through: journal.durableSequence).map(\.sequence) == accepted)
    }

    @Test func loseNothingThatWasAcknowledgedBeforeAKill() async throws {
        let folder = JournalFolder()
        let path = folder.path
        for _ in 0..<3 {
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
                let journal = try Journal.open(directory: path, segmentBytes: 65_536)
                let acknowledged = open(path + "/acknowledged", O_WRONLY | O_CREAT | O_APPEND, 0o600)
                onThreads(4) { thread in
                    for _ in 0..<5000 {
                        let octets = [UInt8](repeating: UInt8(thread), count: 100)
                        guard let sequence = journal.append(.sample(1), octets: octets) else { continue }
                        _ = journal.waitUntilDurable(sequence)
                        _ = withUnsafeBytes(of: sequence) { Glibc.write(acknowledged, $0.baseAddress, 8) }
                        if sequence % 700 == 699 { kill(getpid(), SIGKILL) }
                    }
                }
            }
        }
        let acknowledged = try readAcknowledged(path + "/acknowledged")
        #expect(acknowledged.count > 1500)
        let journal = try Journal.open(directory: path, segmentBytes: 65_536)
        defer { journal.close() }
        var reader = JournalReader(directory: path, after: 0)
        let kept = try KeptRecord.all(&reader, through: journal.durableSequence).map(\.sequence)
        #expect(Set(acknowledged).subtracting(kept).isEmpty)
        #expect(Set(kept).count == kept.count)
    }

    private let octets = [UInt8](repeating: 5, count: 100)

    private func fill(_ count: Int, _ folder: JournalFolder) throws {
        let journal = try Journal.open(directory: folder.path, segmentBytes: 1 << 20)
        for number in 1...count { #expect(journal.append(.sample(Int64(number)), octets: octets) != nil) }
        journal.close()
    }

    private func fileSize(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : -1
    }

    private func flip(_ path: String, at offset: Int) {
        let descriptor = open(path, O_RDWR)
        defer { close(descriptor) }
        var octet: UInt8 = 0
        pread(descriptor, &octet, 1, off_t(offset))
        octet ^= 0x41
        pwrite(descriptor, &octet, 1, off_t(offset))
    }

    private func readAcknowledged(_ path: String) throws -> [UInt64] {
        let file = try JournalSegmentFile(path: path)
        defer { file.close() }
        var numbers = [UInt64](repeating: 0, count: file.count / 8)
        _ = try numbers.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            return try file.read(base, bytes.count, at: 0)
        }
        return numbers
    }
}

private final class Flag: Sendable {
    private let flag = Atomic<Bool>(false)
    var value: Bool {
        get { flag.load(ordering: .acquiring) }
        set { flag.store(newValue, ordering: .releasing) }
    }
}
