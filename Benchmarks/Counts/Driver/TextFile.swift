import Glibc

/// Small text files, whole.
enum TextFile {
    static func read(_ path: String, atMost limit: Int = 1 << 20) throws(CountFault) -> String {
        guard let file = fopen(path, "r") else { throw fault("read", path) }
        defer { fclose(file) }
        var octets = [UInt8](repeating: 0, count: limit)
        let count = fread(&octets, 1, limit, file)
        guard ferror(file) == 0 else { throw fault("read", path) }
        return String(decoding: octets[..<count], as: UTF8.self)
    }

    static func write(_ text: String, to path: String) throws(CountFault) {
        guard let file = fopen(path, "w") else { throw fault("write", path) }
        let octets = Array(text.utf8)
        let written = fwrite(octets, 1, octets.count, file)
        guard fclose(file) == 0, written == octets.count else { throw fault("write", path) }
    }

    /// Names of the folder's entries.
    static func names(in folder: String) throws(CountFault) -> [String] {
        guard let stream = opendir(folder) else { throw fault("read", folder) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names
    }

    private static func fault(_ verb: String, _ path: String) -> CountFault {
        CountFault("cannot \(verb) \(path): \(String(cString: strerror(errno)))")
    }
}
