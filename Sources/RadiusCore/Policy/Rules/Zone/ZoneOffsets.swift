/// A time of a wall clock.
struct LocalTime: Hashable, Sendable {
    /// 0...1439.
    let minuteOfDay: UInt64
    /// 1 is Monday, 7 Sunday.
    let weekday: UInt64
    /// Days since 1970-01-01.
    let day: UInt64
}

/// How far a zone's clocks are from UTC, at any time until `lastYear`.
///
/// Immutable; read by any thread, without allocation.
public final class ZoneOffsets: @unchecked Sendable {
    // Guard: written only while it is made.
    private let times: UnsafeMutablePointer<Int64>
    private let offsets: UnsafeMutablePointer<Int32>
    private let count: Int
    private let first: Int32

    /// Changes of the clock are laid out up to here; later ones are not known.
    static let lastYear = 2100

    /// A zone without changes.
    public static let utc = ZoneOffsets(first: 0, [])

    /// - Parameters:
    ///   - first: seconds east of UTC before all changes.
    ///   - changes: when, in seconds since 1970, and the offset from then on; in order.
    init(first: Int32, _ changes: [(at: Int64, offset: Int32)]) {
        self.first = first
        count = changes.count
        times = .allocate(capacity: max(1, changes.count))
        offsets = .allocate(capacity: max(1, changes.count))
        for (position, change) in changes.enumerated() {
            (times + position).initialize(to: change.at)
            (offsets + position).initialize(to: change.offset)
        }
    }

    deinit {
        times.deallocate()
        offsets.deallocate()
    }

    /// Seconds east of UTC at `seconds` since 1970.
    public func offset(at seconds: Int64) -> Int32 {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low &+ high) / 2
            if times[middle] <= seconds { low = middle &+ 1 } else { high = middle }
        }
        return low == 0 ? first : offsets[low &- 1]
    }

    /// What clocks show; times before 1970 count as its first second.
    func local(_ seconds: Int64) -> LocalTime {
        let shown = UInt64(clamping: seconds &+ Int64(offset(at: seconds)))
        let day = shown / 86_400
        // 1970-01-01 was a Thursday.
        return LocalTime(minuteOfDay: shown % 86_400 / 60, weekday: (day &+ 3) % 7 &+ 1, day: day)
    }
}

/// Why a zone's changes are not known.
public struct ZoneFault: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
