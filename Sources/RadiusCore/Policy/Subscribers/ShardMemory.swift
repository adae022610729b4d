import Glibc
import Synchronization

/// Memory for the shards of an index: pages of 2 MiB, which the processor finds with one translation each instead of 512.
///
/// Where the system has no such pages to give, the same memory lies in small ones. A page goes back once no shard of it lives; what a
/// change frees is taken again. Any thread.
final class ShardMemory: Sendable {
    private struct Pages {
        /// Address of a page: what of it is free.
        var free: [UInt: RangeSet<Int>] = [:]
        /// The page that gave last, which gives next while it can.
        var current: UInt = 0

        mutating func take(_ octets: Int) -> UInt? {
            guard let page = page(with: octets) ?? addPage(), let hole = hole(of: octets, in: page) else { return nil }
            free[page]?.remove(contentsOf: hole.lowerBound..<hole.lowerBound + octets)
            current = page
            return page + UInt(hole.lowerBound)
        }

        private func page(with octets: Int) -> UInt? {
            if hole(of: octets, in: current) != nil { return current }
            return free.keys.first { hole(of: octets, in: $0) != nil }
        }

        private func hole(of octets: Int, in page: UInt) -> Range<Int>? { free[page]?.ranges.first { $0.count >= octets } }

        private mutating func addPage() -> UInt? {
            guard let page = ShardMemory.map() else { return nil }
            free[page] = RangeSet(0..<ShardMemory.pageOctets)
            return page
        }

        mutating func giveBack(_ address: UInt, _ octets: Int) {
            let page = address & ~UInt(ShardMemory.pageOctets - 1)
            let start = Int(address - page)
            free[page]?.insert(contentsOf: start..<start + octets)
            guard free[page]?.ranges.first?.count == ShardMemory.pageOctets else { return }
            free[page] = nil
            ShardMemory.unmap(page, ShardMemory.pageOctets)
        }
    }

    private let pages = Mutex(Pages())

    /// A huge page of x86-64 and of arm64 with small pages of 4 KiB.
    static let pageOctets = 2 << 20
    /// A block that is larger would leave too much of a page empty.
    private static let largestOctets = pageOctets / 8

    /// Pages in use.
    var pageCount: Int { pages.withLock { $0.free.count } }

    /// A block of `octets`, a multiple of 64 as its address is; nil when it is too large or the system has no page.
    func take(_ octets: Int) -> UnsafeMutableRawPointer? {
        guard octets <= Self.largestOctets else { return nil }
        return pages.withLock { $0.take(octets) }.flatMap { UnsafeMutableRawPointer(bitPattern: $0) }
    }

    /// Takes a block back that `take` has given.
    func giveBack(_ block: UnsafeRawPointer, _ octets: Int) {
        pages.withLock { $0.giveBack(UInt(bitPattern: block), octets) }
    }

    /// Maps twice as much and gives back what lies before and behind a whole page of it.
    private static func map() -> UInt? {
        guard let base = mmap(nil, 2 * pageOctets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), base != MAP_FAILED else {
            return nil
        }
        let start = UInt(bitPattern: base)
        let page = (start + UInt(pageOctets - 1)) & ~UInt(pageOctets - 1)
        unmap(start, Int(page - start))
        unmap(page + UInt(pageOctets), pageOctets - Int(page - start))
        madvise(UnsafeMutableRawPointer(bitPattern: page), pageOctets, MADV_HUGEPAGE)
        return page
    }

    private static func unmap(_ start: UInt, _ octets: Int) {
        if octets > 0 { munmap(UnsafeMutableRawPointer(bitPattern: start), octets) }
    }
}
