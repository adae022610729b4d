/// Reads dictionaries in the grammar of FreeRADIUS 3.
///
/// A line is at most 255 octets and 16 words; `#` starts a comment anywhere; keywords and names are the same in capitals and small
/// letters. A block ends with its file at the latest and does not reach into an included one. Each file is read once.
struct DictionaryParser {
    /// Files that include one another, at most.
    static let deepestInclude = 32

    var tables = DictionaryTables()
    var source = DictionarySource(path: "", octets: [])
    /// VALUE lines whose attribute was unknown when they were read.
    var pending: [PendingValue] = []
    /// The attribute of the VALUE line before.
    var lastAttribute: AttributeDefinition?
    private var seen: Set<DictionaryFile.Identity> = []
    private var errors: [DictionaryError] = []
    private var depth = 0

    struct PendingValue {
        let attribute: String
        let name: String
        let number: UInt64
        let file: String
        let line: Int
    }

    /// Reads the files at `paths` and all that they include, in order, into one set of tables.
    ///
    /// - Throws: the first bad line, with up to 19 others behind it.
    static func parse(paths: [String]) throws(DictionaryError) -> DictionaryTables {
        var parser = DictionaryParser()
        for path in paths {
            do throws(DictionaryFault) {
                try parser.readFile(path)
            } catch {
                parser.note(error, file: path, line: 0)
            }
        }
        parser.resolvePendingValues()
        guard let first = parser.errors.first else { return parser.tables }
        throw DictionaryError(
            file: first.file, line: first.line, reason: first.reason,
            further: Array(parser.errors.dropFirst().prefix(DictionaryError.limit - 1)))
    }

    private mutating func readFile(_ path: String) throws(DictionaryFault) {
        guard depth < Self.deepestInclude else {
            throw DictionaryFault("\(Self.deepestInclude) files include one another here; that is the limit")
        }
        guard let octets = try DictionaryFile.read(path, unlessIn: &seen) else { return }
        let outer = source
        source = DictionarySource(path: path, octets: octets)
        depth += 1
        readLines()
        depth -= 1
        source = outer
    }

    private mutating func readLines() {
        while errors.count < DictionaryError.limit {
            do throws(DictionaryFault) {
                guard try source.nextLine() else { return }
                try readLine()
            } catch {
                note(error, file: source.path, line: source.line)
                if error.endsFile { return }
            }
        }
    }

    private mutating func readLine() throws(DictionaryFault) {
        if source.word(0, is: "ATTRIBUTE") {
            try readAttribute()
        } else if source.word(0, is: "VALUE") {
            try readValue()
        } else if source.word(0, is: "$INCLUDE") {
            try readInclude(isOptional: false)
        } else {
            try readRareLine()
        }
    }

    private mutating func readRareLine() throws(DictionaryFault) {
        if source.word(0, is: "$INCLUDE-") {
            try readInclude(isOptional: true)
        } else if source.word(0, is: "VALUE-ALIAS") {
            try readValueAlias()
        } else if source.word(0, is: "BEGIN-TLV") {
            try readBeginTLV()
        } else if source.word(0, is: "END-TLV") {
            try readEndTLV()
        } else {
            try readVendorLine()
        }
    }

    /// The keywords without which the rest of a file means something else.
    private mutating func readVendorLine() throws(DictionaryFault) {
        do throws(DictionaryFault) {
            if source.word(0, is: "VENDOR") {
                try readVendor()
            } else if source.word(0, is: "BEGIN-VENDOR") {
                try readBeginVendor()
            } else if source.word(0, is: "END-VENDOR") {
                try readEndVendor()
            } else {
                throw DictionaryFault("\(source.text(0)) is no keyword of a dictionary")
            }
        } catch {
            var fault = error
            fault.endsFile = source.word(0, is: "VENDOR") || source.word(0, is: "BEGIN-VENDOR")
            throw fault
        }
    }

    /// `$INCLUDE file`, seen from the including file's directory.
    private mutating func readInclude(isOptional: Bool) throws(DictionaryFault) {
        try expectWords(2...2, "\(source.text(0)) takes one file name")
        let name = source.text(1)
        var path = name
        if !name.hasPrefix("/"), let slash = source.path.lastIndex(of: "/") {
            path = source.path[...slash] + name
        }
        if isOptional && !DictionaryFile.exists(path) { return }
        do throws(DictionaryFault) {
            try readFile(path)
        } catch {
            throw DictionaryFault("\(path) \(error.reason)")
        }
    }

    private mutating func resolvePendingValues() {
        for value in pending {
            guard let attribute = tables.attribute(named: value.attribute) else {
                let reason = "VALUE \(value.name) is for \(value.attribute), which no ATTRIBUTE line defines; it names nothing"
                tables.addStray(DictionaryWarning(file: value.file, line: value.line, reason: reason))
                continue
            }
            do throws(DictionaryFault) {
                try tables.addValue(value.name, value.number, of: attribute, isLate: true)
            } catch {
                note(error, file: value.file, line: value.line)
            }
        }
    }

    private mutating func note(_ fault: DictionaryFault, file: String, line: Int) {
        errors.append(DictionaryError(file: file, line: line, reason: fault.reason))
    }

    /// Checks the number of words, the keyword among them.
    func expectWords(_ range: ClosedRange<Int>, _ usage: @autoclosure () -> String) throws(DictionaryFault) {
        guard range.contains(source.words.count) else { throw DictionaryFault(usage()) }
    }

    /// A word as the name of an attribute or a vendor.
    func name(_ index: Int) throws(DictionaryFault) -> String {
        let name = source.text(index)
        guard source.isName(index) else {
            throw DictionaryFault("\(name) is no name; letters, digits and - _ . / : make one")
        }
        guard name.utf8.count <= Self.longestName else {
            throw DictionaryFault("the name \(name) is longer than \(Self.longestName) octets")
        }
        return name
    }

    /// Octets in a name, at most.
    static let longestName = 127
}
