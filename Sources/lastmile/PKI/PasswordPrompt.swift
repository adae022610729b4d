import Glibc

/// Asks for a password, so that none stands on a command line, where everybody could read it.
enum PasswordPrompt {
    /// The first line of `file` (`-` is standard input), or what is typed twice on the terminal.
    static func read(file: String?) throws(CommandFailure) -> [UInt8] {
        if let file {
            let content = file == "-" ? try Terminal.standardInput() : try File.read(file, limit: 4096)
            let line = Array(content.prefix { $0 != 0x0a && $0 != 0x0d })
            guard !line.isEmpty else { throw .usage("the first line of \(file) is empty", next: "Put the password there.") }
            return line
        }
        guard isatty(STDIN_FILENO) == 1 else {
            throw .usage(
                "no terminal to ask for the password", next: "Give it in a file: --p12-password-file FILE, or - for standard input.")
        }
        let first = try ask("Password for the PKCS#12 file: ")
        guard first == (try ask("The same again: ")) else { throw .usage("the two passwords differ", next: "Try again.") }
        return first
    }

    /// Without showing what is typed.
    private static func ask(_ question: String) throws(CommandFailure) -> [UInt8] {
        var shown = termios()
        guard tcgetattr(STDIN_FILENO, &shown) == 0 else {
            throw .usage("cannot ask on this terminal", next: "Use --p12-password-file FILE.")
        }
        var hidden = shown
        hidden.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
        Terminal.note(question)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown)
            Terminal.note("\n")
        }
        return try line()
    }

    private static func line() throws(CommandFailure) -> [UInt8] {
        var line: [UInt8] = []
        var octet: UInt8 = 0
        while line.count <= 4096 {
            let count = Glibc.read(STDIN_FILENO, &octet, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else { throw .usage("the password was not ended by a line end", next: "Try again.") }
            if octet == 0x0a { return line }
            line.append(octet)
        }
        throw .usage("the password is too long", next: "At most 512 octets are possible.")
    }
}
