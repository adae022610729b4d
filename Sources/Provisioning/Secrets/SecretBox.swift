import Crypto
import Glibc

/// Why a secret could not be sealed or opened. Never carries the secret.
public struct SecretError: Error, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}

/// Seals secrets (RADIUS passwords, shared secrets) for the database with a key that the database does not have.
///
/// AES-256-GCM. Sealed octets: version 1, key number (4 octets), nonce 12, cipher text, tag 16. Safe from any thread.
public struct SecretBox: Sendable {
    private static let version: UInt8 = 1
    private static let headerCount = 5
    /// By number; the highest number seals, all open.
    private let keys: [UInt32: SymmetricKey]
    private let newest: UInt32

    init(keys: [UInt32: SymmetricKey]) throws {
        guard let newest = keys.keys.max() else { throw SecretError("the key file holds no key") }
        self.keys = keys
        self.newest = newest
    }

    public func seal(_ clear: [UInt8]) throws -> [UInt8] {
        guard let key = keys[newest] else { throw SecretError("the newest key is missing") }
        let header = [Self.version] + Self.octets(of: newest)
        guard let sealed = try AES.GCM.seal(clear, using: key, authenticating: header).combined else {
            throw SecretError("the secret could not be sealed")
        }
        return header + sealed
    }

    public func open(_ sealed: [UInt8]) throws -> [UInt8] {
        guard sealed.count >= Self.headerCount + 28, sealed[0] == Self.version else {
            throw SecretError("a sealed secret in the database is malformed")
        }
        let number = sealed[1..<Self.headerCount].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard let key = keys[number] else {
            throw SecretError("a secret is sealed with key \(number), which the key file lacks; put back the key file it was sealed with")
        }
        do {
            let box = try AES.GCM.SealedBox(combined: sealed[Self.headerCount...])
            return Array(try AES.GCM.open(box, using: key, authenticating: sealed[..<Self.headerCount]))
        } catch {
            throw SecretError("a secret does not open with key \(number); the key file or the database was replaced")
        }
    }

    /// Whether `sealed` was made with the newest key.
    public func isCurrent(_ sealed: [UInt8]) -> Bool {
        sealed.count > Self.headerCount && Array(sealed[1..<Self.headerCount]) == Self.octets(of: newest)
    }

    private static func octets(of number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}
