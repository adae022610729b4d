internal import Glibc

/// Keeps two processes from changing one authority.
enum AuthorityLock {
    /// Runs `body` while no other process can.
    ///
    /// - Throws: what `body` throws, or a conflict when another process is at work.
    static func hold<Value>(
        _ directory: AuthorityDirectory, _ body: () throws(CertificateFailure) -> Value
    ) throws(CertificateFailure) -> Value {
        let path = directory.path + "/lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw unopened(path, of: directory) }
        defer {
            // Explicitly: a child of this process on its way to another program still has the descriptor, and with it the lock.
            flock(descriptor, LOCK_UN)
            close(descriptor)
        }
        AuthorityDirectory.giveOwner(of: directory.path, to: descriptor)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else { throw AuthorityDirectory.failure("lock \(path)") }
            throw CertificateFailure(
                .conflict, "another process is changing \(directory.path)", next: "Wait until it has ended, and try again.")
        }
        return try body()
    }

    private static func unopened(_ path: String, of directory: AuthorityDirectory) -> CertificateFailure {
        guard errno == ENOENT else { return AuthorityDirectory.failure("open \(path)") }
        return CertificateFailure(
            .notFound, "there is no folder \(directory.path)", next: AuthorityDirectory.withoutAuthority)
    }
}
