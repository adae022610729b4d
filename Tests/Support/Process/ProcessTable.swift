internal import Glibc

/// What the kernel says about processes.
public enum ProcessTable {
    /// Those whose working directory is `directory`.
    public static func processes(in directory: String) -> [Int32] {
        var wanted = stat()
        guard stat(directory, &wanted) == 0 else { return [] }
        return numbers().filter { number in
            var found = stat()
            return stat("/proc/\(number)/cwd", &found) == 0 && found.st_ino == wanted.st_ino && found.st_dev == wanted.st_dev
        }
    }

    private static func numbers() -> [Int32] {
        guard let table = opendir("/proc") else { return [] }
        defer { closedir(table) }
        var found: [Int32] = []
        while let entry = readdir(table) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let number = Int32(name) { found.append(number) }
        }
        return found
    }
}
