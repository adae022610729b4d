internal import Glibc

/// The few calls on files that this module needs; errors name the path and the system's reason.
enum FileSystem {
    static func names(in directory: String) throws(DatabaseError) -> [String] {
        guard let stream = opendir(directory) else { throw failure("list", directory) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func read(_ path: String) throws(DatabaseError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { return content }
            content.append(contentsOf: chunk[..<count])
        }
    }

    static func text(_ path: String) -> String? {
        (try? read(path)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Writes beside and renames, so that a reader sees the old or the new text, never half.
    static func write(_ text: String, to path: String, mode: mode_t) throws(DatabaseError) {
        let beside = path + ".new"
        let descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("create", beside) }
        defer { close(descriptor) }
        var octets = Array(text.utf8)[...]
        while !octets.isEmpty {
            let count = octets.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write", beside) }
            octets = octets.dropFirst(count)
        }
        guard rename(beside, path) == 0 else { throw failure("rename", beside) }
    }

    /// Makes the directory, and those above it with the default mode, unless they exist.
    static func makeDirectory(_ path: String, mode: mode_t) throws(DatabaseError) {
        var parents: [Substring] = []
        for part in path.split(separator: "/").dropLast() {
            parents.append(part)
            let parent = (path.hasPrefix("/") ? "/" : "") + parents.joined(separator: "/")
            guard mkdir(parent, 0o755) == 0 || errno == EEXIST else { throw failure("make", parent) }
        }
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw failure("make", path) }
    }

    static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func status(_ path: String) -> stat? {
        var status = stat()
        return stat(path, &status) == 0 ? status : nil
    }

    static func failure(_ verb: String, _ path: String) -> DatabaseError {
        DatabaseError(.clusterUnavailable, "cannot \(verb) \(path): \(String(cString: strerror(errno)))")
    }
}

func closeDescriptor(_ descriptor: Int32) {
    close(descriptor)
}

extension FileSystem {
    /// Removes a directory and all below it, following no links; what cannot be removed stays.
    static func removeTree(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in (try? names(in: path)) ?? [] { removeTree("\(path)/\(name)") }
        }
        remove(path)
    }
}
