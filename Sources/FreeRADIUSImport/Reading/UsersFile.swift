/// Reads a `users` file (`mods-config/files/authorize`): a name and check items in a line, reply items in the indented lines below.
public struct UsersFile {
    /// Octets of a file that is included, by its path as it is written there.
    public typealias Include = (_ path: String) throws -> [UInt8]

    /// Files that include each other, at most.
    private static let depthLimit = 8

    private let include: Include
    public private(set) var source: FreeRADIUSSource
    private var open: SourceEntry?
    private var isBroken = false

    public init(into source: FreeRADIUSSource, include: @escaping Include) {
        self.source = source
        self.include = include
    }

    /// Reads a file, and those that it includes.
    ///
    /// - Throws: `SourceFault` for lines without end and files that include each other; what `include` throws.
    public mutating func read(_ octets: [UInt8], name: String) throws { try read(octets, name: name, depth: 0) }

    private mutating func read(_ octets: [UInt8], name: String, depth: Int) throws {
        guard depth < Self.depthLimit else {
            throw SourceFault(line: 1, "\(name): files include each other \(Self.depthLimit) levels deep")
        }
        var input = OctetReader(octets)
        while true {
            let place = Place(name, input.line)
            guard let line = try input.readLine(limit: 1 << 20) else { break }
            var lexer = FileLexer(line)
            lexer.skipBlanks()
            if lexer.isAtEnd { continue }
            do throws(SourceFault) {
                if line.first == 0x20 || line.first == 0x09 {
                    try replies(&lexer, place)
                } else if line.starts(with: "$INCLUDE".utf8) {
                    finish()
                    let path = try included(line)
                    try nested(path, name, depth)
                } else {
                    finish()
                    try begin(&lexer, place)
                }
            } catch {
                guard error.line == 0 else { throw error }
                refuse(place, error.reason)
            }
        }
        finish()
    }

    private func included(_ line: [UInt8]) throws(SourceFault) -> String {
        var lexer = FileLexer(Array(line.dropFirst("$INCLUDE".utf8.count)))
        lexer.skipBlanks()
        guard let path = try lexer.text()?.text else { throw SourceFault(line: 0, "$INCLUDE names no file") }
        return path
    }

    private mutating func nested(_ path: String, _ name: String, _ depth: Int) throws(SourceFault) {
        do {
            try read(try include(path), name: path, depth: depth + 1)
        } catch let fault as SourceFault {
            throw SourceFault(line: max(1, fault.line), fault.reason)
        } catch {
            throw SourceFault(line: 0, "\(path) cannot be read")
        }
    }

    private mutating func begin(_ lexer: inout FileLexer, _ place: Place) throws(SourceFault) {
        isBroken = false
        guard let name = try lexer.text()?.text, !name.isEmpty else { throw SourceFault(line: 0, "a user's name is expected") }
        open = SourceEntry(name: name, check: [], reply: [], place: place)
        lexer.skipBlanks()
        let check = try pairs(&lexer, place)
        open?.check = check
    }

    private mutating func replies(_ lexer: inout FileLexer, _ place: Place) throws(SourceFault) {
        if isBroken { return }
        guard open != nil else { throw SourceFault(line: 0, "reply items without a user's line above them") }
        let reply = try pairs(&lexer, place)
        open?.reply += reply
    }

    private func pairs(_ lexer: inout FileLexer, _ place: Place) throws(SourceFault) -> [SourcePair] {
        var pairs: [SourcePair] = []
        while !lexer.isAtEnd {
            guard var attribute = try lexer.text(stops: Self.signs)?.text else {
                throw SourceFault(line: 0, "an attribute's name is expected")
            }
            lexer.skipBlanks()
            var found = lexer.operation()
            // The colon of `Name:=value` looks like that of a tag.
            if found == .equal, attribute.hasSuffix(":") {
                attribute.removeLast()
                found = .set
            }
            guard let operation = found else { throw SourceFault(line: 0, "an operator is expected behind \(attribute.prefix(64))") }
            lexer.skipBlanks()
            guard let value = try lexer.text() else {
                throw SourceFault(line: 0, "a value is expected behind \(attribute.prefix(64)) \(operation.rawValue)")
            }
            pairs.append(SourcePair(attribute, operation, value.text, quote: value.quote, at: place))
            lexer.skipBlanks()
            if lexer.take(",") {
                lexer.skipBlanks()
            } else if !lexer.isAtEnd {
                throw SourceFault(line: 0, "a comma is expected behind \(attribute.prefix(64))")
            }
        }
        return pairs
    }

    private static let signs = Set("=+!<>~*".utf8)

    private mutating func refuse(_ place: Place, _ why: String) {
        let subject = open?.name ?? ""
        source.remarks.append(Remark(.skipped, place, subject, "the entry", why, "FreeRADIUS would not start with it; mend the line."))
        open = nil
        isBroken = true
    }

    private mutating func finish() {
        if let entry = open { source.add(entry) }
        open = nil
    }
}
