import Synchronization

/// Where a worker leaves its transactions: answers to log-ins, accounting, and what was dropped, each in a ring of its own, so that a
/// flood of one kind displaces none of the others.
final class FlightLane: Sendable {
    let access: FlightRing
    let accounting: FlightRing
    let drops: FlightRing

    init(octets: Int) {
        access = FlightRing(octets: octets / 2)
        accounting = FlightRing(octets: octets / 4)
        drops = FlightRing(octets: octets / 8)
    }

    var rings: [FlightRing] { [access, accounting, drops] }
}

/// Up to where a reader has read.
public struct FlightCursor: Sendable {
    /// For each ring the number that comes next.
    fileprivate var next: [UInt64] = []
}

/// The flight recorder: the last transactions of all workers, always on, in memory that never grows.
///
/// Workers only copy octets in. Whoever reads does the work: finds, sorts, decodes. Any thread may read; readers disturb nobody, and one
/// that is slow misses what was written over, and is told how many.
public final class FlightRecorder: Sendable {
    /// Octets of all lanes together; 0: nothing is recorded.
    public let memoryOctets: Int
    private let laneOctets: Int
    private let lanes = Mutex<[FlightLane]>([])

    /// - Parameters:
    ///   - memoryOctets: for all workers together; 0 turns the recorder off.
    ///   - workers: that will take a lane, of UDP and of streams.
    public init(memoryOctets: Int, workers: Int) {
        self.memoryOctets = memoryOctets
        laneOctets = memoryOctets / max(1, workers)
    }

    /// A lane for one more worker; nil when nothing is recorded.
    func lane() -> FlightLane? {
        guard memoryOctets > 0 else { return nil }
        return lanes.withLock { lanes in
            let lane = FlightLane(octets: laneOctets)
            lanes.append(lane)
            return lane
        }
    }

    private var rings: [FlightRing] { lanes.withLock { $0.flatMap(\.rings) } }

    /// The last transactions that fit, in the order of their arrival, and from where to go on.
    ///
    /// - Parameters:
    ///   - count: at most so many.
    ///   - filter: which.
    /// - Returns: them, and the cursor for `next`.
    public func last(_ count: Int, _ filter: FlightFilter) -> (records: [FlightRecord], cursor: FlightCursor) {
        let rings = rings
        var cursor = FlightCursor()
        var records: [FlightRecord] = []
        for ring in rings {
            let end = ring.count
            cursor.next.append(end)
            records += Self.newest(count, of: ring, before: end, filter)
        }
        records.sort(by: Self.isEarlier)
        return (Array(records.suffix(count)), cursor)
    }

    private static func newest(_ count: Int, of ring: FlightRing, before end: UInt64, _ filter: FlightFilter) -> [FlightRecord] {
        var found: [FlightRecord] = []
        var number = end
        while number > 0, found.count < count {
            number -= 1
            // Nothing older than what is gone is there.
            guard let header = ring.header(number) else { break }
            guard filter.admits(header) else { continue }
            guard let record = ring.record(number) else { break }
            if filter.admits(record) { found.append(record) }
        }
        return found
    }

    /// What came since, in the order of arrival.
    ///
    /// - Parameters:
    ///   - cursor: is moved on.
    ///   - limit: at most so many of each ring; the rest comes with the next call.
    ///   - filter: which.
    /// - Returns: them, and how many of anybody's were written over before they were read.
    public func next(_ cursor: inout FlightCursor, limit: Int, _ filter: FlightFilter) -> (records: [FlightRecord], missed: UInt64) {
        var records: [FlightRecord] = []
        var missed: UInt64 = 0
        for (position, ring) in rings.enumerated() {
            if position == cursor.next.count { cursor.next.append(0) }
            var (number, taken) = (cursor.next[position], 0)
            while number < ring.count, taken < limit {
                guard let header = ring.header(number) else {
                    // Written over while others were read.
                    let oldest = max(ring.oldest, number + 1)
                    missed += oldest - number
                    number = oldest
                    continue
                }
                if filter.admits(header) {
                    guard let record = ring.record(number) else { continue }
                    if filter.admits(record) {
                        records.append(record)
                        taken += 1
                    }
                }
                number += 1
            }
            cursor.next[position] = number
        }
        records.sort(by: Self.isEarlier)
        return (records, missed)
    }

    private static func isEarlier(_ left: FlightRecord, _ right: FlightRecord) -> Bool {
        (left.header.atMicroseconds, left.header.number) < (right.header.atMicroseconds, right.header.number)
    }
}
