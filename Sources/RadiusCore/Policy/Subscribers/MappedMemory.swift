import Glibc

/// Memory from the system that goes back to it at once, past the allocator.
enum MappedMemory {
    /// Zeroed memory of `octets`; nil when the system has none.
    static func map(_ octets: Int) -> UnsafeMutableRawPointer? {
        let base = mmap(nil, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        return base == MAP_FAILED ? nil : base
    }

    /// The same in one huge page, if the system has one: of `octets`, a power of two, at a multiple of it.
    static func page(of octets: Int) -> UnsafeMutableRawPointer? {
        // Twice as much has a whole one in it; what lies before and behind goes back.
        guard let base = map(2 * octets) else { return nil }
        let before = -Int(bitPattern: base) & (octets - 1)
        let page = base + before
        giveBack(base, before)
        giveBack(page + octets, octets - before)
        madvise(page, octets, MADV_HUGEPAGE)
        return page
    }

    /// Gives back whole small pages, of `map` or `page`.
    static func giveBack(_ base: UnsafeMutableRawPointer?, _ octets: Int) {
        if octets > 0 { munmap(base, octets) }
    }
}
