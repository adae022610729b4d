import Glibc
import Logging
import Provisioning
import Support
import Testing

@testable import RadiusCore

/// The disk does not give back what the journal wrote on it.
@Suite struct DamagedJournalTests {
    @Test func aDamagedRecordIsCountedAndToldOfOnceAndStopsNothing() async throws {
        try await AccountingBench.run { bench in
            let journal = try bench.openJournal()
            defer { journal.close() }
            for name in ["first", "damaged", "third"] { try bench.append(AccountingPacket(1, session: name, event: 1), to: journal) }
            try await eventually { journal.statistics().pending == 0 && journal.durableSequence >= 3 }
            try Self.change("damaged", inFilesOf: journal.directory)
            let log = KeptLog(.error)
            let shipper = AccountingShipper(
                journal: journal, configuration: bench.configuration, node: "node1", settings: AccountingBench.settings,
                logger: log.logger)
            try shipper.start()
            defer { shipper.stop() }
            try await eventually { try await bench.isShipped(journal, "node1") }
            try await eventually { shipper.statistics.lost == 1 }
            try bench.append(AccountingPacket(1, session: "fourth", event: 2), to: journal)
            try await eventually { try await bench.number("SELECT count(*) FROM aaa.session") == 3 }
            #expect(shipper.statistics.lost == 1)
            let line = try #require(log.lines.first)
            #expect(log.lines.count == 1 && line.text == "critical: accounting records are lost: the journal on disk is damaged")
            #expect(line.metadata["records"] == "1" && line.metadata["before"] == "3")
        }
    }

    /// Changes the first octet of `text` where it stands in the journal.
    private static func change(_ text: String, inFilesOf directory: String) throws {
        var changed = 0
        let folder = JournalDirectory(path: directory)
        for first in try folder.segments() {
            let file = open(folder.segmentPath(first), O_RDWR | O_CLOEXEC)
            try #require(file >= 0)
            defer { close(file) }
            var octets = [UInt8](repeating: 0, count: 65_536)
            let count = max(0, pread(file, &octets, octets.count, 0))
            let wanted = Array(text.utf8)
            guard let place = (0..<max(0, count - wanted.count)).first(where: { octets[$0...].starts(with: wanted) }) else { continue }
            var other = wanted[0] ^ 0xff
            changed += pwrite(file, &other, 1, off_t(place))
        }
        try #require(changed == 1)
    }
}
