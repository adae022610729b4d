import Glibc
import RadiusCore

/// The keys of a `SecretBox` in a file that only its owner may read: one `number hex` a line, 64 hex digits; empty lines count for
/// nothing.
public enum KeyFile {
    /// Opens the box at `path`; makes the file with a first key when it does not exist.
    ///
    /// - Throws: `SecretError` that names the file and the line.
    public static func open(path: String) throws -> SecretBox {
        if access(path, F_OK) != 0 { try create(path) }
        let keys = try read(path)
        guard !keys.isEmpty else { throw SecretError("the key file \(path) holds no key; put back the file that sealed the secrets") }
        return try SecretBox(keys: keys)
    }

    /// Adds a newer key; what is sealed from now on is sealed with it.
    ///
    /// - Returns: the new key's number.
    @discardableResult
    public static func rotate(path: String) throws -> UInt32 {
        let newest = try read(path).keys.max() ?? 0
        guard newest < .max else { throw SecretError("the key file \(path): no number is left above \(newest)") }
        try append(line(newest + 1), to: path)
        return newest + 1
    }

    private static func read(_ path: String) throws -> [UInt32: [UInt8]] {
        guard let file = fopen(path, "re") else { throw problem("cannot read", path) }
        defer { fclose(file) }
        var status = stat()
        guard fstat(fileno(file), &status) == 0, status.st_mode & 0o077 == 0 else {
            throw SecretError("the key file \(path) can be read by others; run: chmod 600 \(path)")
        }
        var keys: [UInt32: [UInt8]] = [:]
        var buffer = [CChar](repeating: 0, count: 256)
        var line = 0
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            line += 1
            let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let words = text.split(whereSeparator: \.isWhitespace)
            if words.isEmpty { continue }
            guard words.count == 2, let number = UInt32(words[0]), let octets = Hexadecimal.octets(words[1].utf8),
                octets.count == AES256GCM.keyCount
            else {
                throw SecretError("the key file \(path), line \(line): expected a number and 64 hex digits")
            }
            guard keys.updateValue(octets, forKey: number) == nil else {
                throw SecretError("the key file \(path), line \(line): key \(number) stands there twice; remove the wrong one")
            }
        }
        guard ferror(file) == 0 else { throw problem("cannot read", path) }
        return keys
    }

    /// Makes the file with a first key. Whole or not at all, and durable before anything is sealed with it; when two processes make
    /// it at once, both use the first one's.
    private static func create(_ path: String) throws {
        var template = Array("\(path).XXXXXX".utf8CString)
        let file = mkstemp(&template)
        guard file >= 0 else { throw problem("cannot write", path) }
        close(file)
        let draft = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(draft) }
        try append(line(1), to: draft)
        guard link(draft, path) == 0 || errno == EEXIST else { throw problem("cannot write", path) }
        try sync(directoryOf: path)
    }

    private static func line(_ number: UInt32) -> String {
        "\(number) \(Hexadecimal.text((0..<AES256GCM.keyCount).map { _ in UInt8.random(in: .min ... .max) }))\n"
    }

    private static func append(_ line: String, to path: String) throws {
        let file = Glibc.open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw problem("cannot write", path) }
        defer { close(file) }
        // An editor may have left the last line without its end.
        var last = UInt8(ascii: "\n")
        let end = lseek(file, 0, SEEK_END)
        if end > 0 { _ = pread(file, &last, 1, end - 1) }
        let octets = Array((last == UInt8(ascii: "\n") ? line : "\n" + line).utf8)
        guard write(file, octets, octets.count) == octets.count, fsync(file) == 0 else { throw problem("cannot write", path) }
    }

    private static func sync(directoryOf path: String) throws {
        let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let directory = Glibc.open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw problem("cannot write the directory of", path) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw problem("cannot write the directory of", path) }
    }

    private static func problem(_ what: String, _ path: String) -> SecretError {
        SecretError("\(what) the key file \(path): \(String(cString: strerror(errno)))")
    }
}
