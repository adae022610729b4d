internal import CLinux
import Glibc

/// An MD5 state as the lanes take it: four words.
struct MD5State: BitwiseCopyable, Sendable {
    var a: UInt32
    var b: UInt32
    var c: UInt32
    var d: UInt32

    /// MD5's beginning (RFC 1321 §3.3).
    static let beginning = MD5State(MD5Chain())

    init(_ chain: MD5Chain) {
        a = chain.a
        b = chain.b
        c = chain.c
        d = chain.d
    }
}

/// What is computed once of a shared secret, as plain octets for the packet path. Valid while its `SharedSecret` is alive.
struct SecretRow: BitwiseCopyable, @unchecked Sendable {
    // Guard: the memory belongs to the secret and is never written again.
    /// HMAC-MD5 after its inner and its outer key block.
    let inner: MD5State
    let outer: MD5State
    /// The secret itself.
    let octets: UnsafePointer<UInt8>
    let count: Int
    /// MD5 after the secret's whole blocks.
    let padState: MD5State
    /// The rest of a message "secret, 16 octets", its end written already, in `padBlocks` blocks; the 16 octets stand at `padOffset`.
    let padRest: UnsafePointer<UInt8>
    let padOffset: Int
    let padBlocks: Int

    /// Two blocks hold the longest rest: 63 octets, the 16, and nine of ending.
    static let padCapacity = 128

    /// Makes the job that digests the secret and the 16 octets at `seed`; the `padCapacity` octets of `scratch` live until it is done.
    @inline(__always)
    func padJob(_ seed: UnsafePointer<UInt8>, _ scratch: UnsafeMutablePointer<UInt8>) -> lm_md5_job {
        memcpy(scratch, padRest, padBlocks == 1 ? 64 : Self.padCapacity)
        memcpy(scratch + padOffset, seed, 16)
        return lm_md5_job(padState, scratch, padBlocks)
    }
}

extension lm_md5_job {
    @inline(__always)
    init(_ state: MD5State, _ blocks: UnsafePointer<UInt8>, _ count: Int) {
        self.init(blocks: blocks, count: UInt32(truncatingIfNeeded: count), state: (state.a, state.b, state.c, state.d))
    }

    /// Stores the digest.
    @inline(__always)
    func store(to place: UnsafeMutablePointer<UInt8>) {
        let out = UnsafeMutableRawPointer(place)
        out.storeBytes(of: state.0.littleEndian, toByteOffset: 0, as: UInt32.self)
        out.storeBytes(of: state.1.littleEndian, toByteOffset: 4, as: UInt32.self)
        out.storeBytes(of: state.2.littleEndian, toByteOffset: 8, as: UInt32.self)
        out.storeBytes(of: state.3.littleEndian, toByteOffset: 12, as: UInt32.self)
    }

    /// Whether the digest is what stands at `place`; constant time.
    @inline(__always)
    func matches(_ place: UnsafePointer<UInt8>) -> Bool {
        let wanted = UnsafeRawPointer(place)
        let first = wanted.loadUnaligned(as: UInt64.self) ^ (UInt64(state.0) | UInt64(state.1) &<< 32).littleEndian
        let second = wanted.loadUnaligned(fromByteOffset: 8, as: UInt64.self) ^ (UInt64(state.2) | UInt64(state.3) &<< 32).littleEndian
        return first | second == 0
    }
}
