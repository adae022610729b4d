internal import CLinux
import Glibc

/// A client's shared secret with everything that can be computed once (RFC 2865 §3).
///
/// Immutable, so that any thread may use it.
public final class SharedSecret: @unchecked Sendable {
    // Guard: the memory behind `row` is written only while the secret is made.
    /// The secret as configured; any octets. RFC 2865 §3 forbids an empty one: whoever reads the configuration refuses it.
    public let bytes: [UInt8]

    /// The secret as the key of Message-Authenticator.
    let hmacKey: HMACMD5.Key

    /// MD5 after the secret, where the pads of User-Password and of salted values begin.
    let absorbed: MD5

    /// The same for the packet path.
    let row: SecretRow
    private let memory: UnsafeMutablePointer<UInt8>

    /// That of every RADIUS/TLS connection (RFC 6614 §2.3): it protects nothing.
    public static let ofTLS = SharedSecret(Array("radsec".utf8))
    /// That of every RADIUS/DTLS connection (RFC 7360 §2.1).
    public static let ofDTLS = SharedSecret(Array("radius/dtls".utf8))

    /// Prepares a secret for use.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        let key = HMACMD5.Key(bytes.span)
        hmacKey = key
        var digest = MD5()
        digest.update(bytes.span)
        absorbed = digest
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: SecretRow.padCapacity + bytes.count)
        self.memory = memory
        row = Self.makeRow(bytes, key, memory)
    }

    deinit { memory.deallocate() }

    private static func makeRow(_ bytes: [UInt8], _ key: HMACMD5.Key, _ memory: UnsafeMutablePointer<UInt8>) -> SecretRow {
        let copy = memory + SecretRow.padCapacity
        for (position, octet) in bytes.enumerated() { copy[position] = octet }
        let whole = bytes.count & ~63
        let rest = bytes.count - whole
        memory.initialize(repeating: 0, count: SecretRow.padCapacity)
        for position in 0..<rest { memory[position] = bytes[whole + position] }
        let blocks = lm_md5_end(memory + rest + 16, UInt32(rest + 16), UInt64(bytes.count + 16))
        var job = lm_md5_job(.beginning, copy, whole / 64)
        lm_md5_many(&job, 1)
        var state = MD5State.beginning
        (state.a, state.b, state.c, state.d) = job.state
        return SecretRow(
            inner: MD5State(key.inner), outer: MD5State(key.outer), octets: UnsafePointer(copy), count: bytes.count, padState: state,
            padRest: UnsafePointer(memory), padOffset: rest, padBlocks: Int(blocks))
    }
}

extension MD5 {
    /// Appends a shared secret to the message.
    mutating func update(_ secret: SharedSecret) {
        secret.bytes.withUnsafeBufferPointer { update($0.span) }
    }
}
