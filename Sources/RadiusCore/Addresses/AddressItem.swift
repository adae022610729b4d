/// What a pool hands out.
public enum AddressPoolKind: String, Sendable, CaseIterable {
    /// One address: Framed-IP-Address (RFC 2865 §5.8).
    case ipv4
    /// A prefix for the link: Framed-IPv6-Prefix (RFC 3162 §2.3).
    case ipv6Prefix = "ipv6-prefix"
    /// A prefix for the network behind it: Delegated-IPv6-Prefix (RFC 4818 §3).
    case delegatedPrefix = "delegated-prefix"

    /// The attribute that carries it.
    var attribute: UInt8 {
        switch self {
        case .ipv4: AttributeNumber.framedIPAddress
        case .ipv6Prefix: AttributeNumber.framedIPv6Prefix
        case .delegatedPrefix: AttributeNumber.delegatedIPv6Prefix
        }
    }
}

/// Where an item of a pool stands, as its holder knows it.
public enum AddressState: UInt8, Sendable, BitwiseCopyable {
    case free
    /// In an Access-Accept, and no session was seen with it yet.
    case offered
    /// A session has it.
    case inUse
    /// Nobody has it any more, and nobody shall yet.
    case quarantined
    /// A former holder of the block may have offered it.
    case unsettled
}

/// Who asks: a subscriber, and the line or device that it asks from.
public struct AddressClaimant: Hashable, Sendable, BitwiseCopyable {
    /// `aaa.subscriber.id`; 0 for nobody.
    public var subscriber: Int64
    /// Of Calling-Station-Id; 0 where there is none.
    public var station: UInt64

    public init(subscriber: Int64, station: UInt64) {
        self.subscriber = subscriber
        self.station = station
    }

    /// `calling` are the octets of Calling-Station-Id.
    public init(subscriber: Int64, calling: Span<UInt8>) {
        var hash: UInt64 = calling.isEmpty ? 0 : 0xcbf2_9ce4_8422_2325
        for position in calling.indices { hash = (hash ^ UInt64(calling[position])) &* 0x0000_0100_0000_01b3 }
        self.init(subscriber: subscriber, station: hash == 0 && !calling.isEmpty ? 1 : hash)
    }

    static let nobody = AddressClaimant(subscriber: 0, station: 0)

    /// The same, and known to be the same, line or device.
    func isSameStation(as other: AddressClaimant) -> Bool { station != 0 && self == other }
}

/// A run of items that one node hands out.
public struct AddressBlock: Hashable, Sendable {
    /// Items of a block, at most.
    public static let capacity = 256

    /// `aaa.address_block.id`.
    public let id: Int64
    /// The first item; IPv4 as `IPAddress` has it.
    public let first: IPAddress
    /// 1...`capacity`.
    public let count: Int
    /// Until then, by the database's clock in microseconds since 1970, a former holder's offers may turn out to be in use; 0: none.
    public let settlesAt: Int64

    public init(id: Int64, first: IPAddress, count: Int, settlesAt: Int64) {
        precondition((1...Self.capacity).contains(count))
        self.id = id
        self.first = first
        self.count = count
        self.settlesAt = settlesAt
    }
}

/// A block that its holder could do without.
public struct SpareBlock: Hashable, Sendable {
    /// `aaa.address_block.id`.
    public let id: Int64
    /// Items of the block.
    public let count: Int
    /// Those that are free.
    public let free: Int
    /// A session may still come of an offer of it: only this node knows, so it cannot go yet.
    public var isAwaited = false
    /// Its free items are handed out last.
    public var isWithheld = false

    /// 0: it can go at once. Those that wait longest for that come last.
    var rank: Int { isAwaited ? isWithheld ? 1 : 2 : 0 }
}

/// What the database says of one item.
public struct AddressLease: Sendable, Equatable {
    public var address: IPAddress
    /// The last one that had it, who shall have it again.
    public var claimant: AddressClaimant
    /// At least one open session has it.
    public var isInUse: Bool
    /// Sessions of more than one line or device have it at once.
    public var isContested: Bool
    /// Nobody else gets it before, by the database's clock in microseconds since 1970; 0 for at once.
    public var quarantinedUntil: Int64

    public init(
        address: IPAddress, claimant: AddressClaimant, isInUse: Bool, isContested: Bool = false, quarantinedUntil: Int64 = 0
    ) {
        self.address = address
        self.claimant = claimant
        self.isInUse = isInUse
        self.isContested = isContested
        self.quarantinedUntil = quarantinedUntil
    }
}

extension IPAddress {
    var wide: UInt128 { UInt128(high) << 64 | UInt128(low) }

    init(wide: UInt128) { self.init(high: UInt64(truncatingIfNeeded: wide >> 64), low: UInt64(truncatingIfNeeded: wide)) }
}

extension IPAddress {
    /// The first address `items` networks of `length` bits further on.
    public func advanced(by items: UInt64, of length: Int) -> IPAddress {
        precondition((1...128).contains(length))
        return IPAddress(wide: wide &+ UInt128(items) &<< UInt128(128 - length))
    }
}
