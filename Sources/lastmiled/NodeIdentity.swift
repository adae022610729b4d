import FoundationEssentials
import Glibc

/// The name under which this node's journal is known in the database; made once, and kept with the journal.
enum NodeIdentity {
    static func read(_ state: StateDirectory) throws -> String {
        let path = state.journal + "/node.id"
        if let stored = try? String(contentsOfFile: path, encoding: .utf8) {
            let name = stored.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
            if name.utf8.count >= 8 { return name }
        }
        var host = [CChar](repeating: 0, count: 64)
        gethostname(&host, host.count - 1)
        let name = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let made =
            name.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") } + "-"
            + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw StartFailure("cannot write \(path): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        let line = Array((made + "\n").utf8)
        guard write(file, line, line.count) == line.count, fsync(file) == 0 else { throw StartFailure("cannot write \(path)") }
        return made
    }
}
