/// MD5 (RFC 1321), on which every RADIUS authenticator rests (RFC 2865 §3).
///
/// Written here because OpenSSL refuses MD5 in FIPS mode. A small value: copy it to keep a midstate. Never allocates.
/// Not for anything that needs collision resistance.
public struct MD5: Sendable {
    private var accumulator: DigestAccumulator<MD5Chain>

    /// Begins an empty message.
    public init() { accumulator = DigestAccumulator() }

    /// Resumes a message whose first 64 octets made `chain`.
    init(afterOneBlock chain: MD5Chain) { accumulator = DigestAccumulator(resuming: chain, after: 64) }

    /// Appends octets to the message.
    public mutating func update(_ input: Span<UInt8>) { accumulator.update(input) }

    /// Ends the message and returns its digest. Call once.
    public mutating func finish() -> Digest16 {
        let chain = accumulator.finish()
        return Digest16(words: chain.a, chain.b, chain.c, chain.d)
    }
}

/// The four words that MD5 carries from block to block (RFC 1321 §3.3).
struct MD5Chain: ChainingValue {
    private(set) var a: UInt32 = 0x6745_2301
    private(set) var b: UInt32 = 0xefcd_ab89
    private(set) var c: UInt32 = 0x98ba_dcfe
    private(set) var d: UInt32 = 0x1032_5476

    static var countIsBigEndian: Bool { false }

    mutating func compress(_ bytes: RawSpan, at offset: Int) {
        let words = LittleEndianWords(bytes, at: offset)
        var (a, b, c, d) = (self.a, self.b, self.c, self.d)
        Self.roundOne(&a, &b, &c, &d, words)
        Self.roundTwo(&a, &b, &c, &d, words)
        Self.roundThree(&a, &b, &c, &d, words)
        Self.roundFour(&a, &b, &c, &d, words)
        self.a &+= a
        self.b &+= b
        self.c &+= c
        self.d &+= d
    }

    @inline(__always)
    private static func roundOne(
        _ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32, _ d: inout UInt32, _ x: borrowing LittleEndianWords
    ) {
        f(&a, b, c, d, x[0], 7, 0xd76a_a478)
        f(&d, a, b, c, x[1], 12, 0xe8c7_b756)
        f(&c, d, a, b, x[2], 17, 0x2420_70db)
        f(&b, c, d, a, x[3], 22, 0xc1bd_ceee)
        f(&a, b, c, d, x[4], 7, 0xf57c_0faf)
        f(&d, a, b, c, x[5], 12, 0x4787_c62a)
        f(&c, d, a, b, x[6], 17, 0xa830_4613)
        f(&b, c, d, a, x[7], 22, 0xfd46_9501)
        f(&a, b, c, d, x[8], 7, 0x6980_98d8)
        f(&d, a, b, c, x[9], 12, 0x8b44_f7af)
        f(&c, d, a, b, x[10], 17, 0xffff_5bb1)
        f(&b, c, d, a, x[11], 22, 0x895c_d7be)
        f(&a, b, c, d, x[12], 7, 0x6b90_1122)
        f(&d, a, b, c, x[13], 12, 0xfd98_7193)
        f(&c, d, a, b, x[14], 17, 0xa679_438e)
        f(&b, c, d, a, x[15], 22, 0x49b4_0821)
    }

    @inline(__always)
    private static func roundTwo(
        _ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32, _ d: inout UInt32, _ x: borrowing LittleEndianWords
    ) {
        g(&a, b, c, d, x[1], 5, 0xf61e_2562)
        g(&d, a, b, c, x[6], 9, 0xc040_b340)
        g(&c, d, a, b, x[11], 14, 0x265e_5a51)
        g(&b, c, d, a, x[0], 20, 0xe9b6_c7aa)
        g(&a, b, c, d, x[5], 5, 0xd62f_105d)
        g(&d, a, b, c, x[10], 9, 0x0244_1453)
        g(&c, d, a, b, x[15], 14, 0xd8a1_e681)
        g(&b, c, d, a, x[4], 20, 0xe7d3_fbc8)
        g(&a, b, c, d, x[9], 5, 0x21e1_cde6)
        g(&d, a, b, c, x[14], 9, 0xc337_07d6)
        g(&c, d, a, b, x[3], 14, 0xf4d5_0d87)
        g(&b, c, d, a, x[8], 20, 0x455a_14ed)
        g(&a, b, c, d, x[13], 5, 0xa9e3_e905)
        g(&d, a, b, c, x[2], 9, 0xfcef_a3f8)
        g(&c, d, a, b, x[7], 14, 0x676f_02d9)
        g(&b, c, d, a, x[12], 20, 0x8d2a_4c8a)
    }

