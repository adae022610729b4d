internal import CLinux
import Synchronization

/// How a pool hands out, as its row says.
public struct AddressPoolRules: Sendable, Equatable {
    public var name: String
    public var tenant: Int64
    public var kind: AddressPoolKind
    /// Of one item: 32 for IPv4, else 1...128.
    public var prefixLength: Int
    /// Seconds that an offer waits for its session.
    public var offerSeconds: Int64
    /// Seconds that an item rests after a session.
    public var quarantineSeconds: Int64
    /// An exhausted pool lets the subscriber in without an address instead of refusing.
    public var acceptsWithout: Bool
    public var isEnabled: Bool

    public init(
        name: String, tenant: Int64 = 0, kind: AddressPoolKind, prefixLength: Int, offerSeconds: Int64 = 120,
        quarantineSeconds: Int64 = 300,
        acceptsWithout: Bool = false, isEnabled: Bool = true
    ) {
        self.name = name
        self.tenant = tenant
        self.kind = kind
        self.prefixLength = prefixLength
        self.offerSeconds = offerSeconds
        self.quarantineSeconds = quarantineSeconds
        self.acceptsWithout = acceptsWithout
        self.isEnabled = isEnabled
    }

    var times: AddressStock.Times {
        AddressStock.Times(offer: offerSeconds * 1_000_000 + AddressClock.slackMicroseconds, quarantine: quarantineSeconds * 1_000_000)
    }

    /// Of an item as `IPAddress` has it.
    var wideLength: Int { kind == .ipv4 ? 128 : prefixLength }
}

/// What a pool answers to a log-in.
public enum AddressOffer: Sendable, Equatable {
    /// The item and its prefix length.
    case item(IPAddress, length: Int)
    /// There is nothing; the subscriber gets in without, where the pool says so.
    case exhausted(AddressShortage, acceptsWithout: Bool)
    /// This node has none left, or has not seen the pool yet, but more is on its way: the NAS shall ask again.
    case refilling
    /// This node has not been in touch with the database for so long that others may have its blocks, or the pool is gone.
    case cutOff
}

/// Counts of a pool as this node sees it.
public struct AddressPoolCounts: Sendable, Equatable {
    public var free = 0
    public var offered = 0
    public var inUse = 0
    public var quarantined = 0
    public var unsettled = 0
    public var blocks = 0
    public var conflicts: UInt64 = 0
    public var expired: UInt64 = 0
    public var offers: UInt64 = 0
    public var refusals: UInt64 = 0
    public var refills: UInt64 = 0
}

/// The one door to addresses: the packet path asks here, whoever owns the addresses fills it.
///
/// Holds the items of a pool that this node may hand out. One short lock; `offer` and `preview` may be called by any thread, the rest is
/// for the thread that keeps the pool filled.
public final class AddressPool: Sendable {
    /// `aaa.address_pool.id`.
    public let id: Int64
    let clock: AddressClock
    private let state = Mutex(State())
    /// Set when the stock ran low, until the next round: the filler is woken once.
    private let isLow = Atomic<Bool>(false)

    private struct State: Sendable {
        var rules: AddressPoolRules?
        var stock: AddressStock?
        /// Somebody has looked for its row; before that it is a new one that a profile names already.
        var wasRead = false
        var lowWater = 0
        var canRefill = false
        var isElsewhere = false
        var isSettling = false
        var offers: UInt64 = 0
        var refusals: UInt64 = 0
        var refills: UInt64 = 0
        var sinceRound = 0
    }

    init(id: Int64, clock: AddressClock) {
        self.id = id
        self.clock = clock
    }

    /// Takes an item for `claimant`. Allocates nothing.
    public func offer(_ claimant: AddressClaimant) -> AddressOffer {
        guard let now = clock.now(at: lm_monotonic_nanoseconds(), wall: lm_realtime_nanoseconds()) else { return .cutOff }
        let (offer, isLow) = state.withLock { state in Self.offer(claimant, at: now, &state) }
        if isLow, !self.isLow.exchange(true, ordering: .relaxed) { clock.wake.signal() }
        return offer
    }

    private static func offer(_ claimant: AddressClaimant, at now: Int64, _ state: inout State) -> (AddressOffer, isLow: Bool) {
        guard let rules = state.rules, state.stock != nil else { return state.wasRead ? (.cutOff, false) : (.refilling, true) }
        state.sinceRound += 1
        if rules.isEnabled, let found = state.stock?.offer(claimant, at: now) {
            state.offers += 1
            return (.item(found.address, length: rules.prefixLength), (state.stock?.freeCount ?? 0) < state.lowWater)
        }
        if rules.isEnabled, state.canRefill {
            state.refills += 1
            return (.refilling, true)
        }
        state.refusals += 1
        return (.exhausted(shortage(rules, state), acceptsWithout: rules.acceptsWithout), false)
    }

    private static func shortage(_ rules: AddressPoolRules, _ state: State) -> AddressShortage {
        if !rules.isEnabled { return .switchedOff }
        if state.isSettling || (state.stock?.unsettled ?? 0) > 0 { return .settling }
        return state.isElsewhere ? .elsewhere : .used
    }

