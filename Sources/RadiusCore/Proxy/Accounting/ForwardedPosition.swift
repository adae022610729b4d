import Glibc

/// How far a journal was forwarded, in a file beside its segments: the journal's identity and a number.
struct ForwardedPosition {
    private let path: String
    private let identity: Int64

    init(directory: String, identity: Int64) {
        path = directory + "/forwarded"
        self.identity = identity
    }

    /// The number that was saved for this journal; nil without one.
    func load() -> UInt64? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var octets = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor, &octets, octets.count)
        guard count > 0 else { return nil }
        let words = String(decoding: octets[..<count], as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\n" })
        guard words.count == 2, Int64(words[0]) == identity else { return nil }
        return UInt64(words[1])
    }

    /// Makes `sequence` the number that a restart goes on behind.
    ///
    /// - Returns: 0, or an errno; then the former number stands.
    func save(_ sequence: UInt64) -> Int32 {
        let descriptor = open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return errno }
        let text = Array("\(identity) \(sequence)\n".utf8)
        let isWritten = write(descriptor, text, text.count) == text.count && fdatasync(descriptor) == 0
        let problem = errno
        close(descriptor)
        guard isWritten else { return problem }
        return rename(path + ".new", path) == 0 ? 0 : errno
    }

    /// Forgets the number: the next start begins with what comes then.
    func remove() { unlink(path) }
}