    @inline(__always)
    private static func roundThree(
        _ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32, _ d: inout UInt32, _ x: borrowing LittleEndianWords
    ) {
        h(&a, b, c, d, x[5], 4, 0xfffa_3942)
        h(&d, a, b, c, x[8], 11, 0x8771_f681)
        h(&c, d, a, b, x[11], 16, 0x6d9d_6122)
        h(&b, c, d, a, x[14], 23, 0xfde5_380c)
        h(&a, b, c, d, x[1], 4, 0xa4be_ea44)
        h(&d, a, b, c, x[4], 11, 0x4bde_cfa9)
        h(&c, d, a, b, x[7], 16, 0xf6bb_4b60)
        h(&b, c, d, a, x[10], 23, 0xbebf_bc70)
        h(&a, b, c, d, x[13], 4, 0x289b_7ec6)
        h(&d, a, b, c, x[0], 11, 0xeaa1_27fa)
        h(&c, d, a, b, x[3], 16, 0xd4ef_3085)
        h(&b, c, d, a, x[6], 23, 0x0488_1d05)
        h(&a, b, c, d, x[9], 4, 0xd9d4_d039)
        h(&d, a, b, c, x[12], 11, 0xe6db_99e5)
        h(&c, d, a, b, x[15], 16, 0x1fa2_7cf8)
        h(&b, c, d, a, x[2], 23, 0xc4ac_5665)
    }

    @inline(__always)
    private static func roundFour(
        _ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32, _ d: inout UInt32, _ x: borrowing LittleEndianWords
    ) {
        i(&a, b, c, d, x[0], 6, 0xf429_2244)
        i(&d, a, b, c, x[7], 10, 0x432a_ff97)
        i(&c, d, a, b, x[14], 15, 0xab94_23a7)
        i(&b, c, d, a, x[5], 21, 0xfc93_a039)
        i(&a, b, c, d, x[12], 6, 0x655b_59c3)
        i(&d, a, b, c, x[3], 10, 0x8f0c_cc92)
        i(&c, d, a, b, x[10], 15, 0xffef_f47d)
        i(&b, c, d, a, x[1], 21, 0x8584_5dd1)
        i(&a, b, c, d, x[8], 6, 0x6fa8_7e4f)
        i(&d, a, b, c, x[15], 10, 0xfe2c_e6e0)
        i(&c, d, a, b, x[6], 15, 0xa301_4314)
        i(&b, c, d, a, x[13], 21, 0x4e08_11a1)
        i(&a, b, c, d, x[4], 6, 0xf753_7e82)
        i(&d, a, b, c, x[11], 10, 0xbd3a_f235)
        i(&c, d, a, b, x[2], 15, 0x2ad7_d2bb)
        i(&b, c, d, a, x[9], 21, 0xeb86_d391)
    }

    @inline(__always)
    private static func f(
        _ a: inout UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ word: UInt32, _ turn: UInt32, _ constant: UInt32
    ) {
        let mixed: UInt32 = d ^ (b & (c ^ d))
        a = b &+ (a &+ mixed &+ word &+ constant).turnedLeft(by: turn)
    }

    @inline(__always)
    private static func g(
        _ a: inout UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ word: UInt32, _ turn: UInt32, _ constant: UInt32
    ) {
        let mixed: UInt32 = c ^ (d & (b ^ c))
        a = b &+ (a &+ mixed &+ word &+ constant).turnedLeft(by: turn)
    }

    @inline(__always)
    private static func h(
        _ a: inout UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ word: UInt32, _ turn: UInt32, _ constant: UInt32
    ) {
        let mixed: UInt32 = b ^ c ^ d
        a = b &+ (a &+ mixed &+ word &+ constant).turnedLeft(by: turn)
    }

    @inline(__always)
    private static func i(
        _ a: inout UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ word: UInt32, _ turn: UInt32, _ constant: UInt32
    ) {
        let mixed: UInt32 = c ^ (b | ~d)
        a = b &+ (a &+ mixed &+ word &+ constant).turnedLeft(by: turn)
    }
}
