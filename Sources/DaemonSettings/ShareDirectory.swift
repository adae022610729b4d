internal import Glibc

/// Finds what was installed with the daemon.
enum ShareDirectory {
    private static let installed = "/usr/share/lastmile"
    private static let landmark = "dictionaries/dictionary"

    /// The nearest directory above the running executable that holds `dictionaries/dictionary`, as a checkout does;
    /// otherwise where a Debian package puts it.
    static func discovered() -> String {
        above(executable()) ?? installed
    }

    /// The nearest directory above `path` that holds the landmark.
    static func above(_ path: String) -> String? {
        var directory = path[...]
        while let slash = directory.lastIndex(of: "/") {
            directory = directory[..<slash]
            if access("\(directory)/\(landmark)", R_OK) == 0 { return directory.isEmpty ? "/" : String(directory) }
        }
        return nil
    }

    private static func executable() -> String {
        var room = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &room, room.count)
        return String(decoding: room.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
