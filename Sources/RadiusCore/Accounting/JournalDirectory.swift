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
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return descriptor }
        let problem = errno
        Glibc.close(descriptor)
        if problem == EWOULDBLOCK { throw .locked(directory: path) }
        throw .system(operation: "lock", path: name, errno: problem)
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
