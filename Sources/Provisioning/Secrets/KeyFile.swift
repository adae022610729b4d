import Crypto
import Glibc

/// The keys of a `SecretBox` in a file that only its owner may read: one `number hex` a line, 64 hex digits.
public enum KeyFile {
    /// Opens the box at `path`; makes the file with a first key when it does not exist.
    ///
    /// - Throws: `SecretError` that names the file and the line.
    public static func open(path: String) throws -> SecretBox {
        if access(path, F_OK) != 0 {
            try append(SymmetricKey(size: .bits256), number: 1, to: path)
        }
        return try SecretBox(keys: try read(path))
    }

    /// Adds a newer key; what is sealed from now on is sealed with it.
    ///
    /// - Returns: the new key's number.
    @discardableResult
    public static func rotate(path: String) throws -> UInt32 {
        let next = (try read(path).keys.max() ?? 0) + 1
        try append(SymmetricKey(size: .bits256), number: next, to: path)
        return next
    }

    private static func read(_ path: String) throws -> [UInt32: SymmetricKey] {
        guard let file = fopen(path, "r") else { throw problem("cannot read", path) }
        defer { fclose(file) }
        var status = stat()
        guard fstat(fileno(file), &status) == 0, status.st_mode & 0o077 == 0 else {
            throw SecretError("the key file \(path) can be read by others; run: chmod 600 \(path)")
        }
        var keys: [UInt32: SymmetricKey] = [:]
        var buffer = [CChar](repeating: 0, count: 256)
        var line = 0
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            line += 1
            let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let words = text.split(whereSeparator: \.isWhitespace)
            guard words.count == 2, let number = UInt32(words[0]), let octets = octets(hex: words[1]), octets.count == 32 else {
                throw SecretError("the key file \(path), line \(line): expected a number and 64 hex digits")
            }
            keys[number] = SymmetricKey(data: octets)
        }
        return keys
    }

    private static func append(_ key: SymmetricKey, number: UInt32, to path: String) throws {
        let file = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw problem("cannot write", path) }
        defer { close(file) }
        let digits = key.withUnsafeBytes { octets in octets.map { hex($0) }.joined() }
        let line = Array("\(number) \(digits)\n".utf8)
        guard write(file, line, line.count) == line.count, fsync(file) == 0 else { throw problem("cannot write", path) }
    }

    private static func problem(_ what: String, _ path: String) -> SecretError {
        SecretError("\(what) the key file \(path): \(String(cString: strerror(errno)))")
    }

    private static func hex(_ octet: UInt8) -> String {
        let text = String(octet, radix: 16)
        return octet < 16 ? "0" + text : text
    }

    private static func octets(hex digits: Substring) -> [UInt8]? {
        let values = digits.utf8.map { Character(Unicode.Scalar($0)).hexDigitValue }
        guard values.count.isMultiple(of: 2), !values.contains(nil) else { return nil }
        let nibbles = values.compactMap { $0 }
        return stride(from: 0, to: nibbles.count, by: 2).map { UInt8(nibbles[$0] << 4 | nibbles[$0 + 1]) }
    }
}
