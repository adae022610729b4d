import ArgumentParser
import Glibc
import RadiusCore

/// Where the names of attributes come from.
struct DictionaryOption: ParsableArguments {
    @Option(help: ArgumentHelp("The root dictionary file. Else the one that came with this program.", valueName: "path"))
    var dictionary: String?

    func load() throws(CommandFailure) -> RadiusDictionary {
        let path: String
        if let dictionary { path = dictionary } else { path = try Self.discovered() }
        do {
            let dictionary = try RadiusDictionary.load(path: path)
            for warning in dictionary.warnings { Terminal.note("warning: \(warning)\n") }
            return dictionary
        } catch {
            throw CommandFailure(
                .usage, "the dictionary cannot be used", details: error.description.split(separator: "\n").map(String.init),
                next: "Mend the line, or name another file with --dictionary.")
        }
    }

    /// LASTMILE_SHARE_DIR, else the nearest directory above the executable that has dictionaries, else where a package puts them.
    static func discovered() throws(CommandFailure) -> String {
        let landmark = "/dictionaries/dictionary"
        var candidates: [String] = []
        if let share = Terminal.environment("LASTMILE_SHARE_DIR"), !share.isEmpty {
            candidates = [share + landmark]
        } else {
            var directory = executable()[...]
            while let slash = directory.lastIndex(of: "/") {
                directory = directory[..<slash]
                candidates.append(directory + landmark)
            }
            candidates.append("/usr/share/lastmile" + landmark)
        }
        if let found = candidates.first(where: { File.presence($0) == .readable }) { return found }
        throw .usage(
            "no dictionary was found: looked for \(candidates.last ?? landmark)",
            next: "Set LASTMILE_SHARE_DIR to the directory that has dictionaries/dictionary, or name the file with --dictionary.")
    }

    private static func executable() -> String {
        var room = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &room, room.count)
        return String(decoding: room.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
