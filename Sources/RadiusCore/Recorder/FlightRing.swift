internal import CLinux
import Glibc
import Synchronization

/// The last transactions of one worker, in memory that is never more: new ones are written over the oldest.
///
/// One thread writes and never waits. Any thread reads: it copies, then looks whether the writer has come round meanwhile, and if so
/// throws the copy away.
final class FlightRing: @unchecked Sendable {
    // Guard: one thread pushes. Readers believe what they copied only while `begun` says that it was not written over; `starts` and the
    // counters are atomics.
    private let octets: UnsafeMutableRawPointer
    private let mask: Int
    /// Where each of the last entries begins, as octets ever written.
    private let starts: UnsafeMutablePointer<Atomic<Int>>
    private let startMask: Int
    /// The end of the entry that is being written, or was last.
    private let begun = Atomic<Int>(0)
    private let published = Atomic<UInt64>(0)
    /// The writer's own.
    private var next = 0

    private static let headerCount = (MemoryLayout<FlightHeader>.size + 7) & ~7
    /// Octets of the largest entry, the gap before it included.
    private static let largestEntry = headerCount + 2 * PacketHeader.maximumLength
    static let leastOctets = 1 << 16

    /// - Parameter octets: rounded down to a power of two; at least 65,536. The system gives pages only as they are written.
    init(octets: Int) {
        var size = Self.leastOctets
        while size * 2 <= octets { size *= 2 }
        self.octets = .allocate(byteCount: size, alignment: 4096)
        mask = size - 1
        startMask = size / 256 - 1
        starts = .allocate(capacity: startMask + 1)
        for position in 0...startMask { (starts + position).initialize(to: Atomic(0)) }
    }

    deinit {
        (starts).deinitialize(count: startMask + 1)
        starts.deallocate()
        octets.deallocate()
    }

    /// Transactions ever written.
    var count: UInt64 { published.load(ordering: .acquiring) }

    /// Worker: copies a transaction in; packets are cut to 4096 octets.
    @inline(__always)
    func push(
        _ header: FlightHeader, request: UnsafePointer<UInt8>, _ requestOctets: Int, reply: UnsafePointer<UInt8>?, _ replyOctets: Int
    ) {
        let requestCount = min(requestOctets, PacketHeader.maximumLength)
        let replyCount = reply == nil ? 0 : min(replyOctets, PacketHeader.maximumLength)
        let number = published.load(ordering: .relaxed)
        let size = (Self.headerCount &+ requestCount &+ replyCount &+ 7) & ~7
        // An entry lies in one piece: what does not fit before the end begins at the start.
        let room = mask &+ 1 &- (next & mask)
        let start = room < size ? next &+ room : next
        begun.store(start &+ size, ordering: .relaxed)
        atomicMemoryFence(ordering: .releasing)
        let place = octets + (start & mask)
        var header = header
        header.number = number
        header.requestCount = UInt16(truncatingIfNeeded: requestCount)
        header.replyCount = UInt16(truncatingIfNeeded: replyCount)
        place.storeBytes(of: header, as: FlightHeader.self)
        memcpy(place + Self.headerCount, request, requestCount)
        if let reply { memcpy(place + Self.headerCount + requestCount, reply, replyCount) }
        starts[Int(truncatingIfNeeded: number) & startMask].store(start, ordering: .relaxed)
        next = start &+ size
        published.store(number &+ 1, ordering: .releasing)
    }

    /// Any thread: the header of transaction `number`; nil when it is gone, or not there yet.
    func header(_ number: UInt64) -> FlightHeader? { located(number)?.header }

    /// Any thread: transaction `number`; nil when it is gone, or not there yet.
    func record(_ number: UInt64) -> FlightRecord? {
        guard let (header, start) = located(number) else { return nil }
        let place = UnsafeRawPointer(octets) + (start & mask) + Self.headerCount
        let request = Self.copy(place, Int(header.requestCount))
        let reply = Self.copy(place + Int(header.requestCount), Int(header.replyCount))
        atomicMemoryFence(ordering: .acquiring)
        return isIntact(start) ? FlightRecord(header: header, request: request, reply: reply) : nil
    }

    /// Any thread: the number of the oldest transaction that is still there, or `count`.
    var oldest: UInt64 {
        let count = count
        var low = count > UInt64(startMask + 1) ? count - UInt64(startMask + 1) : 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            if located(middle) == nil { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func located(_ number: UInt64) -> (header: FlightHeader, start: Int)? {
        let count = count
        guard number < count, count - number <= UInt64(startMask + 1) else { return nil }
        let start = starts[Int(truncatingIfNeeded: number) & startMask].load(ordering: .relaxed)
        guard isIntact(start) else { return nil }
        let header = (octets + (start & mask)).load(as: FlightHeader.self)
        atomicMemoryFence(ordering: .acquiring)
        // An entry that is being written bears the number, but what stood here before it was of another.
        guard isIntact(start), header.number == number, Self.isPossible(header) else { return nil }
        return (header, start)
    }

    private static func isPossible(_ header: FlightHeader) -> Bool {
        headerCount + Int(header.requestCount) + Int(header.replyCount) <= largestEntry
    }

    /// Whether nothing has been written over what begins at `start`.
    private func isIntact(_ start: Int) -> Bool { begun.load(ordering: .acquiring) - start <= mask + 1 }

    private static func copy(_ place: UnsafeRawPointer, _ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            if let base = buffer.baseAddress { memcpy(base, place, count) }
            filled = count
        }
    }
}
