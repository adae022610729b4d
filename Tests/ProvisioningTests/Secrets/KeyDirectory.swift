import Glibc
import Provisioning
import Support

/// A key file in a directory of its own, gone with the last reference to it.
final class KeyDirectory {
    let directory: String
    var path: String { directory + "/secrets.key" }

    init() throws {
        directory = try PostgresFixture.temporaryDirectory()
    }

    deinit {
        unlink(path)
        rmdir(directory)
    }

    func box() throws -> SecretBox { try KeyFile.open(path: path) }

    /// Writes the file as an operator might; `mode` is the file's.
    func write(_ text: String, mode: mode_t = 0o600) throws {
        guard let file = fopen(path, "w") else { throw SecretError("cannot write \(path)") }
        fputs(text, file)
        fclose(file)
        chmod(path, mode)
    }

    func text() -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// Names in the directory.
    func names() -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// What opening the file says is wrong; empty when nothing is.
    func complaint(_ body: (String) throws -> Void = { _ = try KeyFile.open(path: $0) }) -> String {
        do {
            try body(path)
            return ""
        } catch {
            return "\(error)"
        }
    }
}
