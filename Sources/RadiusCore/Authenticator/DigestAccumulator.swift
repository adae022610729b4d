/// A digest of 16 octets: MD4, MD5, HMAC-MD5, and every RADIUS authenticator.
public typealias Digest16 = InlineArray<16, UInt8>

/// A digest of 20 octets: SHA-1.
public typealias Digest20 = InlineArray<20, UInt8>

/// The state between two 64-octet blocks of a digest of the MD4 family.
protocol ChainingValue: Sendable {
    /// The value before the first block.
    init()

    /// Takes in the 64 octets of `bytes` that begin at `offset`; the caller has checked that they are there.
    mutating func compress(_ bytes: RawSpan, at offset: Int)

    /// Whether the count of bits that ends the message stands highest octet first.
    static var countIsBigEndian: Bool { get }
}

/// Cuts a message into 64-octet blocks and ends it with the padding that MD4, MD5 and SHA-1 share (RFC 1320 §3.1, RFC 3174 §4).
///
/// A small value: a copy made after some octets is a midstate that later messages may start from. Never allocates.
struct DigestAccumulator<Chain: ChainingValue>: Sendable {
    private(set) var chain: Chain
    private var pending = InlineArray<64, UInt8>(repeating: 0)
    private var octets: UInt64

    /// Begins a message, or resumes one whose first `octets` octets (a multiple of 64) made `chain`.
    init(resuming chain: Chain = Chain(), after octets: UInt64 = 0) {
        self.chain = chain
        self.octets = octets
    }

    mutating func update(_ input: Span<UInt8>) {
        let held = Int(truncatingIfNeeded: octets & 63)
        octets &+= UInt64(truncatingIfNeeded: input.count)
        var taken = 0
        if held > 0 {
            taken = min(64 &- held, input.count)
            hold(input, from: 0, count: taken, at: held)
            if held &+ taken < 64 { return }
            compressPending()
        }
        let bytes = input.bytes
        while input.count &- taken >= 64 {
            chain.compress(bytes, at: taken)
            taken &+= 64
        }
        hold(input, from: taken, count: input.count &- taken, at: 0)
    }

    /// Pads, takes in the count of bits, and returns the chaining value. The accumulator may not be used afterwards.
    mutating func finish() -> Chain {
        let bits = octets &* 8
        let held = Int(truncatingIfNeeded: octets & 63)
        let ordered = Chain.countIsBigEndian ? bits.bigEndian : bits.littleEndian
        withUnsafeMutableBytes(of: &pending) { block in
            block[held] = 0x80
            for i in (held &+ 1)..<64 { block[i] = 0 }
        }
        if held > 55 {
            compressPending()
            pending = InlineArray(repeating: 0)
        }
        withUnsafeMutableBytes(of: &pending) { $0.storeBytes(of: ordered, toByteOffset: 56, as: UInt64.self) }
        compressPending()
        return chain
    }

    private mutating func compressPending() {
        chain.compress(pending.span.bytes, at: 0)
    }

    private mutating func hold(_ input: Span<UInt8>, from start: Int, count: Int, at position: Int) {
        guard count > 0 else { return }
        input.withUnsafeBytes { source in
            withUnsafeMutableBytes(of: &pending) { block in
                let wanted = UnsafeRawBufferPointer(rebasing: source[start..<(start &+ count)])
                UnsafeMutableRawBufferPointer(rebasing: block[position..<(position &+ count)]).copyMemory(from: wanted)
            }
        }
    }
}

/// Reads the 32-bit words of a block, lowest octet first (RFC 1321 §2).
struct LittleEndianWords: ~Escapable {
    private let bytes: RawSpan
    private let offset: Int

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan, at offset: Int) {
        precondition(offset >= 0 && bytes.byteCount >= 64 && offset <= bytes.byteCount &- 64)
        self.bytes = bytes
        self.offset = offset
    }

    /// The word `index`, 0...15.
    @inline(__always)
    subscript(index: Int) -> UInt32 {
        UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset &+ index &* 4, as: UInt32.self))
    }
}

extension UInt32 {
    /// The word turned left by `count` bits, 1...31.
    @inline(__always)
    func turnedLeft(by count: UInt32) -> UInt32 { (self &<< count) | (self &>> (32 &- count)) }
}

extension InlineArray where count == 16, Element == UInt8 {
    /// The four words of an MD4 or MD5 state as octets, lowest first.
    @inline(__always)
    init(words a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32) {
        self.init(repeating: 0)
        withUnsafeMutableBytes(of: &self) { octets in
            octets.storeBytes(of: a.littleEndian, toByteOffset: 0, as: UInt32.self)
            octets.storeBytes(of: b.littleEndian, toByteOffset: 4, as: UInt32.self)
            octets.storeBytes(of: c.littleEndian, toByteOffset: 8, as: UInt32.self)
            octets.storeBytes(of: d.littleEndian, toByteOffset: 12, as: UInt32.self)
        }
    }
}
