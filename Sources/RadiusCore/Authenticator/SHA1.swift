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
        let before = self
        for i in 0..<16 { step(d ^ (b & (c ^ d)), schedule[i], 0x5a82_7999) }
        for i in 16..<20 { step(d ^ (b & (c ^ d)), Self.next(&schedule, i), 0x5a82_7999) }
        for i in 20..<40 { step(b ^ c ^ d, Self.next(&schedule, i), 0x6ed9_eba1) }
        for i in 40..<60 { step((b & c) | (d & (b | c)), Self.next(&schedule, i), 0x8f1b_bcdc) }
        for i in 60..<80 { step(b ^ c ^ d, Self.next(&schedule, i), 0xca62_c1d6) }
        a &+= before.a
        b &+= before.b
        c &+= before.c
        d &+= before.d
        e &+= before.e
    }

    @inline(__always)
    private mutating func step(_ mixed: UInt32, _ word: UInt32, _ constant: UInt32) {
        let next = a.turnedLeft(by: 5) &+ mixed &+ e &+ word &+ constant
        e = d
        d = c
        c = b.turnedLeft(by: 30)
        b = a
        a = next
    }

    /// The schedule's word `index`, 16...79, kept where word `index - 16` stood.
    @inline(__always)
    private static func next(_ schedule: inout InlineArray<16, UInt32>, _ index: Int) -> UInt32 {
        let near = schedule[(index &- 3) & 15] ^ schedule[(index &- 8) & 15]
        let far = schedule[(index &- 14) & 15] ^ schedule[index & 15]
        let word = (near ^ far).turnedLeft(by: 1)
        schedule[index & 15] = word
        return word
    }
}