    /// What `offer` would answer now, and why that item; nothing is taken.
    public func preview(_ claimant: AddressClaimant) -> AddressPreview {
        let isInTouch = clock.now(at: lm_monotonic_nanoseconds(), wall: lm_realtime_nanoseconds()) != nil
        return state.withLock { state in
            guard let rules = state.rules, isInTouch else {
                let isNew = isInTouch && !state.wasRead
                return AddressPreview(
                    pool: state.rules?.name ?? "\(id)", kind: state.rules?.kind, offer: isNew ? .refilling : .cutOff, isSticky: false)
            }
            if rules.isEnabled, let found = state.stock?.preview(claimant) {
                return AddressPreview(
                    pool: rules.name, kind: rules.kind, offer: .item(found.address, length: rules.prefixLength),
                    isSticky: found.choice != .next)
            }
            let offer: AddressOffer =
                rules.isEnabled && state.canRefill
                ? .refilling : .exhausted(Self.shortage(rules, state), acceptsWithout: rules.acceptsWithout)
            return AddressPreview(pool: rules.name, kind: rules.kind, offer: offer, isSticky: false)
        }
    }

    /// As its row says; nil before that was read, and once it is gone.
    public var rules: AddressPoolRules? { state.withLock { $0.rules } }

    public var counts: AddressPoolCounts {
        state.withLock { state in
            var counts = AddressPoolCounts()
            (counts.offers, counts.refusals, counts.refills) = (state.offers, state.refusals, state.refills)
            guard let stock = state.stock else { return counts }
            (counts.free, counts.offered, counts.inUse) = (stock.freeCount, stock.offeredCount, stock.inUse)
            (counts.quarantined, counts.unsettled) = (stock.quarantinedCount, stock.unsettled)
            (counts.blocks, counts.conflicts, counts.expired) = (stock.blockIDs.count, stock.conflicts, stock.expired)
            return counts
        }
    }

    // MARK: For the filler

    /// Takes over the row; nil when it is gone, and then the blocks are dropped. A pool whose items changed their size begins anew.
    public func set(_ rules: AddressPoolRules?) {
        state.withLock { state in
            state.wasRead = true
            guard state.rules != rules else { return }
            state.rules = rules
            guard let rules else { return state.stock = nil }
            if state.stock?.prefixLength == rules.wideLength {
                state.stock?.times = rules.times
            } else {
                state.stock = AddressStock(prefixLength: rules.wideLength, times: rules.times)
            }
        }
    }

    public func add(_ block: AddressBlock, _ leases: [AddressLease]) { state.withLock { $0.stock?.add(block, leases) } }

    /// Takes a block out; until when its offers may turn out to be in use, 0 for not at all.
    @discardableResult
    public func remove(_ block: Int64) -> Int64 { state.withLock { $0.stock?.remove(block) ?? 0 } }

    /// Items of a block that rest after an offer, which only this node knows, and until when.
    public func resting(in block: Int64) -> [(address: IPAddress, until: Int64)] { state.withLock { $0.stock?.resting(in: block) ?? [] } }

    public func apply(_ leases: [AddressLease]) { state.withLock { state in for lease in leases { state.stock?.apply(lease) } } }

    public func lapsed(horizon: Int64, limit: Int) -> [(address: IPAddress, claimant: AddressClaimant)] {
        state.withLock { $0.stock?.lapsed(horizon: horizon, limit: limit) ?? [] }
    }

    public func lapse(_ addresses: [IPAddress], horizon: Int64, at now: Int64) {
        state.withLock { state in for address in addresses { state.stock?.lapse(address, horizon: horizon, at: now) } }
    }

    public func advance(horizon: Int64, at now: Int64) { state.withLock { $0.stock?.advance(horizon: horizon, at: now) } }

    /// Blocks that others could have, those first that can go at once.
    public func spareBlocks() -> [SpareBlock] { state.withLock { $0.stock?.spareBlocks() ?? [] } }

    /// Hands out of `blocks` only what the others no longer have; those named before are like the others again.
    public func withhold(_ blocks: [Int64]) { state.withLock { $0.stock?.withhold(blocks) } }

    public var blockIDs: [Int64] { state.withLock { $0.stock?.blockIDs ?? [] } }

    /// Ends a round: how many log-ins asked since the last one, and what holds until the next.
    ///
    /// - Parameters:
    ///   - lowWater: free items below which the filler is woken.
    ///   - canRefill: the database has more, or others were asked for some.
    ///   - isElsewhere: what is not in use is with other nodes.
    ///   - isSettling: some of it is not handed out before the accounting of all nodes is known.
    /// - Returns: log-ins since the last call.
    @discardableResult
    public func endRound(lowWater: Int, canRefill: Bool, isElsewhere: Bool = false, isSettling: Bool = false) -> Int {
        isLow.store(false, ordering: .relaxed)
        return state.withLock { state in
            state.lowWater = lowWater
            state.canRefill = canRefill
            state.isElsewhere = isElsewhere
            state.isSettling = isSettling
            defer { state.sinceRound = 0 }
            return state.sinceRound
        }
    }
}

/// What a pool would give.
public struct AddressPreview: Sendable, Equatable {
    public let pool: String
    /// Nil when this node knows no such pool.
    public let kind: AddressPoolKind?
    public let offer: AddressOffer
    /// The subscriber had it before.
    public let isSticky: Bool
}
