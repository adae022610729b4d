import CPasswordHash
import Glibc

/// Stored password hashes of the `$scheme$...` kind: bcrypt, SHA-crypt, yescrypt and MD5-crypt by crypt(3), argon2 by its own library.
///
/// Slow on purpose, and allocating: for backend threads, never for a packet thread. Any thread may call.
public enum PasswordHash {
    /// The families that verify.
    public enum Scheme: Sendable, CaseIterable {
        case bcrypt, sha256Crypt, sha512Crypt, yescrypt, md5Crypt, argon2d, argon2i, argon2id
    }

    /// Why a stored hash, or a password, could not be compared.
    public enum Reason: Sendable {
        /// No prefix that `Scheme` names.
        case unknownScheme
        /// The prefix is known, the rest does not parse.
        case malformed
        /// It asks for more work or memory than `limits` allow; a stored value must not be able to stop the server.
        case tooCostly
        /// crypt(3) ends a password at NUL, so that one with NUL inside must not be tried.
        case passwordContainsNUL
        /// Longer than crypt(3) takes: 511 octets.
        case passwordTooLong
        /// No memory for the work the hash asks for.
        case outOfMemory
    }

    /// What a comparison found.
    public enum Outcome: Sendable, Equatable {
        case matches, differs
        case unusable(Reason)
    }

    /// The family of a stored hash, by its prefix; nil when there is none.
    public static func scheme(of stored: Span<UInt8>) -> Scheme? {
        let text = StoredHash(stored)
        return Scheme.allCases.first { scheme in scheme.prefixes.contains { text.begins(with: $0) } }
    }

    /// Compares a password with a stored hash.
    public static func verify(_ password: Span<UInt8>, against stored: Span<UInt8>) -> Outcome {
        guard let scheme = scheme(of: stored) else { return .unusable(.unknownScheme) }
        let text = StoredHash(stored)
        guard let cost = text.cost(of: scheme) else { return .unusable(.malformed) }
        guard cost.isBearable else { return .unusable(.tooCostly) }
        switch scheme {
        case .argon2d: return verifyArgon2(password, text, Argon2_d)
        case .argon2i: return verifyArgon2(password, text, Argon2_i)
        case .argon2id: return verifyArgon2(password, text, Argon2_id)
        case .bcrypt, .sha256Crypt, .sha512Crypt, .yescrypt, .md5Crypt: return verifyCrypt(password, text)
        }
    }

    /// Makes an argon2id hash with a random salt of 16 octets: 19 MiB, two passes, one lane.
    ///
    /// - Returns: the encoded hash, ASCII; nil when there is no memory for it.
    public static func createArgon2id(_ password: Span<UInt8>) -> [UInt8]? {
        var generator = SystemRandomNumberGenerator()
        let salt = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
        var encoded = [CChar](repeating: 0, count: 128)
        let result = password.withUnsafeBytes { clear in
            argon2id_hash_encoded(
                2, 19 * 1024, 1, clear.baseAddress, clear.count, salt, salt.count, 32, &encoded, encoded.count)
        }
        guard result == ARGON2_OK.rawValue else { return nil }
        return encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    }

    private static func verifyArgon2(_ password: Span<UInt8>, _ stored: StoredHash, _ type: argon2_type) -> Outcome {
        let result = password.withUnsafeBytes { clear in
            argon2_verify(stored.terminated, clear.baseAddress, clear.count, type)
        }
        switch result {
        case ARGON2_OK.rawValue: return .matches
        case ARGON2_VERIFY_MISMATCH.rawValue: return .differs
        case ARGON2_MEMORY_ALLOCATION_ERROR.rawValue, ARGON2_THREAD_FAIL.rawValue: return .unusable(.outOfMemory)
        default: return .unusable(.malformed)
        }
    }

    private static func verifyCrypt(_ password: Span<UInt8>, _ stored: StoredHash) -> Outcome {
        guard password.count < Int(CRYPT_MAX_PASSPHRASE_SIZE) else { return .unusable(.passwordTooLong) }
        var phrase: [CChar] = []
        phrase.reserveCapacity(password.count + 1)
        for i in password.indices { phrase.append(CChar(bitPattern: password[i])) }
        guard !phrase.contains(0) else { return .unusable(.passwordContainsNUL) }
        phrase.append(0)
        let count = MemoryLayout<crypt_data>.size
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 16)
        scratch.initializeMemory(as: UInt8.self, repeating: 0, count: count)
        defer {
            explicit_bzero(scratch, count)
            for i in phrase.indices { phrase[i] = 0 }
            scratch.deallocate()
        }
        guard let computed = crypt_rn(phrase, stored.terminated, scratch, Int32(count)) else {
            return .unusable(errno == ENOMEM ? .outOfMemory : .malformed)
        }
        let result = UnsafeRawBufferPointer(start: computed, count: strlen(computed))
        let same = ConstantTime.equal(result.bindMemory(to: UInt8.self).span, stored.octets.span)
        return same ? .matches : .differs
    }
}
