import Glibc

/// A dictionary file's octets and what tells it from other files.
struct DictionaryFile {
    /// Two names of one file (links, `./`) have the same.
    struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    /// Above any dictionary known; what is larger was named by mistake.
    static let largestSize = 16 << 20

    let identity: Identity
    private let descriptor: Int32
    private let size: Int

    /// Reads the file at `path`.
    ///
    /// - Parameters:
    ///   - path: absolute, or seen from the working directory.
    ///   - seen: files read before; one of them is not read again.
    /// - Returns: its octets; nil when it was read before.
    /// - Throws: when it is absent, unreadable, no regular file, too large, or writable by everybody.
    static func read(_ path: String, unlessIn seen: inout Set<Identity>) throws(DictionaryFault) -> [UInt8]? {
        let file = try DictionaryFile(opening: path)
        defer { close(file.descriptor) }
        guard seen.insert(file.identity).inserted else { return nil }
        return try file.contents()
    }

    /// Whether something stands at `path`, readable or not.
    static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0 || errno != ENOENT
    }

    private init(opening path: String) throws(DictionaryFault) {
        // A FIFO in the place of a file would otherwise wait for its writer for ever.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw DictionaryFault("cannot be opened: \(Self.errorText())") }
        do throws(DictionaryFault) {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw DictionaryFault("cannot be examined: \(Self.errorText())") }
            guard status.st_mode & S_IFMT == S_IFREG else { throw DictionaryFault("is not a regular file") }
            guard status.st_mode & S_IWOTH == 0 else {
                throw DictionaryFault("is writable by everybody; take that away with chmod o-w")
            }
            guard status.st_size <= Self.largestSize else {
                throw DictionaryFault("has \(status.st_size) octets; a dictionary has at most \(Self.largestSize)")
            }
            identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
            size = Int(status.st_size)
        } catch {
            close(descriptor)
            throw error
        }
    }

    private func contents() throws(DictionaryFault) -> [UInt8] {
        var failure: String?
        let octets = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let received = Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, size - count)
                if received < 0 && errno == EINTR { continue }
                if received < 0 { failure = Self.errorText() }
                guard received > 0 else { return }
                count += received
            }
        }
        if let failure { throw DictionaryFault("cannot be read: \(failure)") }
        return octets
    }

    private static func errorText() -> String {
        String(cString: strerror(errno))
    }
}
