internal import Glibc

/// The folder of an authority, and its files.
///
/// New files get the folder's owner, so that what root makes in the daemon's folder the daemon can read.
public struct AuthorityDirectory: Sendable {
    public let path: String

    public init(path: String) {
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    /// What to do where there is none.
    static let withoutAuthority = "Make an authority first: lastmile pki init. Or name its folder with --directory."

    /// What peers are given to trust.
    public var authorityCertificate: String { path + "/ca.pem" }
    public var authorityKey: String { path + "/ca.key" }
    public var revocationList: String { path + "/crl.pem" }
    public var index: String { path + "/index.tsv" }
    public func certificate(_ name: String) -> String { path + "/issued/\(name).pem" }
    public func key(_ name: String) -> String { path + "/issued/\(name).key" }
    public func keyStore(_ name: String) -> String { path + "/issued/\(name).p12" }

    /// Whether an authority was made here, though files of it may be gone since.
    public var hasAuthority: Bool { [authorityCertificate, authorityKey, index, revocationList].contains(where: Self.exists) }

    /// Makes the folder and its parents when they are missing: others may pass through and read certificates, not keys.
    func make() throws(CertificateFailure) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in (path + "/issued").split(separator: "/") {
            let parent = made.isEmpty ? "/" : made
            made += "/" + part
            if mkdir(made, 0o755) == 0 {
                let descriptor = open(made, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                Self.giveOwner(of: parent, to: descriptor)
                close(descriptor)
            } else if errno != EEXIST {
                throw Self.failure("make the folder \(made)")
            }
        }
    }

    /// A whole file.
    func read(_ file: String) throws(CertificateFailure) -> [UInt8] {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT {
                throw CertificateFailure(.notFound, "there is no \(file)", next: Self.withoutAuthority)
            }
            throw Self.failure("read \(file)")
        }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0, content.count < 1 << 27 else { throw Self.failure("read \(file)") }
            if count == 0 { return content }
            content += block[..<count]
        }
    }

    /// Whether there is a file, even one that may not be read.
    static func exists(_ file: String) -> Bool {
        var found = stat()
        return lstat(file, &found) == 0
    }

    /// A new file, whole or not at all.
    ///
    /// `mode`: 0o600 for keys, 0o644 for what all may know. `replaces`: an existing file gives way; else it is a conflict.
    /// When it throws, nothing is left behind.
    func write(_ octets: [UInt8], to file: String, mode: mode_t, replaces: Bool = false) throws(CertificateFailure) {
        let temporary = file + ".new-\(getpid())"
        unlink(temporary)
        defer { unlink(temporary) }
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw Self.failure("write \(file)") }
        Self.giveOwner(of: path, to: descriptor)
        try Self.fill(descriptor, octets, mode: mode, file: file)
        // A link fails where a file is, so that two processes cannot both make it.
        guard (replaces ? rename(temporary, file) : link(temporary, file)) == 0 else {
            if errno == EEXIST {
                throw CertificateFailure(.conflict, "\(file) exists already", next: "Move it away, or choose another name.")
            }
            throw Self.failure("write \(file)")
        }
        try Self.syncFolder(of: file)
    }

    /// Writes everything and closes.
    private static func fill(_ descriptor: Int32, _ octets: [UInt8], mode: mode_t, file: String) throws(CertificateFailure) {
        defer { close(descriptor) }
        // The umask may have taken bits that readers of certificates need.
        guard fchmod(descriptor, mode) == 0 else { throw failure("write \(file)") }
        var start = 0
        while start < octets.count {
            let count = octets.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress.map { $0 + start }, $0.count - start) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write \(file)") }
            start += count
        }
        guard fsync(descriptor) == 0 else { throw failure("write \(file)") }
    }

    private static func syncFolder(of file: String) throws(CertificateFailure) {
        let folder = file.lastIndex(of: "/").map { String(file[..<$0]) } ?? "."
        let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("write to \(folder)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("write to \(folder)") }
    }

    /// Only root can; anybody else's files are their own anyway. By descriptor: the folder's owner may put another file in its place meanwhile.
    static func giveOwner(of folder: String, to descriptor: Int32) {
        var found = stat()
        guard geteuid() == 0, stat(folder, &found) == 0 else { return }
        _ = fchown(descriptor, found.st_uid, found.st_gid)
    }

    static func failure(_ what: String) -> CertificateFailure {
        let reason = String(cString: strerror(errno))
        return CertificateFailure(
            .broken, "cannot \(what): \(reason)", next: "Check the path, its permissions, and the room on the disk.")
    }
}
