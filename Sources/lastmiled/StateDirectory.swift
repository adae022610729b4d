import FoundationEssentials
import Glibc

/// What the daemon keeps under `state.dir`, readable by its owner alone.
struct StateDirectory {
    let path: String

    var journal: String { path + "/journal" }
    var cluster: String { path + "/postgresql" }
    var keys: String { path + "/secret.keys" }
    var token: String { path + "/admin.token" }

    /// Makes the directory when it is missing.
    func prepare() throws {
        // The private cluster runs as another user and passes through the first; the journal is nobody else's.
        for (directory, mode) in [(path, mode_t(0o755)), (journal, 0o700)] where mkdir(directory, mode) != 0 && errno != EEXIST {
            makeParents(of: directory)
            guard mkdir(directory, mode) == 0 || errno == EEXIST else {
                throw StartFailure(
                    "cannot make \(directory): \(String(cString: strerror(errno))); create it for this user, or set state.dir "
                        + "(LASTMILE_STATE_DIR) to a directory that this user may write to")
            }
        }
        guard access(path, W_OK | X_OK) == 0 else {
            throw StartFailure("cannot write to \(path) (state.dir): \(String(cString: strerror(errno)))")
        }
    }

    private func makeParents(of directory: String) {
        var made = ""
        for part in directory.split(separator: "/").dropLast() {
            made += "/" + part
            _ = mkdir(made, 0o755)
        }
    }

    /// The bootstrap operator token: the one that is set, or the one in the file, which is made when it is missing.
    func operatorToken(_ configured: String?) throws -> String {
        if let configured { return configured }
        if let stored = try? String(contentsOfFile: token, encoding: .utf8) {
            let trimmed = stored.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
            if trimmed.utf8.count >= 16 { return trimmed }
        }
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("abcdefghijkmnopqrstuvwxyz23456789")
        let made = "lm_" + String((0..<40).map { _ in alphabet[Int(generator.next(upperBound: UInt(alphabet.count)))] })
        let file = open(token, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw StartFailure("cannot write \(token): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        let line = Array((made + "\n").utf8)
        guard write(file, line, line.count) == line.count else { throw StartFailure("cannot write \(token)") }
        return made
    }
}
