internal import CLinux
internal import Glibc

/// The directory of a private cluster: `data` and `socket` belong to PostgreSQL's account, everything else to us.
///
/// The directory is held open and handed to PostgreSQL as `/proc/self/fd/N`, so the account need not be able to walk the
/// directories above it (as root, `/root` is closed to it), and the server's socket path never outgrows its 107 octets.
struct ClusterFiles {
    /// `sun_path` of `sockaddr_un` without its final zero (unix(7)).
    static let longestSocketPath = 107
    static let socketName = ".s.PGSQL.5432"

    let directory: String
    /// The open directory, which PostgreSQL inherits.
    let descriptor: Int32
    /// Carries the lock that keeps a second daemon out; not inherited, or a server that outlives us would keep it.
    let lock: Int32

    var data: String { "\(directory)/data" }
    var log: String { "\(directory)/postgres.log" }
    /// The directory as PostgreSQL sees it.
    var inside: String { "/proc/self/fd/\(descriptor)" }

    /// The socket's directory for clients: by its path, or where that is too long through our own open descriptor.
    var socketDirectory: String {
        let plain = "\(directory)/socket"
        let isShort = plain.utf8.count + 1 + ClusterFiles.socketName.utf8.count <= ClusterFiles.longestSocketPath
        return isShort ? plain : "/proc/\(getpid())/fd/\(descriptor)/socket"
    }

    /// Makes what is missing and takes the lock.
    static func open(_ directory: String) throws(DatabaseError) -> ClusterFiles {
        let absolute = try absolutePath(directory)
        try FileSystem.makeDirectory(absolute, mode: 0o711)
        let descriptor = Glibc.open(absolute, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        let lock = Glibc.open(absolute, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        let files = ClusterFiles(directory: absolute, descriptor: descriptor, lock: lock)
        guard descriptor >= 0, lock >= 0 else {
            defer { files.close() }
            throw FileSystem.failure("open", absolute)
        }
        guard lm_lock(lock, 2000) == 0 else {
            files.close()
            throw DatabaseError(
                .clusterUnavailable, "another daemon uses \(absolute)", hint: "stop it, or choose another state.dir for this one")
        }
        return files
    }

    func close() {
        for open in [descriptor, lock] where open >= 0 { Glibc.close(open) }
    }

    /// The version that made the cluster; nil when there is none yet.
    var major: Int? {
        FileSystem.text("\(data)/PG_VERSION").flatMap { Int($0.prefix { $0.isNumber }) }
    }

    /// Lets another account pass through to its own directories; what else lies here stays closed to it.
    func letPass(_ account: ClusterAccount) throws(DatabaseError) {
        guard account.isOther, let mode = FileSystem.status(directory)?.st_mode, mode & 0o001 == 0 else { return }
        guard fchmod(descriptor, mode & 0o7777 | 0o011) == 0 else { throw FileSystem.failure("open to \(account.name)", directory) }
    }

    /// A directory that only `account` may enter.
    func makePrivate(_ name: String, for account: ClusterAccount) throws(DatabaseError) {
        let path = "\(directory)/\(name)"
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw FileSystem.failure("make", path) }
        guard account.isOther else { return }
        guard lchown(path, account.user, account.group) == 0 else { throw FileSystem.failure("give away", path) }
    }

    /// Opens a log for appending; one that has grown past 8 MiB is put aside as `.1`.
    func openLog(_ path: String) throws(DatabaseError) -> Int32 {
        if let size = FileSystem.status(path)?.st_size, size > 8 << 20 { rename(path, path + ".1") }
        let log = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard log >= 0 else { throw FileSystem.failure("open", path) }
        return log
    }

    /// The last lines of a log, for error messages.
    func tail(_ path: String) -> String {
        (FileSystem.text(path) ?? "").split(separator: "\n").suffix(4).joined(separator: " | ")
    }

    /// The postmaster that `data/postmaster.pid` names, if it is alive and really runs in this directory.
    func livingPostmaster() -> pid_t? {
        let lines = FileSystem.text("\(data)/postmaster.pid")?.split(separator: "\n")
        guard let process = lines?.first.flatMap({ pid_t($0) }) else { return nil }
        return isServer(process) ? process : nil
    }

    /// Removes the lock files of a server that is gone, which would keep PostgreSQL from starting for ever: over an empty one, left by
    /// a kill between making and writing it, and over one that names a process with a recycled number, it refuses.
    ///
    /// Safe while a server starts: its shared memory, found by the directory's inode, still keeps a second one out.
    func removeStaleLocks() {
        guard livingPostmaster() == nil else { return }
        let socket = "\(directory)/socket/\(ClusterFiles.socketName)"
        for path in ["\(data)/postmaster.pid", "\(socket).lock", socket] { unlink(path) }
    }

    /// Processes of this directory's servers, the postmaster among them.
    func servers() -> [pid_t] {
        let names = (try? FileSystem.names(in: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter(isServer)
    }

    /// Ends what a server that is gone left behind, for it holds the server's memory and no other could start. It goes by itself at once,
    /// unless it stands still; what is committed is kept either way.
    ///
    /// - Returns: whom it took SIGKILL to end.
    func endServers(within seconds: Double) -> [pid_t] {
        let deadline = Clock.after(seconds: seconds)
        var left = servers()
        while !left.isEmpty, Clock.now < deadline {
            PoolWorker.pause(milliseconds: 20)
            left = servers()
        }
        for process in left { kill(process, SIGKILL) }
        let end = Clock.after(seconds: 5)
        while !servers().isEmpty, Clock.now < end { PoolWorker.pause(milliseconds: 20) }
        return left
    }

    func isServer(_ process: pid_t) -> Bool {
        guard process > 1, let ours = FileSystem.status(data), let theirs = FileSystem.status("/proc/\(process)/cwd") else { return false }
        let name = FileSystem.text("/proc/\(process)/comm")
        return ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino && name?.hasPrefix("postgres") == true
    }

    private static func absolutePath(_ path: String) throws(DatabaseError) -> String {
        if path.hasPrefix("/") { return path }
        guard let current = getcwd(nil, 0) else { throw FileSystem.failure("find the current directory for", path) }
        defer { free(current) }
        return String(cString: current) + "/" + path
    }
}
