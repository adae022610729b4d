import Glibc

/// Standard output for data, standard error for everything else.
enum Terminal {
    /// Writes data.
    static func out(_ text: String) { write(text, to: STDOUT_FILENO) }

    /// Writes a message for people.
    static func note(_ text: String) { write(text, to: STDERR_FILENO) }

    static var outIsTTY: Bool { isatty(STDOUT_FILENO) == 1 }
    static var errorIsTTY: Bool { isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb" }

    /// Colours are wanted: a terminal, and NO_COLOR is unset or empty (no-color.org).
    static var hasColour: Bool { outIsTTY && (environment("NO_COLOR") ?? "").isEmpty && environment("TERM") != "dumb" }

    /// A variable of the environment; nil when it is unset.
    static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    private static func write(_ text: String, to fd: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var start = 0
            while start < bytes.count {
                let written = Glibc.write(fd, bytes.baseAddress.map { $0 + start }, bytes.count - start)
                if written < 0 {
                    if errno == EINTR { continue }
                    // A pipe that was closed, or a full disk: whoever reads has what there is.
                    exit(ExitStatus.failed.rawValue)
                }
                start += written
            }
        }
    }

    /// All of standard input.
    static func standardInput() throws(CommandFailure) -> [UInt8] {
        try File.read(STDIN_FILENO, name: "standard input")
    }
}

/// Files, read whole.
enum File {
    /// `limit`: octets.
    static func read(_ path: String, limit: Int = 1 << 30) throws(CommandFailure) -> [UInt8] {
        let fd = open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { throw unreadable(path, errno) }
        defer { close(fd) }
        return try read(fd, name: path, limit: limit)
    }

    static func read(_ fd: Int32, name: String, limit: Int = 1 << 30) throws(CommandFailure) -> [UInt8] {
        var content: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(fd, &block, block.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw unreadable(name, errno)
            }
            if count == 0 { return content }
            content += block[..<count]
            guard content.count <= limit else { throw .usage("\(name) is larger than \(limit) octets", next: "Split it.") }
        }
    }

    private static func unreadable(_ name: String, _ code: Int32) -> CommandFailure {
        .usage("cannot read \(name): \(String(cString: strerror(code)))", next: "Check the path and its permissions.")
    }
}

extension File {
    enum Presence {
        case readable, forbidden, absent
    }

    /// Whether there is such a file, and whether it may be read.
    static func presence(_ path: String) -> Presence {
        if access(path, R_OK) == 0 { return .readable }
        return errno == EACCES || errno == EPERM ? .forbidden : .absent
    }
}
