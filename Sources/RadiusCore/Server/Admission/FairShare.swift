/// Who is served while more arrives at a socket than its worker can answer.
///
/// The kernel's queue is first in, first out, and when it is full it loses everybody's packets alike: a flood from one client silences
/// all. So when the queue is half full, the worker begins to shed: it drops, before any work on them, what a client sends beyond its share,
/// which drains the queue. Shares are max-min fair by count: in each round of 128 datagrams a part of them is served, whoever asks for less
/// than an equal share gets all of it, and the rest is divided equally among the others. Decided by counts alone. One thread.
struct FairShare: ~Copyable {
    /// Datagrams in a round.
    static let round = 128
    private static let cellCount = 256
    /// Sixteenths of a round that are served: where it begins, and the least it falls to.
    private static let firstKeep = 12
    private static let leastKeep = 4

    private struct Cell: BitwiseCopyable {
        var client: Int64
        var round: UInt32
        var arrived: UInt16
    }

    private let cells: UnsafeMutablePointer<Cell>
    private let used: UnsafeMutablePointer<UInt16>
    private var usedCount = 0
    private var arrived = 0
    private var number: UInt32 = 0
    private var keep = 0
    /// Datagrams of one client that are served in this round.
    private var quota = Int.max
    /// Half of the queue or more is taken, by the last look at it.
    private var isCrowded = false
    private var isRelaxed = false
    /// Whether shares are dealt out at all.
    private(set) var isEngaged = false

    init() {
        cells = .allocate(capacity: Self.cellCount)
        cells.initialize(repeating: Cell(client: 0, round: 0, arrived: 0), count: Self.cellCount)
        used = .allocate(capacity: Self.round)
        used.initialize(repeating: 0, count: Self.round)
    }

    deinit {
        cells.deallocate()
        used.deallocate()
    }

    /// Looks at the queue, after a batch that left something in it.
    ///
    /// - Parameters:
    ///   - octets: taken of the queue.
    ///   - limit: octets that it holds.
    mutating func observe(octets: UInt32, limit: UInt32) {
        isCrowded = octets >= limit / 2
        isRelaxed = octets < limit / 4
        guard isCrowded, !isEngaged else { return }
        isEngaged = true
        keep = Self.firstKeep
        quota = .max  // the first round only counts
        beginRound()
    }

    /// The queue is empty: everybody is served again.
    mutating func observeEmpty() { isEngaged = false }

    /// Whether the next datagram, which `client` sent, is served.
    mutating func admits(_ client: Int64) -> Bool {
        guard isEngaged else { return true }
        if arrived == Self.round { endRound() }
        arrived += 1
        return count(client) <= quota
    }

    /// Counts one datagram of `client` in this round; there are more cells than datagrams in a round.
    private mutating func count(_ client: Int64) -> Int {
        var position = Int(truncatingIfNeeded: (UInt64(bitPattern: client) &* 0x9e37_79b9_7f4a_7c15) >> 32) % Self.cellCount
        while cells[position].round == number {
            if cells[position].client == client {
                cells[position].arrived += 1
                return Int(cells[position].arrived)
            }
            position = (position + 1) % Self.cellCount
        }
        cells[position] = Cell(client: client, round: number, arrived: 1)
        used[usedCount] = UInt16(position)
        usedCount += 1
        return 1
    }

    private mutating func endRound() {
        if isCrowded { keep = max(Self.leastKeep, keep - 2) } else if isRelaxed { keep = min(16, keep + 1) }
        quota = share(of: Self.round * keep / 16)
        beginRound()
    }

    private mutating func beginRound() {
        number &+= 1
        arrived = 0
        usedCount = 0
    }

    /// The largest count that each client of the round may have so that all together have at most `budget`.
    private func share(of budget: Int) -> Int {
        var quota = 0
        while true {
            var (left, unsatisfied) = (budget, usedCount)
            for position in 0..<usedCount {
                let wanted = Int(cells[Int(used[position])].arrived)
                if wanted <= quota {
                    left -= wanted
                    unsatisfied -= 1
                }
            }
            guard unsatisfied > 0 else { return .max }
            let next = max(1, left / unsatisfied)
            if next <= quota { return quota }
            quota = next
        }
    }
}
