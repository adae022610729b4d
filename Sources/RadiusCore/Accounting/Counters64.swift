/// One direction's octets of one session, as 64 bits, whatever the NAS sends and in whatever order it arrives.
///
/// With Gigawords a sample is absolute and the highest one counts. Without, a sample is the total modulo 2^32, and in the order of
/// *positions* (Acct-Session-Time) each step down from `wrapFloor` or more is one wrap; a smaller value that only arrived late is none.
/// The total never goes down, and it is the same for every order of the same samples, as long as a late one is among the last
/// `windowCount`.
public struct Counters64: Equatable, Sendable {
    /// Samples without Gigawords that are kept to place late ones between.
    static let windowCount = 8

    /// More Gigawords than 72 petabytes make are a broken NAS, not traffic; such a sample is left out (and counted, see
    /// `AccountingProgress.absurdCounters`).
    static let gigawordsLimit: UInt32 = 1 << 24

    /// A step down from less than 64 MiB is no wrap. To end below a value `v`, a wrap must hit the lowest `v` of 2^32 values: at this floor
    /// one in 64, at 1,000 octets one in four million, and only with almost 4 GiB since the last sample. A NAS that lost its counters
    /// looks the same and is common; taken for a wrap it puts 4 GiB on a bill that nobody used.
    static let wrapFloor: UInt64 = 1 << 26

    struct Sample: Equatable, Sendable {
        var position: Int64
        var low: UInt32
    }

    /// Octets so far.
    public private(set) var total: UInt64 = 0
    /// The highest value known for sure, and where the last of those stood.
    private(set) var base: UInt64 = 0
    private(set) var basePosition = Int64.min
    /// Samples without Gigawords behind `basePosition`, ascending by position, then by value.
    private(set) var samples: [Sample] = []

    public init() {}

    init(total: UInt64, base: UInt64, basePosition: Int64, samples: [Sample]) {
        self.total = total
        self.base = base
        self.basePosition = basePosition
        self.samples = samples
    }

    /// Takes one sample in.
    ///
    /// - Parameters:
    ///   - counter: what the NAS sent. A zero without Gigawords says nothing: it is what a NAS that lost its counters sends, too.
    ///   - position: where it stands among the session's samples; any scale that grows with the session's age.
    /// - Returns: octets by which the total grew.
    public mutating func observe(_ counter: AccountingProgress.Counter, position: Int64) -> UInt64 {
        if let gigawords = counter.gigawords {
            guard gigawords < Self.gigawordsLimit else { return 0 }
            base = max(base, UInt64(gigawords) << 32 | UInt64(counter.low))
            basePosition = max(basePosition, position)
            samples.removeAll { $0.position <= basePosition }
        } else if counter.low > 0, position > basePosition {
            insert(Sample(position: position, low: counter.low))
        }
        let before = total
        total = max(total, unwrapped(samples.count))
        return total - before
    }

    private mutating func insert(_ sample: Sample) {
        guard !samples.contains(sample) else { return }
        let place = samples.firstIndex { ($0.position, $0.low) > (sample.position, sample.low) } ?? samples.count
        samples.insert(sample, at: place)
        while samples.count > Self.windowCount {
            base = unwrapped(1)
            basePosition = samples.removeFirst().position
            samples.removeAll { $0.position <= basePosition }
        }
    }

    /// The total at the last of the first `count` samples: each the smallest number that fits and is not below the one before, or as
    /// before where the step down is no wrap.
    private func unwrapped(_ count: Int) -> UInt64 {
        var value = base
        var lastPosition = basePosition
        for sample in samples.prefix(count) {
            var next = value & ~0xffff_ffff | UInt64(sample.low)
            if next < value {
                // Two values of one moment: the smaller one is no wrap.
                let isWrap = sample.position > lastPosition && value & 0xffff_ffff >= Self.wrapFloor
                next = isWrap ? next &+ 1 << 32 : value
            }
            value = next
            lastPosition = sample.position
        }
        return value
    }
}

extension AccountingProgress {
    /// Counters whose Gigawords no line can have filled; they change no total.
    public var absurdCounters: Int {
        (upload?.gigawords ?? 0 >= Counters64.gigawordsLimit ? 1 : 0) + (download?.gigawords ?? 0 >= Counters64.gigawordsLimit ? 1 : 0)
    }
}
