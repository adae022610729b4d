import FreeRADIUSImport
import Glibc

/// The files that the command names, read into one source.
struct SourceFiles {
    let dumps: [String]
    let users: [String]
    let clients: [String]
    let dialect: SQLDialect?
    /// Dumps may lack their tool's end, and tables that belong together.
    var takesParts = false

    /// Octets of a users or clients file, at most.
    private static let fileLimit = 256 << 20

    func read() throws -> FreeRADIUSSource {
        var source = FreeRADIUSSource()
        for path in users { source = try usersFile(path, source) }
        for path in dumps { source = try dump(path, source) }
        let missing = source.missingTables
        guard takesParts || missing.isEmpty else {
            throw CommandFailure.usage(
                "no dump has \(missing.joined(separator: ", ")): users would come without what stands there",
                next: "Nothing was changed. Dump these tables, too. Where there is nothing in them: --partial.")
        }
        for path in clients { source = try clientsFile(path, source) }
        return source
    }

    private func usersFile(_ path: String, _ source: FreeRADIUSSource) throws -> FreeRADIUSSource {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        var reader = UsersFile(into: source) { included in
            try File.read(included.hasPrefix("/") ? included : folder + included, limit: Self.fileLimit)
        }
        let octets = try File.read(path, limit: Self.fileLimit)
        try Self.naming(path) { try reader.read(octets, name: path) }
        return reader.source
    }

    private func clientsFile(_ path: String, _ source: FreeRADIUSSource) throws -> FreeRADIUSSource {
        var reader = ClientsFile(path, into: source)
        let octets = try File.read(path, limit: Self.fileLimit)
        try Self.naming(path) { try reader.read(octets) }
        return reader.source
    }

    private func dump(_ path: String, _ source: FreeRADIUSSource) throws -> FreeRADIUSSource {
        let file = try DumpFile(path)
        defer { file.close() }
        let head = try file.block()
        guard let dialect = dialect ?? SQLDialect.detect(head.prefix(65_536)) else {
            throw CommandFailure.usage(
                "\(path) does not say which database it comes from", next: "Say it: --dialect mysql, postgresql or sqlite.")
        }
        var source = source
        if dialect.foldsNames { source.users.foldsCase = true }
        if dialect.foldsNames { source.groups.foldsCase = true }
        var rows = TableRows(path == "-" ? "standard input" : path, into: source)
        var first: [UInt8]? = head
        let input = OctetReader {
            if let block = first {
                first = nil
                return block
            }
            return try file.block()
        }
        var reader = DumpReader(input, dialect: dialect, tables: TableRows.tables)
        var progress = ProgressLine("reading \(path)")
        try Self.naming(path) {
            try reader.read { table, columns, cells, line in
                try rows.add(table, columns, cells, line)
                if file.size > 0 { progress.update(file.offset, of: file.size) }
            }
        }
        progress.abandon()
        guard !reader.tables.isEmpty else {
            throw CommandFailure.usage(
                "\(path) has none of FreeRADIUS's tables", next: "Dump \(TableRows.tables.sorted().joined(separator: ", ")).")
        }
        guard takesParts || reader.hasEnd else {
            throw CommandFailure.usage(
                "\(path) does not end with “\(dialect.end)”: it was cut, or its tool was told to write no comments",
                next: "Nothing was changed. Dump it anew. Where you know that it is whole (mysqldump --skip-comments): --partial.")
        }
        source = rows.source
        source.tables.formUnion(reader.tables)
        return source
    }

    private static func naming(_ path: String, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let fault as SourceFault {
            throw CommandFailure.usage("\(path): \(fault)", next: "Nothing was changed. Is the file whole, and is it what the option says?")
        }
    }
}

/// A dump, read a block at a time.
private final class DumpFile {
    private let descriptor: Int32
    private let path: String
    /// Octets; 0 where that is unknown.
    let size: Int
    private(set) var offset = 0

    init(_ path: String) throws(CommandFailure) {
        self.path = path
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .usage("cannot read \(path): \(String(cString: strerror(errno)))", next: "Check the path and its permissions.")
        }
        var status = stat()
        size = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : 0
    }

    func block() throws(CommandFailure) -> [UInt8] {
        var failure: Int32 = 0
        let block = [UInt8](unsafeUninitializedCapacity: 1 << 17) { buffer, count in
            var got = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            while got < 0, errno == EINTR { got = Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
            if got < 0 { failure = errno }
            count = max(0, got)
        }
        guard failure == 0 else { throw .usage("cannot read \(path): \(String(cString: strerror(failure)))") }
        offset += block.count
        return block
    }

    func close() { if path != "-" { Glibc.close(descriptor) } }
}
