/// One test of a compiled condition, and where to go on from its answer: `and`, `or` and `not` are nothing but these two targets.
struct PolicyInstruction: BitwiseCopyable {
    enum Operation: UInt8, BitwiseCopyable {
        case present
        /// A number in `first...last`; also outside of it, if it is there.
        case inside, outside
        /// `count` octets of the arena at `first`.
        case equal, different
        /// A pattern of the arena at `first`; `firstMask` has the octets that begin it, `lastMask` tells how many.
        case matches
        /// In the network `first`, `last` of `count` bits, whose masks stand behind.
        case within, without
    }

    /// Targets that are no instruction.
    static let holds: UInt16 = 0xffff
    static let fails: UInt16 = 0xfffe
    /// Instructions of one program, at most.
    static let limit = 0xfff0

    var operation: Operation
    var slot: UInt8
    var onTrue: UInt16
    var onFalse: UInt16
    var count: UInt16
    var first: UInt64
    /// For a pattern 1 when any octets may end the text.
    var last: UInt64
    var firstMask: UInt64 = 0
    var lastMask: UInt64 = 0
}

/// How a value is read out of its octets.
enum PolicyLoader: UInt8, BitwiseCopyable {
    case octets
    /// A tag in front is passed over (RFC 2868 §3.1).
    case taggedText, taggedNumber
    case number1, number2, number4, number8
    case signed, ipv4, ipv6, comboIP, prefix4, prefix6

    init(_ kind: RuleKind, isTagged: Bool) {
        switch kind {
        case .text: self = isTagged ? .taggedText : .octets
        case .octets: self = .octets
        case .number(1), .flag: self = .number1
        case .number(2): self = .number2
        case .number(8): self = .number8
        case .number: self = isTagged ? .taggedNumber : .number4
        case .signed: self = .signed
        case .ipv4: self = .ipv4
        case .ipv6: self = .ipv6
        case .comboIP: self = .comboIP
        case .prefix(let octets): self = octets == 4 ? .prefix4 : .prefix6
        }
    }
}

/// A value as instructions read it: a number, an address or prefix, or a run of octets.
struct PolicySlot: BitwiseCopyable {
    /// A number, or the lower half of an address.
    var low: UInt64 = 0
    var high: UInt64 = 0
    var octets: UnsafePointer<UInt8>?
    /// Of `octets`, or bits of a prefix; 128 for a lone address.
    var count: UInt16 = 0
    var isPresent = false

    /// Makes nothing be there. What else stands in the slot is of the login before, and not looked at.
    @inline(__always)
    mutating func clear() { isPresent = false }

    /// Reads `count` octets; where the type forbids them, nothing is there.
    @inline(__always)
    mutating func load(_ octets: UnsafePointer<UInt8>, _ count: Int, by loader: PolicyLoader) {
        switch loader {
        case .octets: set(octets, count)
        case .taggedText:
            let hasTag = count > 0 && octets[0] <= 0x1f
            set(hasTag ? octets + 1 : octets, hasTag ? count &- 1 : count)
        case .number1: if count == 1 { set(UInt64(octets[0])) }
        case .number2: if count == 2 { set(UInt64(octets[0]) << 8 | UInt64(octets[1])) }
        case .number4: if count == 4 { set(UInt64(Self.word(octets))) }
        case .taggedNumber: if count == 4 { set(UInt64(Self.word(octets) & 0xff_ffff)) }
        case .number8: if count == 8 { set(UInt64(Self.word(octets)) << 32 | UInt64(Self.word(octets + 4))) }
        case .signed: if count == 4 { set(RuleNumber.ordered(Int32(bitPattern: Self.word(octets)))) }
        case .ipv4: if count == 4 { set(IPAddress(ipv4: Self.word(octets)), 128) }
        case .ipv6: if count == 16 { set(Self.address(octets), 128) }
        case .comboIP:
            if count == 4 { set(IPAddress(ipv4: Self.word(octets)), 128) }
            if count == 16 { set(Self.address(octets), 128) }
        case .prefix4: if count == 6, octets[1] <= 32 { set(IPAddress(ipv4: Self.word(octets + 2)), Int(octets[1]) &+ 96) }
        case .prefix6: loadPrefix6(octets, count)
        }
    }

    /// Trailing zeros of the address are left out on the wire (RFC 8044 §3.10).
    private mutating func loadPrefix6(_ octets: UnsafePointer<UInt8>, _ count: Int) {
        guard count >= 2, count <= 18, octets[1] <= 128 else { return }
        var halves = (high: UInt64(0), low: UInt64(0))
        for position in 0..<count &- 2 {
            let octet = UInt64(octets[position &+ 2])
            if position < 8 {
                halves.high |= octet &<< UInt64(56 &- 8 &* position)
            } else {
                halves.low |= octet &<< UInt64(120 &- 8 &* position)
            }
        }
        set(IPAddress(high: halves.high, low: halves.low), Int(octets[1]))
    }

    @inline(__always)
    mutating func set(_ number: UInt64) {
        (low, high, octets) = (number, 0, nil)
        isPresent = true
    }

    @inline(__always)
    mutating func set(_ address: IPAddress, _ length: Int) {
        (high, low, count, octets) = (address.high, address.low, UInt16(truncatingIfNeeded: length), nil)
        isPresent = true
    }

    @inline(__always)
    mutating func set(_ start: UnsafePointer<UInt8>?, _ length: Int) {
        (octets, count) = (start, UInt16(truncatingIfNeeded: length))
        isPresent = start != nil
    }

    private static func word(_ octets: UnsafePointer<UInt8>) -> UInt32 {
        UInt32(bigEndian: UnsafeRawPointer(octets).loadUnaligned(as: UInt32.self))
    }

    private static func address(_ octets: UnsafePointer<UInt8>) -> IPAddress {
        IPAddress(octets: UnsafeRawBufferPointer(start: octets, count: 16))
    }
}
