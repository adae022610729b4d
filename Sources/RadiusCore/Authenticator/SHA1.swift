internal import CLinux

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

/// The five words that SHA-1 carries from block to block (RFC 3174 §6.1). Blocks are taken in by C, which has the processor's own
/// instructions for it.
struct SHA1Chain: ChainingValue {
    private var words: (UInt32, UInt32, UInt32, UInt32, UInt32) = (0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0)

    var a: UInt32 { words.0 }
    var b: UInt32 { words.1 }
    var c: UInt32 { words.2 }
    var d: UInt32 { words.3 }
    var e: UInt32 { words.4 }

    static var countIsBigEndian: Bool { true }

    mutating func compress(_ bytes: RawSpan, at offset: Int) {
        precondition(offset >= 0 && bytes.byteCount >= 64 && offset <= bytes.byteCount &- 64)
        bytes.withUnsafeBytes { octets in
            guard let start = octets.baseAddress else { return }
            withUnsafeMutableBytes(of: &words) { state in
                lm_sha1_blocks(
                    state.assumingMemoryBound(to: UInt32.self).baseAddress, (start + offset).assumingMemoryBound(to: UInt8.self), 1)
            }
        }
    }
}
