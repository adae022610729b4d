/// SHA-1 (RFC 3174), as MS-CHAPv2 and MPPE use it (RFC 2759 §8.2, RFC 3079 §3.4).
///
/// Not for anything that needs collision resistance. A small value that never allocates.
public struct SHA1: Sendable {
    private var accumulator = DigestAccumulator<SHA1Chain>()

    /// Begins an empty message.
    public init() {}

    /// Appends octets to the message.
    public mutating func update(_ input: Span<UInt8>) { accumulator.update(input) }

    /// Ends the message and returns its digest. Call once.
    public mutating func finish() -> Digest20 {
        let chain = accumulator.finish()
        var digest = Digest20(repeating: 0)
        withUnsafeMutableBytes(of: &digest) { octets in
            octets.storeBytes(of: chain.a.bigEndian, toByteOffset: 0, as: UInt32.self)
            octets.storeBytes(of: chain.b.bigEndian, toByteOffset: 4, as: UInt32.self)
            octets.storeBytes(of: chain.c.bigEndian, toByteOffset: 8, as: UInt32.self)
            octets.storeBytes(of: chain.d.bigEndian, toByteOffset: 12, as: UInt32.self)
            octets.storeBytes(of: chain.e.bigEndian, toByteOffset: 16, as: UInt32.self)
        }
        return digest
    }
}

/// The five words that SHA-1 carries from block to block (RFC 3174 §6.2, the method with a schedule of 16 words).
struct SHA1Chain: ChainingValue {
    private(set) var a: UInt32 = 0x6745_2301
    private(set) var b: UInt32 = 0xefcd_ab89
    private(set) var c: UInt32 = 0x98ba_dcfe
    private(set) var d: UInt32 = 0x1032_5476
    private(set) var e: UInt32 = 0xc3d2_e1f0

    static var countIsBigEndian: Bool { true }

    mutating func compress(_ bytes: RawSpan, at offset: Int) {
        let words = LittleEndianWords(bytes, at: offset)
        var schedule = InlineArray<16, UInt32>(repeating: 0)
        for i in 0..<16 { schedule[i] = words[i].byteSwapped }
        var state = self
        state.chooseTwenty(&schedule)
        state.parityTwenty(&schedule, from: 20, constant: 0x6ed9_eba1)
        state.majorityTwenty(&schedule)
        state.parityTwenty(&schedule, from: 60, constant: 0xca62_c1d6)
        a &+= state.a
        b &+= state.b
        c &+= state.c
        d &+= state.d
        e &+= state.e
    }

    @inline(__always)
    private mutating func chooseTwenty(_ schedule: inout InlineArray<16, UInt32>) {
        five(&schedule, 0, 0x5a82_7999) { $2 ^ ($0 & ($1 ^ $2)) }
        five(&schedule, 5, 0x5a82_7999) { $2 ^ ($0 & ($1 ^ $2)) }
        five(&schedule, 10, 0x5a82_7999) { $2 ^ ($0 & ($1 ^ $2)) }
        five(&schedule, 15, 0x5a82_7999) { $2 ^ ($0 & ($1 ^ $2)) }
    }

    @inline(__always)
    private mutating func majorityTwenty(_ schedule: inout InlineArray<16, UInt32>) {
        five(&schedule, 40, 0x8f1b_bcdc) { ($0 & $1) | ($2 & ($0 | $1)) }
        five(&schedule, 45, 0x8f1b_bcdc) { ($0 & $1) | ($2 & ($0 | $1)) }
        five(&schedule, 50, 0x8f1b_bcdc) { ($0 & $1) | ($2 & ($0 | $1)) }
        five(&schedule, 55, 0x8f1b_bcdc) { ($0 & $1) | ($2 & ($0 | $1)) }
    }

    @inline(__always)
    private mutating func parityTwenty(_ schedule: inout InlineArray<16, UInt32>, from first: Int, constant: UInt32) {
        five(&schedule, first, constant) { $0 ^ $1 ^ $2 }
        five(&schedule, first &+ 5, constant) { $0 ^ $1 ^ $2 }
        five(&schedule, first &+ 10, constant) { $0 ^ $1 ^ $2 }
        five(&schedule, first &+ 15, constant) { $0 ^ $1 ^ $2 }
    }

    /// Five steps, after which every word stands in its own place again.
    @inline(__always)
    private mutating func five(
        _ schedule: inout InlineArray<16, UInt32>, _ first: Int, _ constant: UInt32, _ mix: (UInt32, UInt32, UInt32) -> UInt32
    ) {
        e &+= a.turnedLeft(by: 5) &+ mix(b, c, d) &+ Self.word(&schedule, first) &+ constant
        b = b.turnedLeft(by: 30)
        d &+= e.turnedLeft(by: 5) &+ mix(a, b, c) &+ Self.word(&schedule, first &+ 1) &+ constant
        a = a.turnedLeft(by: 30)
        c &+= d.turnedLeft(by: 5) &+ mix(e, a, b) &+ Self.word(&schedule, first &+ 2) &+ constant
        e = e.turnedLeft(by: 30)
        b &+= c.turnedLeft(by: 5) &+ mix(d, e, a) &+ Self.word(&schedule, first &+ 3) &+ constant
        d = d.turnedLeft(by: 30)
        a &+= b.turnedLeft(by: 5) &+ mix(c, d, e) &+ Self.word(&schedule, first &+ 4) &+ constant
        c = c.turnedLeft(by: 30)
    }

    /// The schedule's word `index`, 0...79; from 16 on it is made here and kept where word `index - 16` stood.
    @inline(__always)
    private static func word(_ schedule: inout InlineArray<16, UInt32>, _ index: Int) -> UInt32 {
        if index < 16 { return schedule[index] }
        let near = schedule[(index &- 3) & 15] ^ schedule[(index &- 8) & 15]
        let far = schedule[(index &- 14) & 15] ^ schedule[index & 15]
        let word = (near ^ far).turnedLeft(by: 1)
        schedule[index & 15] = word
        return word
    }
}
