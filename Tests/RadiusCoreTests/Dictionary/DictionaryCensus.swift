import Glibc

@testable import RadiusCore

/// What grep says about dictionary files: an independent count of the lines that the parser should accept.
struct DictionaryCensus: Equatable {
    var attributes = 0
    var values = 0
    var vendors = 0
    /// Files counted, by name.
    var files: Set<String> = []

    /// Counts `name` in `directory` and what it includes, each file once.
    mutating func add(_ name: String, in directory: String) throws {
        guard files.insert(name).inserted else { return }
        for line in try Self.text("\(directory)/\(name)").split(separator: UInt8(ascii: "\n")) {
            let words = line.prefix { $0 != UInt8(ascii: "#") }.split { $0 == 0x20 || (9...13).contains($0) }
            guard let first = words.first else { continue }
            switch String(decoding: first, as: UTF8.self) {
            case "ATTRIBUTE": attributes += 1
            case "VALUE": values += 1
            case "VENDOR": vendors += 1
            case "$INCLUDE": try add(String(decoding: words[1], as: UTF8.self), in: directory)
            default: continue
            }
        }
    }

    static func text(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "re") else { throw DictionaryDirectory.Failure(step: path, code: errno) }
        defer { fclose(file) }
        var octets: [UInt8] = []
        while case let octet = getc(file), octet != EOF { octets.append(UInt8(truncatingIfNeeded: octet)) }
        return octets
    }

    /// The names in `directory` that start with `dictionary`.
    static func names(in directory: String) throws -> Set<String> {
        Set(try DictionaryDirectory.entries(of: directory).filter { $0.hasPrefix("dictionary") })
    }
}

/// The dictionaries that come with the server, in the repository's `dictionaries/`.
enum ShippedDictionaries {
    static let directory = #filePath.split(separator: "/").dropLast(4).map { "/" + $0 }.joined() + "/dictionaries"
    static let root = directory + "/dictionary"
    /// Loaded once for all tests.
    static let loaded = Result { () throws(DictionaryError) in try RadiusDictionary.load(path: root) }
}
