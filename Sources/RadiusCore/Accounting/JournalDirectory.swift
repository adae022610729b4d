internal import CLinux
import Glibc

/// The folder of segment files, named by the first sequence number that each may hold.
struct JournalDirectory: Sendable {
    let path: String

    private static let suffix = ".journal"

    /// Makes the folder (mode 0700) when it is absent; its parent must be there.
    func create() throws(JournalError) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        throw .system(operation: "create", path: path, errno: errno)
    }

    /// Takes the folder for this process. The descriptor holds the lock until it is closed.
    func lock() throws(JournalError) -> Int32 {
        let name = path + "/lock"
        let descriptor = Glibc.open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(operation: "open", path: name, errno: errno) }
        let problem = -lm_lock(descriptor, 2000)
        if problem == 0 { return descriptor }
        Glibc.close(descriptor)
        if problem == EWOULDBLOCK { throw .locked(directory: path) }
        throw .system(operation: "lock", path: name, errno: problem)
    }

    /// A number that tells this journal from any other; made when the folder is new. Positive.
    func identity() throws(JournalError) -> Int64 {
        let name = path + "/identity"
        if let file = try? JournalSegmentFile(path: name) {
            defer { file.close() }
            var octets = InlineArray<32, UInt8>(repeating: 0)
            var span = octets.mutableSpan
            let count = min(file.count, 32)
            let got = try span.withUnsafeMutableBytes { bytes throws(JournalError) in
                guard let base = bytes.baseAddress else { return 0 }
                return try file.read(base, count, at: 0)
            }
            let digits = (0..<got).map { octets[$0] }.prefix { $0 != UInt8(ascii: "\n") }
            if let identity = Int64(String(decoding: digits, as: UTF8.self)), identity > 0 { return identity }
        }
        return try makeIdentity(name)
    }

    private func makeIdentity(_ name: String) throws(JournalError) -> Int64 {
        let identity = Int64.random(in: 1...(.max))
        let descriptor = Glibc.open(name + ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(operation: "create", path: name, errno: errno) }
        let text = Array((String(identity) + "\n").utf8)
        let isWritten = write(descriptor, text, text.count) == text.count && fsync(descriptor) == 0
        let problem = errno
        Glibc.close(descriptor)
        guard isWritten else { throw .system(operation: "write", path: name, errno: problem) }
        guard rename(name + ".new", name) == 0 else { throw .system(operation: "rename", path: name, errno: errno) }
        let failure = synchronize()
        guard failure == 0 else { throw .system(operation: "sync", path: path, errno: failure) }
        return identity
    }

    /// Path of the segment that begins with `sequence`.
    func segmentPath(_ sequence: UInt64) -> String {
        let digits = String(sequence, radix: 16)
        return path + "/" + String(repeating: "0", count: 16 - digits.utf8.count) + digits + Self.suffix
    }

    /// First sequence numbers of all segments, ascending. Other files are left alone.
    func segments() throws(JournalError) -> [UInt64] {
        guard let folder = opendir(path) else { throw .system(operation: "list", path: path, errno: errno) }
        defer { closedir(folder) }
        var found: [UInt64] = []
        while let item = readdir(folder) {
            let name = withUnsafeBytes(of: &item.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            guard name.utf8.count == 16 + Self.suffix.utf8.count, name.hasSuffix(Self.suffix) else { continue }
            guard let sequence = UInt64(name.prefix(16), radix: 16) else { continue }
            found.append(sequence)
        }
        return found.sorted()
    }

    /// Makes creations and removals in the folder durable. Returns 0 or an errno.
    func synchronize() -> Int32 {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return errno }
        defer { Glibc.close(descriptor) }
        return fsync(descriptor) == 0 ? 0 : errno
    }
}

/// The two calls that a disk can fail; tests put failures here.
struct JournalDisk: Sendable {
    /// `pwrite`: octets written, or -errno.
    var write: @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int, _ offset: Int) -> Int
    /// `fdatasync`: 0 or an errno.
    var synchronize: @Sendable (_ descriptor: Int32) -> Int32

    static let system = JournalDisk(
        write: { descriptor, bytes, count, offset in
            let written = pwrite(descriptor, bytes, count, off_t(offset))
            return written >= 0 ? written : -Int(errno)
        },
        synchronize: { fdatasync($0) == 0 ? 0 : errno })
}
