public import RadiusCore

/// Why a secret could not be sealed or opened. Never carries the secret.
public struct SecretError: Error, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }

    static let malformed = SecretError("a sealed secret in the database is malformed")

    static func missing(key number: UInt32) -> SecretError {
        SecretError("a secret is sealed with key \(number), which the key file lacks; put back the key file it was sealed with")
    }

    static func wrong(key number: UInt32) -> SecretError {
        SecretError("a secret does not open with key \(number); the key file or the database was replaced")
    }
}

/// Seals secrets (RADIUS passwords, shared secrets) for the database with a key that the database does not have.
///
/// AES-256-GCM. Sealed octets: version 1, key number (4 octets), nonce 12, cipher text, tag 16. Safe from any thread.
public struct SecretBox: Sendable {
    static let version: UInt8 = 1
    static let headerCount = 5
    /// By number; the highest number seals, all open.
    private let keys: [UInt32: [UInt8]]
    private let newest: UInt32

    init(keys: [UInt32: [UInt8]]) throws {
        guard let newest = keys.keys.max() else { throw SecretError("the key file holds no key") }
        self.keys = keys
        self.newest = newest
    }

    public func seal(_ clear: [UInt8]) throws -> [UInt8] {
        guard let key = keys[newest] else { throw SecretError("the newest key is missing") }
        let header = [Self.version] + Self.octets(of: newest)
        let nonce = (0..<AES256GCM.nonceCount).map { _ in UInt8.random(in: .min ... .max) }
        guard let sealed = AES256GCM.seal(clear, key: key, nonce: nonce, header: header) else {
            throw SecretError("the secret could not be sealed")
        }
        return header + sealed
    }

    public func open(_ sealed: [UInt8]) throws -> [UInt8] {
        let opener = opener()
        return try sealed.withUnsafeBytes { Array(try opener.open($0)) }
    }

    /// Something that opens many secrets one after the other, faster than `open`.
    func opener() -> SecretOpener {
        SecretOpener(keys)
    }

    /// The marks of NAS that all nodes with these keys make and read alike; a newer key makes new ones and reads those of before.
    public var operatorNASIdentifiers: OperatorNASIdentifiers {
        OperatorNASIdentifiers(secrets: keys.sorted { $0.key > $1.key }.map(\.value))
    }

    /// Whether `sealed` was made with the newest key.
    public func isCurrent(_ sealed: [UInt8]) -> Bool {
        sealed.count > Self.headerCount && Array(sealed[1..<Self.headerCount]) == Self.octets(of: newest)
    }

    private static func octets(of number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}
