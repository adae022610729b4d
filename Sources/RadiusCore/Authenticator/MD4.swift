/// MD4 (RFC 1320), which makes the NT hash of MS-CHAP (RFC 2433 §A.6, RFC 2759 §8.3).
///
/// Broken for every other use; OpenSSL 3 no longer offers it by default. A small value that never allocates.
public struct MD4: Sendable {
    private var accumulator = DigestAccumulator<MD4Chain>()

    /// Begins an empty message.
    public init() {}

    /// Appends octets to the message.
    public mutating func update(_ input: Span<UInt8>) { accumulator.update(input) }

    /// Ends the message and returns its digest. Call once.
    public mutating func finish() -> Digest16 {
        let chain = accumulator.finish()
        return Digest16(words: chain.a, chain.b, chain.c, chain.d)
    }
}

/// The four words that MD4 carries from block to block (RFC 1320 §3.3).
struct MD4Chain: ChainingValue {
    private(set) var a: UInt32 = 0x6745_2301
    private(set) var b: UInt32 = 0xefcd_ab89
    private(set) var c: UInt32 = 0x98ba_dcfe
    private(set) var d: UInt32 = 0x1032_5476

    static var countIsBigEndian: Bool { false }

    mutating func compress(_ bytes: RawSpan, at offset: Int) {
        let words = LittleEndianWords(bytes, at: offset)
        let before = self
        for row in 0..<4 { chooseFour(words, row &* 4) }
        for column in 0..<4 { majorityOfFour(words, column) }
        parityOfFour(words, 0)
        parityOfFour(words, 2)
        parityOfFour(words, 1)
        parityOfFour(words, 3)
        a &+= before.a
        b &+= before.b
        c &+= before.c
        d &+= before.d
    }

    /// Four steps of round 1.
    @inline(__always)
    private mutating func chooseFour(_ x: borrowing LittleEndianWords, _ first: Int) {
        a = (a &+ Self.choose(b, c, d) &+ x[first]).turnedLeft(by: 3)
        d = (d &+ Self.choose(a, b, c) &+ x[first &+ 1]).turnedLeft(by: 7)
        c = (c &+ Self.choose(d, a, b) &+ x[first &+ 2]).turnedLeft(by: 11)
        b = (b &+ Self.choose(c, d, a) &+ x[first &+ 3]).turnedLeft(by: 19)
    }

    /// Four steps of round 2.
    @inline(__always)
    private mutating func majorityOfFour(_ x: borrowing LittleEndianWords, _ first: Int) {
        let root: UInt32 = 0x5a82_7999
        a = (a &+ Self.majority(b, c, d) &+ x[first] &+ root).turnedLeft(by: 3)
        d = (d &+ Self.majority(a, b, c) &+ x[first &+ 4] &+ root).turnedLeft(by: 5)
        c = (c &+ Self.majority(d, a, b) &+ x[first &+ 8] &+ root).turnedLeft(by: 9)
        b = (b &+ Self.majority(c, d, a) &+ x[first &+ 12] &+ root).turnedLeft(by: 13)
    }

    /// Four steps of round 3.
    @inline(__always)
    private mutating func parityOfFour(_ x: borrowing LittleEndianWords, _ first: Int) {
        let root: UInt32 = 0x6ed9_eba1
        a = (a &+ (b ^ c ^ d) &+ x[first] &+ root).turnedLeft(by: 3)
        d = (d &+ (a ^ b ^ c) &+ x[first &+ 8] &+ root).turnedLeft(by: 9)
        c = (c &+ (d ^ a ^ b) &+ x[first &+ 4] &+ root).turnedLeft(by: 11)
        b = (b &+ (c ^ d ^ a) &+ x[first &+ 12] &+ root).turnedLeft(by: 15)
    }

    @inline(__always)
    private static func choose(_ x: UInt32, _ y: UInt32, _ z: UInt32) -> UInt32 { z ^ (x & (y ^ z)) }

    @inline(__always)
    private static func majority(_ x: UInt32, _ y: UInt32, _ z: UInt32) -> UInt32 { (x & y) | (z & (x | y)) }
}
