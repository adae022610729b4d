import CLinux
import Glibc
import Support
import Synchronization

@testable import RadiusCore

/// A folder under the system's temporary directory that goes away with its owner.
final class JournalFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/journal-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, mkdtemp(base) != nil else { return "" }
            return String(cString: base)
        }
    }

    deinit {
        for name in names { unlink(path + "/" + name) }
        rmdir(path)
    }

    var names: [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var found: [String] = []
        while let item = readdir(folder) {
            let name = withUnsafeBytes(of: &item.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != ".." { found.append(name) }
        }
        return found.sorted()
    }

    /// The journal's segment files, oldest first.
    var segments: [String] { names.filter { $0.hasSuffix(".journal") }.map { path + "/" + $0 } }
}

extension JournalEntry {
    static func sample(_ number: Int64) -> JournalEntry {
        var peer = InlineArray<16, UInt8>(repeating: 0)
        for position in 0..<16 { peer[position] = UInt8(truncatingIfNeeded: number &+ Int64(position)) }
        return JournalEntry(
            receivedMicroseconds: 1_700_000_000_000_000 + number, tenant: 7, nas: number % 13, subscriber: number * 3,
            profile: 0x1122_3344_5566_7700 + number, peer: peer)
    }
}

extension Journal {
    /// Appends octets that the testing macros can hold.
    func append(_ entry: JournalEntry, octets: [UInt8]) -> UInt64? {
        append(entry, packet: octets.span)
    }

    /// Waits until `sequence` is durable; whether it became so in time.
    func waitUntilDurable(_ sequence: UInt64) -> Bool {
        eventually { self.durableSequence >= sequence }
    }
}

/// A record, copied out of the journal.
struct KeptRecord: Equatable {
    let sequence: UInt64
    let receivedMicroseconds: Int64
    let subscriber: Int64
    let firstPeerOctet: UInt8
    let packet: [UInt8]

    static func all(_ reader: inout JournalReader, through durable: UInt64, limit: Int = 1_000_000) throws -> [KeptRecord] {
        var kept: [KeptRecord] = []
        _ = try reader.read(through: durable, limit: limit) { record in
            let packet = record.packet
            kept.append(
                KeptRecord(
                    sequence: record.sequence, receivedMicroseconds: record.entry.receivedMicroseconds,
                    subscriber: record.entry.subscriber, firstPeerOctet: record.entry.peer[0],
                    packet: (0..<packet.count).map { packet[$0] }))
        }
        return kept
    }
}

/// Whether a condition came to hold within a minute.
func eventually(_ condition: () -> Bool) -> Bool {
    (try? eventuallyBlocking(condition)) != nil
}

/// Runs `body` on its own threads, one for each number, and waits for all.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    final class Work: Sendable {
        let body: @Sendable (Int) -> Void
        let next = Atomic<Int>(0)
        init(_ body: @escaping @Sendable (Int) -> Void) { self.body = body }
    }
    let work = Work(body)
    var threads: [pthread_t] = []
    for _ in 0..<count {
        var thread = pthread_t()
        let handle = Unmanaged.passRetained(work)
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
                work.body(work.next.add(1, ordering: .relaxed).oldValue)
                return nil
            }, handle.toOpaque())
        threads.append(thread)
    }
    for thread in threads { pthread_join(thread, nil) }
}
