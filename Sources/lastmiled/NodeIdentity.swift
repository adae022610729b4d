import FoundationEssentials
import Glibc

/// The name under which this node's journal is known in the database; made once, and kept with the journal.
enum NodeIdentity {
    static func read(_ state: StateDirectory) throws -> String {
        let path = state.journal + "/node.id"
        if access(path, F_OK) == 0 {
            let stored = try? String(contentsOfFile: path, encoding: .utf8)
            let name = stored?.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
            if name.utf8.count >= 8 { return name }
            // Under another name its records would be shipped again. An empty file was never a name: a daemon died while it made it.
            guard stored == "" else {
                throw StartFailure("\(path) cannot be read as the name of this node's journal; put the file back as it was")
            }
        }
        var host = [CChar](repeating: 0, count: 64)
        gethostname(&host, host.count - 1)
        let name = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let made =
            name.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") } + "-"
            + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        try store(made + "\n", path)
        return made
    }

    /// Whole or not at all: a daemon that is killed meanwhile leaves nothing under the name. The journal's lock keeps others away.
    private static func store(_ line: String, _ path: String) throws {
        let draft = path + ".new"
        let file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw StartFailure("cannot write \(draft): \(String(cString: strerror(errno)))") }
        let octets = Array(line.utf8)
        let isWritten = write(file, octets, octets.count) == octets.count && fsync(file) == 0
        close(file)
        guard isWritten, rename(draft, path) == 0 else { throw StartFailure("cannot write \(path): \(String(cString: strerror(errno)))") }
    }
}
