import Glibc
import Testing

/// One block of a file in `Tests/Vectors`: octets in, octets that somebody else computed out.
///
/// A block begins with `[kind] name`; then stand `key = value` lines. A value is hexadecimal octets, or text in quotes (no escapes);
/// it goes on in lines that begin with a space. `#` begins a comment line, an empty line ends a block.
struct Vector: Sendable, CustomTestStringConvertible {
    let file: String
    let kind: String
    let name: String
    private(set) var fields: [String: [UInt8]] = [:]

    init(file: String, kind: String, name: String) {
        self.file = file
        self.kind = kind
        self.name = name
    }

    var testDescription: String { "\(file): \(kind), \(name)" }

    /// The octets of a field that the vector must have.
    func octets(_ key: String) throws -> [UInt8] {
        try #require(fields[key], "\(testDescription) has no \(key)")
    }

    mutating func append(_ octets: [UInt8], to key: String) { fields[key, default: []] += octets }
}

/// A text file of vectors, found beside the tests' sources.
enum VectorFile {
    struct Malformed: Error, CustomStringConvertible {
        let file: String
        let line: Int
        let why: String
        var description: String { "Tests/Vectors/\(file), line \(line): \(why)" }
    }

    /// Reads `Tests/Vectors/<name>`. Throws what is wrong and in which line.
    static func read(_ name: String) throws -> [Vector] {
        var vectors: [Vector] = []
        var key: String?
        for (number, line) in try lines(of: name).enumerated() {
            func malformed(_ why: String) -> Malformed { Malformed(file: name, line: number + 1, why: why) }
            if line.isEmpty || line.hasPrefix("#") {
                key = nil
            } else if line.hasPrefix("[") {
                guard let end = line.firstIndex(of: "]") else { throw malformed("no ] after the kind") }
                let kind = line[line.index(after: line.startIndex)..<end]
                vectors.append(Vector(file: name, kind: String(kind), name: String(line[end...].dropFirst(2))))
            } else {
                guard !vectors.isEmpty else { throw malformed("a value before the first [kind]") }
                let value: Substring
                if line.hasPrefix(" ") {
                    value = line.drop { $0 == " " }
                } else {
                    guard let equals = line.firstIndex(of: "=") else { throw malformed("no = after the key") }
                    key = String(line[..<equals].filter { $0 != " " })
                    value = line[equals...].dropFirst().drop { $0 == " " }
                }
                guard let key, let octets = octets(value) else { throw malformed("neither hexadecimal octets nor quoted text") }
                vectors[vectors.count - 1].append(octets, to: key)
            }
        }
        return vectors
    }

    /// The octets of hexadecimal digits or of quoted text; nil for anything else.
    static func octets(_ text: Substring) -> [UInt8]? {
        if text.hasPrefix("\"") {
            guard text.count >= 2, text.hasSuffix("\"") else { return nil }
            return Array(text.dropFirst().dropLast().utf8)
        }
        let nibbles = text.compactMap { $0.hexDigitValue }
        guard nibbles.count == text.count, nibbles.count % 2 == 0 else { return nil }
        return stride(from: 0, to: nibbles.count, by: 2).map { UInt8(nibbles[$0] * 16 + nibbles[$0 + 1]) }
    }

    /// The lines of `Tests/Vectors/<name>`.
    static func lines(of name: String) throws -> [Substring] {
        let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
        guard let stream = fopen("\(folder)/Vectors/\(name)", "r") else {
            throw Malformed(file: name, line: 0, why: String(cString: strerror(errno)))
        }
        defer { fclose(stream) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = fread(&chunk, 1, chunk.count, stream)
            if count == 0 { break }
            content += chunk[..<count]
        }
        return String(decoding: content, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    }
}
