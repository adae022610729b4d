import Glibc
import Support

/// A filesystem of its own for a daemon's journal, which a test fills up and frees. Nobody but the daemon sees it.
struct SmallDisk {
    static let mebibytes = 16

    /// In front of a daemon's command line: makes the journal's directory a small filesystem in a private mount namespace.
    static let launcher = ["/bin/sh", "-c", script("exec \"$@\""), "sh"]

    /// Whether this system lets us: as root, or by a user namespace. nil when it does.
    static func obstacle() async -> String? {
        let result = try? await TemporaryDirectory.use { directory in
            try await Tool.run("/bin/sh", ["-c", script("true")], settings: ["LASTMILE_STATE_DIR": directory])
        }
        guard let result else { return "no shell" }
        return result.status == 0 ? nil : "no private mount namespace with a tmpfs here: \(result.errors)"
    }

    private static func script(_ command: String) -> String {
        """
        mkdir -p -m 700 "$LASTMILE_STATE_DIR/journal" || exit 1
        \(PrivateMount.script("mount -t tmpfs -o size=\(mebibytes)m,mode=700 lastmile-journal \"$LASTMILE_STATE_DIR/journal\"", then: command))
        """
    }

    private let filler: String

    /// - Parameter daemon: one that was started with `launcher`.
    init(_ daemon: DaemonProcess) {
        filler = "/proc/\(daemon.identifier)/root\(daemon.state)/journal/filler"
    }

    /// Takes all space that is left.
    ///
    /// - Throws: `ProcessFailure` when it cannot be written for another reason.
    func fill() throws {
        let file = open(filler, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw ProcessFailure("cannot write \(filler): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        let block = [UInt8](repeating: 0x2a, count: 4096)
        var size = block.count
        while size > 0 {
            if write(file, block, size) < 0 {
                guard errno == ENOSPC else { throw ProcessFailure("cannot fill \(filler): \(String(cString: strerror(errno)))") }
                size /= 2
            }
        }
    }

    /// Gives it back.
    func free() throws {
        guard unlink(filler) == 0 else { throw ProcessFailure("cannot remove \(filler): \(String(cString: strerror(errno)))") }
    }
}
