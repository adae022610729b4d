import Glibc

/// Walks the records of one segment from an offset, over damage, through a window of memory.
///
/// A record that does not verify is stepped over octet by octet until the next one that does.
struct JournalScan: ~Copyable {
    /// Window size: several of the longest record.
    private static let windowCount = 1 << 20

    private let file: JournalSegmentFile
    private let window: UnsafeMutableRawPointer
    private var windowStart: Int
    private var windowFilled = 0
    /// Where the next record is looked for, from the segment's first octet.
    private(set) var offset: Int
    /// Behind the last whole record that was found; where the scan began before the first.
    private(set) var endOfLastRecord: Int
    /// Octets that belonged to no record, before the last one found.
    private(set) var damagedOctets = 0

    /// - Parameters:
    ///   - file: open until the scan is over.
    ///   - offset: 0, or an earlier scan's `endOfLastRecord`.
    /// - Throws: `JournalError.system` when the first octets cannot be read.
    init(_ file: JournalSegmentFile, from offset: Int = 0) throws(JournalError) {
        self.file = file
        self.offset = max(offset, JournalFormat.segmentHeaderCount)
        windowStart = self.offset
        endOfLastRecord = self.offset
        window = .allocate(byteCount: Self.windowCount, alignment: 16)
        do throws(JournalError) {
            windowFilled = try file.read(window, Self.windowCount, at: windowStart)
        } catch {
            window.deallocate()
            throw error
        }
    }

    deinit { window.deallocate() }

    /// The octets of the record that `next` just returned. Valid until the following call.
    func record(_ location: JournalRecordLocation) -> UnsafeRawPointer {
        UnsafeRawPointer(window) + (endOfLastRecord - location.size - windowStart)
    }

    /// The next whole record, or nil at the end of the segment.
    mutating func next() -> JournalRecordLocation? {
        var refilled = false
        while true {
            let position = offset - windowStart
            switch JournalFormat.examine(UnsafeRawPointer(window) + position, available: windowFilled - position) {
            case .record(let location):
                damagedOctets += offset - endOfLastRecord
                offset += location.size
                endOfLastRecord = offset
                return location
            case .incomplete:
                if !refilled {
                    refilled = true
                    refill()
                    continue
                }
                guard windowFilled - position > 4 else { return nil }
                step()
            case .garbage:
                refilled = false
                step()
            }
        }
    }

    /// To the next octet that could begin a record.
    private mutating func step() {
        let first = UInt8(truncatingIfNeeded: JournalFormat.recordMagic)
        offset += 1
        let position = offset - windowStart
        guard position < windowFilled else { return }
        if let found = memchr(window + position, Int32(first), windowFilled - position) {
            offset = windowStart + (UnsafeMutableRawPointer(found) - window)
        } else {
            offset = windowStart + windowFilled
        }
    }

    /// Moves the window to `offset`. An unreadable place ends the segment here; the next scan tries it again.
    private mutating func refill() {
        windowStart = offset
        windowFilled = (try? file.read(window, Self.windowCount, at: windowStart)) ?? 0
    }
}
