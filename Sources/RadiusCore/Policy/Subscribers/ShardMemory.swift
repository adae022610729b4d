import Synchronization

/// Memory for the shards of an index: pages of 2 MiB, which the processor finds with one translation each instead of 512.
///
/// Where the system has no such pages to give, the same memory lies in small ones. A page goes back once no shard of it lives; what a
/// change frees is taken again. Any thread.
final class ShardMemory: Sendable {
    private struct Page {
        var holes = RangeSet(0..<ShardMemory.pageOctets)
        /// No hole is larger; that there is one as large is not said.
        var largestHole = ShardMemory.pageOctets

        /// Where a block of `octets` begins that was a hole or part of one; nil when none is large enough.
        mutating func take(_ octets: Int) -> Int? {
            guard largestHole >= octets else { return nil }
            guard let hole = holes.ranges.first(where: { $0.count >= octets }) else {
                largestHole = octets - 1
                return nil
            }
            holes.remove(contentsOf: hole.lowerBound..<hole.lowerBound + octets)
            return hole.lowerBound
        }

        mutating func giveBack(_ block: Range<Int>) {
            holes.insert(contentsOf: block)
            largestHole = ShardMemory.pageOctets
        }

        var isEmpty: Bool { holes.ranges.first?.count == ShardMemory.pageOctets }
    }

    private struct Pages {
        /// By address.
        var pages: [UInt: Page] = [:]
        /// The page that gave last, which gives next while it can.
        private var current: UInt = 0

        mutating func take(_ octets: Int) -> UInt? {
            if let start = pages[current]?.take(octets) { return current + UInt(start) }
            // By index: a loop over the dictionary would hold it, and the first change copy it.
            var index = pages.startIndex
            while index != pages.endIndex {
                if let start = pages.values[index].take(octets) {
                    current = pages.keys[index]
                    return current + UInt(start)
                }
                pages.formIndex(after: &index)
            }
            guard let page = MappedMemory.page(of: ShardMemory.pageOctets) else { return nil }
            current = UInt(bitPattern: page)
            return pages[current, default: Page()].take(octets).map { current + UInt($0) }
        }

        mutating func giveBack(_ address: UInt, _ octets: Int) {
            let page = address & ~UInt(ShardMemory.pageOctets - 1)
            let start = Int(address - page)
            pages[page]?.giveBack(start..<start + octets)
            guard pages[page]?.isEmpty == true else { return }
            pages[page] = nil
            MappedMemory.giveBack(UnsafeMutableRawPointer(bitPattern: page), ShardMemory.pageOctets)
        }
    }

    private let pages = Mutex(Pages())

    /// A huge page of x86-64 and of arm64 with small pages of 4 KiB.
    static let pageOctets = 2 << 20
    /// A block that is larger would leave too much of a page empty.
    private static let largestOctets = pageOctets / 8

    /// Pages in use.
    var pageCount: Int { pages.withLock { $0.pages.count } }

    /// A block of `octets`, a multiple of 64 as its address is; nil when it is too large or the system has no page.
    func take(_ octets: Int) -> UnsafeMutableRawPointer? {
        guard octets <= Self.largestOctets else { return nil }
        return pages.withLock { $0.take(octets) }.flatMap { UnsafeMutableRawPointer(bitPattern: $0) }
    }

    /// Takes a block back that `take` has given.
    func giveBack(_ block: UnsafeRawPointer, _ octets: Int) {
        pages.withLock { $0.giveBack(UInt(bitPattern: block), octets) }
    }
}
