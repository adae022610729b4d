import Support
import Synchronization
import Testing

@testable import RadiusCore

@Suite struct FlightRingTests {
    /// A transaction whose octets all tell which it is.
    private static func push(_ number: Int, into ring: FlightRing) {
        var header = FlightHeader()
        header.tenant = 1
        header.nas = Int64(number)
        let request = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 20 + number % 700)
        let reply = [UInt8](repeating: UInt8(truncatingIfNeeded: number &* 7 &+ 3), count: number % 300)
        request.withUnsafeBufferPointer { request in
            reply.withUnsafeBufferPointer { reply in
                guard let start = request.baseAddress else { return }
                ring.push(header, request: start, request.count, reply: reply.baseAddress, reply.count)
            }
        }
    }

    private static func isWhole(_ record: FlightRecord) -> Bool {
        let number = Int(record.header.number)
        return record.header.nas == Int64(number) && record.request.count == 20 + number % 700 && record.reply.count == number % 300
            && record.request.allSatisfy { $0 == UInt8(truncatingIfNeeded: number) }
            && record.reply.allSatisfy { $0 == UInt8(truncatingIfNeeded: number &* 7 &+ 3) }
    }

    @Test func givesBackWhatWasWrittenInOrder() throws {
        let ring = FlightRing(octets: 1 << 16)
        for number in 0..<50 { Self.push(number, into: ring) }
        #expect(ring.count == 50)
        #expect(ring.oldest == 0)
        for number in 0..<50 {
            let record = try #require(ring.record(UInt64(number)))
            #expect(Self.isWhole(record))
            #expect(record.header.number == UInt64(number))
        }
        #expect(ring.record(50) == nil)
    }

    @Test func keepsTheNewestWithoutAGap() {
        let ring = FlightRing(octets: 1 << 16)
        for number in 0..<5000 {
            Self.push(number, into: ring)
            guard number % 97 == 0 else { continue }
            let oldest = ring.oldest
            #expect(ring.count == UInt64(number + 1))
            let kept = (oldest..<ring.count).compactMap { ring.record($0) }
            #expect(kept.count == Int(ring.count - oldest), "a gap at \(number)")
            #expect(kept.allSatisfy(Self.isWhole))
            #expect(oldest == 0 || ring.record(oldest - 1) == nil)
            #expect(number < 200 || ring.count - oldest >= 60)
        }
    }

    @Test func takesTheLargestPacketsAndCutsLongerOnes() throws {
        let ring = FlightRing(octets: 0)
        let long = [UInt8](repeating: 9, count: 5000)
        for _ in 0..<40 {
            long.withUnsafeBufferPointer { octets in
                guard let start = octets.baseAddress else { return }
                ring.push(FlightHeader(), request: start, 5000, reply: start, 4096)
            }
        }
        let record = try #require(ring.record(39))
        #expect(record.request.count == 4096)
        #expect(record.reply.count == 4096)
        #expect(ring.count - ring.oldest >= 6)
    }

    /// What writer and readers tell each other.
    private final class Progress: Sendable {
        let isDone = Atomic<Bool>(false)
        let read = Atomic<Int>(0)
        let torn = Atomic<Int>(0)
    }

    /// Reads at both ends until the writer is done: the oldest are about to be written over.
    private static func read(_ ring: FlightRing, _ progress: Progress) {
        while !progress.isDone.load(ordering: .acquiring) {
            let count = ring.count
            guard count > 0 else { continue }
            let oldest = ring.oldest
            for number in [oldest, oldest + 1, count - 1] {
                guard let record = ring.record(number) else { continue }
                progress.read.add(1, ordering: .relaxed)
                if !isWhole(record) { progress.torn.add(1, ordering: .relaxed) }
            }
        }
    }

    @Test func readersBesideTheWriterNeverSeeAMixture() async throws {
        let ring = FlightRing(octets: 1 << 16)
        let progress = Progress()
        async let first: Void = onOwnThread { Self.read(ring, progress) }
        async let second: Void = onOwnThread { Self.read(ring, progress) }
        try await onOwnThread {
            var number = 0
            while number < 20_000 || progress.read.load(ordering: .relaxed) < 2000, number < 500_000_000 {
                Self.push(number, into: ring)
                number += 1
            }
            progress.isDone.store(true, ordering: .releasing)
        }
        _ = try await (first, second)
        #expect(progress.torn.load(ordering: .relaxed) == 0)
        #expect(progress.read.load(ordering: .relaxed) >= 2000)
    }
}
