/// Reads `client` sections of a `clients.conf`.
public struct ClientsFile {
    /// Sections inside of each other, at most.
    private static let depthLimit = 16

    public private(set) var source: FreeRADIUSSource
    private let name: String
    private var sections: [String] = []
    private var client: SourceClient?
    /// The name of its section, which is its address where no setting gives one.
    private var title = ""
    private var netmask = ""
    /// The first setting of the client whose value FreeRADIUS makes of a variable's.
    private var expanded: (setting: String, variable: String, line: Int)?
    /// A client section begins on each of these levels; sections inside of one are settings.
    private var clientDepth = 0

    public init(_ name: String, into source: FreeRADIUSSource) {
        self.name = name
        self.source = source
    }

    /// Reads all sections.
    ///
    /// - Throws: `SourceFault` where braces do not match.
    public mutating func read(_ octets: [UInt8]) throws(SourceFault) {
        var number = 0
        for line in octets.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            var lexer = FileLexer(Array(line), keepsBackslashes: true)
            lexer.skipBlanks()
            while !lexer.isAtEnd {
                do throws(SourceFault) { try statement(&lexer, number) } catch { throw SourceFault(line: number, error.reason) }
                lexer.skipBlanks()
            }
        }
        guard sections.isEmpty else { throw SourceFault(line: number, "a section “\(sections.last ?? "")” is never closed") }
    }

    private mutating func statement(_ lexer: inout FileLexer, _ line: Int) throws(SourceFault) {
        if lexer.take("}") { return try close() }
        guard let word = try lexer.text(stops: Self.stops)?.text else { throw SourceFault(line: line, "a word is expected") }
        lexer.skipBlanks()
        if word == "$INCLUDE" {
            let path = try lexer.text()?.text ?? ""
            return source.remarks.append(
                Remark(
                    .lost, Place(name, line), "", "$INCLUDE \(path)", "included files are not followed",
                    "Give that file with --clients, too."))
        }
        if lexer.take("{") { return try open(word, "", line) }
        if lexer.take("=") {
            lexer.skipBlanks()
            // A brace belongs to a word that it does not begin.
            let value = try lexer.next == UInt8(ascii: "}") ? nil : lexer.text()
            _ = lexer.take(",")
            let variable = value.flatMap { $0.quote == .single ? nil : Self.variable(in: $0.text) }
            return set(word.lowercased(), value?.text ?? "", variable, line)
        }
        guard let second = try lexer.text(stops: Self.stops)?.text else {
            throw SourceFault(line: line, "= or { is expected behind \(word.prefix(64))")
        }
        lexer.skipBlanks()
        guard lexer.take("{") else { throw SourceFault(line: line, "{ is expected behind \(word.prefix(64)) \(second.prefix(64))") }
        try open(word, second, line)
    }

    private static let stops = Set("={}".utf8)

    private mutating func open(_ word: String, _ title: String, _ line: Int) throws(SourceFault) {
        guard sections.count < Self.depthLimit else {
            throw SourceFault(line: line, "more than \(Self.depthLimit) sections inside of each other")
        }
        sections.append(word)
        if word == "client", client == nil {
            client = SourceClient(name: title, address: "", secret: "", at: Place(name, line))
            clientDepth = sections.count
            (self.title, netmask, expanded) = (title, "", nil)
        } else if client == nil, word != "clients" {
            source.remarks.append(Remark(.note, Place(name, line), title, word, "only client sections are read"))
        }
    }

    private mutating func close() throws(SourceFault) {
        guard sections.popLast() != nil else { throw SourceFault(line: 0, "a brace closes nothing") }
        guard var finished = client, sections.count < clientDepth else { return }
        client = nil
        if let expanded {
            return source.remarks.append(
                Remark(
                    .skipped, Place(name, expanded.line), title, "\(expanded.setting) with \(expanded.variable)",
                    "FreeRADIUS puts the variable's value there, which is not looked up here",
                    "Write the value there in a copy of the file, or make the NAS by hand: `lastmile nas create`."))
        }
        if finished.address.isEmpty { finished.address = title }
        if !netmask.isEmpty, !finished.address.contains("/") { finished.address += "/" + netmask }
        source.clients.append(finished)
    }

    /// `${name}` or `$ENV{NAME}` in a value; nil where there is none.
    private static func variable(in value: String) -> String? {
        guard let start = ["${", "$ENV{"].compactMap({ value.firstRange(of: $0)?.lowerBound }).min() else { return nil }
        // Without its end FreeRADIUS does not start, and what follows may be a secret.
        return value[start...].firstIndex(of: "}").map { String(value[start...$0]) } ?? "${"
    }

    private mutating func set(_ word: String, _ value: String, _ variable: String?, _ line: Int) {
        guard client != nil else { return }
        guard sections.count == clientDepth else {
            client?.others.append(.init(name: (sections.last ?? "") + "." + word, value: value))
            return
        }
        if let variable, expanded == nil { expanded = (word, variable, line) }
        switch word {
        case "ipaddr", "ipv4addr", "ipv6addr": client?.address = value == "*" ? (word == "ipv6addr" ? "::/0" : "0.0.0.0/0") : value
        case "netmask": netmask = value
        case "secret": client?.secret = value
        case "shortname": client?.name = value
        case "nas_type", "nastype": client?.type = value
        case "require_message_authenticator": client?.requireMessageAuthenticator = value
        case "limit_proxy_state": client?.limitProxyState = value
        default: client?.others.append(.init(name: word, value: value))
        }
    }
}
