import Glibc

@testable import RadiusCore

/// A directory of dictionary files, gone with the last reference to it.
final class DictionaryDirectory {
    struct Failure: Error {
        let step: String
        let code: Int32
    }

    let path: String

    init() throws {
        var template = Array("/tmp/dictionary-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(step: "mkdtemp", code: errno) }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        Self.remove(path)
    }

    /// The names in the directory at `path`, but for itself and its parent.
    static func entries(of path: String) throws -> [String] {
        guard let stream = opendir(path) else { throw Failure(step: path, code: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    private static func remove(_ path: String) {
        if unlink(path) == 0 { return }
        for name in (try? entries(of: path)) ?? [] { remove("\(path)/\(name)") }
        rmdir(path)
    }

    func file(_ name: String) -> String {
        "\(path)/\(name)"
    }

    func write(_ name: String, _ text: String, mode: mode_t = 0o644) throws {
        let descriptor = open(file(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw Failure(step: "open", code: errno) }
        defer { close(descriptor) }
        let octets = Array(text.utf8)
        guard Glibc.write(descriptor, octets, octets.count) == octets.count else { throw Failure(step: "write", code: errno) }
        guard fchmod(descriptor, mode) == 0 else { throw Failure(step: "fchmod", code: errno) }
    }

    /// Writes `text` as the root file and loads it.
    func load(_ text: String) throws -> RadiusDictionary {
        try write("dictionary", text)
        return try RadiusDictionary.load(path: file("dictionary"))
    }

    /// The error that `text` as the root file gives; nil when it loads.
    func refusal(of text: String) throws -> DictionaryError? {
        try write("dictionary", text)
        do throws(DictionaryError) {
            _ = try RadiusDictionary.load(path: file("dictionary"))
            return nil
        } catch {
            return error
        }
    }
}
