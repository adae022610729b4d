internal import CLinux
import Synchronization

/// The database's clock as this node knows it, and until when the node may hand out what it holds.
public final class AddressClock: Sendable {
    /// By how much the estimate may be behind, and the time of a log-in on its way, in microseconds.
    static let slackMicroseconds: Int64 = 2_000_000

    /// Signalled when a pool runs low.
    public let wake = WakeSignal()
    /// The database's clock less the monotonic one, in microseconds.
    private let offset = Atomic<Int64>(0)
    /// Monotonic and wall clock, in nanoseconds: whichever comes first ends it. The wall clock goes on while a machine sleeps.
    private let fence = Atomic<UInt64>(0)
    private let wallFence = Atomic<UInt64>(0)

    public init() {}

    /// Microseconds since 1970 by the database's clock, rather less than more; nil when nothing may be handed out.
    func now(at monotonic: UInt64, wall: UInt64) -> Int64? {
        guard monotonic < fence.load(ordering: .relaxed), wall < wallFence.load(ordering: .relaxed) else { return nil }
        return Int64(monotonic / 1000) + offset.load(ordering: .relaxed)
    }

    /// Microseconds since 1970 by the database's clock, without the fence.
    public var estimate: Int64 { Int64(Self.monotonic / 1000) + offset.load(ordering: .relaxed) }

    /// Nanoseconds that only grow.
    public static var monotonic: UInt64 { lm_monotonic_nanoseconds() }

    /// Nanoseconds since 1970.
    public static var wall: UInt64 { lm_realtime_nanoseconds() }

    /// The node holds its blocks for `seconds` from when it asked.
    ///
    /// - Parameters:
    ///   - database: what the database's clock said, in microseconds since 1970.
    ///   - asked: monotonic nanoseconds before it was asked.
    ///   - answered: monotonic nanoseconds once it had answered.
    ///   - wall: the wall clock when it was asked.
    ///   - seconds: of the lease.
    public func renew(database: Int64, asked: UInt64, answered: UInt64, wall: UInt64, seconds: Int64) {
        offset.store(database - Int64(answered / 1000), ordering: .relaxed)
        // A tenth less, for clocks that run unevenly.
        let nanoseconds = UInt64(seconds) * 900_000_000
        fence.store(asked + nanoseconds, ordering: .relaxed)
        wallFence.store(wall + nanoseconds, ordering: .relaxed)
    }

    /// Nothing may be handed out any more.
    public func end() { fence.store(0, ordering: .relaxed) }
}

/// All pools that this node knows, by number. One for a daemon; profiles hold theirs, so a pool lives as long as anybody names it.
public final class AddressPools: Sendable {
    public let clock = AddressClock()
    private let pools = Mutex<[Int64: AddressPool]>([:])

    public init() {}

    /// The pool numbered `id`; without anything to hand out until somebody fills it.
    public func pool(_ id: Int64) -> AddressPool {
        pools.withLock { pools in
            if let known = pools[id] { return known }
            let made = AddressPool(id: id, clock: clock)
            pools[id] = made
            return made
        }
    }

    /// In the order of their numbers.
    public var all: [AddressPool] { pools.withLock { $0.values.sorted { $0.id < $1.id } } }
}

/// The pools that a profile names.
public struct ProfilePools: Sendable {
    public var ipv4: AddressPool?
    public var ipv6Prefix: AddressPool?
    public var delegatedPrefix: AddressPool?

    public init(ipv4: AddressPool? = nil, ipv6Prefix: AddressPool? = nil, delegatedPrefix: AddressPool? = nil) {
        self.ipv4 = ipv4
        self.ipv6Prefix = ipv6Prefix
        self.delegatedPrefix = delegatedPrefix
    }

    public var isEmpty: Bool { ipv4 == nil && ipv6Prefix == nil && delegatedPrefix == nil }

    /// In the order of their attributes.
    public var all: [(kind: AddressPoolKind, pool: AddressPool)] {
        [(.ipv4, ipv4), (.ipv6Prefix, ipv6Prefix), (.delegatedPrefix, delegatedPrefix)].compactMap { kind, pool in pool.map { (kind, $0) } }
    }
}
