import ArgumentParser
import RadiusCore

/// `lastmile radius encode`: the reverse of `decode`.
struct EncodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encode", abstract: "Makes a packet of `Name = value` lines on standard input and prints it in hexadecimal.",
        discussion: """
            Takes what decode prints: its first line, such as `Access-Request id 7 length 56 authenticator 0x...`, gives code, identifier \
            and authenticator unless options do. With a secret the packet is signed and gets a Message-Authenticator first.
            """)

    @OptionGroup var names: DictionaryOption
    @Option(help: "Access-Request and the like, or its number.") var code: String?
    @Option(name: [.customLong("id"), .customLong("identifier")], help: "0 to 255.") var identifier: UInt8?
    @Option(help: ArgumentHelp("Of an Access-Request its own, of a reply the request's; random for an Access-Request.", valueName: "hex"))
    var authenticator: String?
    @Option(parsing: .unconditional, help: "The shared secret: hides values and signs.") var secret: String?
    @Flag(help: "Adds no Message-Authenticator.") var noMessageAuthenticator = false

    func run() throws {
        let dictionary = try names.load()
        let text = String(decoding: try Terminal.standardInput(), as: UTF8.self)
        var draft = try PacketDraft(text: text)
        if let code { draft.code = try PacketDraft.code(code) }
        if let identifier { draft.identifier = identifier }
        if let given = try DecodeCommand.authenticator(authenticator, option: "--authenticator") { draft.authenticator = given }
        let octets = try draft.assemble(
            dictionary: dictionary, secret: secret.map { SharedSecret(Array($0.utf8)) }, isMarked: !noMessageAuthenticator)
        Terminal.out(Hexadecimal.text(octets) + "\n")
    }
}

/// A packet as text, before it has octets.
struct PacketDraft {
    var code: PacketCode?
    var identifier: UInt8?
    var authenticator: Digest16?
    var pairs: [AttributeText] = []

    /// Reads attributes, and the line in front of them that `decode` prints.
    init(text: String) throws(CommandFailure) {
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let bare = line.drop { $0 == " " || $0 == "\t" }
            if bare.isEmpty || bare.hasPrefix("#") { continue }
            if !bare.contains("="), pairs.isEmpty, code == nil {
                try header(bare.split(separator: " ").map(String.init), index + 1)
                continue
            }
            do { pairs.append(try AttributeText(line: bare)) } catch {
                throw .usage("line \(index + 1): \(error.description)", next: "Write Name = value, such as User-Name = \"alice\".")
            }
        }
    }

    /// `Access-Request id 7 length 56 authenticator 0x...`
    private mutating func header(_ words: [String], _ line: Int) throws(CommandFailure) {
        do { code = try Self.code(words[0]) } catch { throw .usage("line \(line): \(error.message)", next: error.next) }
        for (name, value) in zip(words.dropFirst(), words.dropFirst(2)) {
            if name == "id" { identifier = UInt8(value) }
            if name == "authenticator" { authenticator = PacketText.authenticator(hexadecimal: value) }
        }
    }

    func assemble(dictionary: RadiusDictionary, secret: SharedSecret?, isMarked: Bool) throws(CommandFailure) -> [UInt8] {
        let code = code ?? .accessRequest
        let isReply = [2, 3, 5, 11, 41, 42, 44, 45].contains(code.rawValue)
        if isReply, secret != nil, authenticator == nil {
            throw .usage("a signed \(code.name) needs its request's authenticator", next: "Give it with --authenticator.")
        }
        let random = ClientPacket.randomOctets(16)
        do {
            return try PacketText.assemble(
                code, identifier: identifier ?? .random(in: 0...255), pairs, dictionary: dictionary, secret: secret,
                authenticator: authenticator ?? Digest16 { random[$0] }, hasMessageAuthenticator: isMarked)
        } catch {
            throw .usage(error.description, next: "`lastmile radius decode` prints values in the form that is taken here.")
        }
    }

    /// A code by name or number.
    static func code(_ text: String) throws(CommandFailure) -> PacketCode {
        if let number = UInt8(text) { return PacketCode(rawValue: number) }
        let named = (0...UInt8.max).map { PacketCode(rawValue: $0) }.first { $0.name.lowercased() == text.lowercased() }
        guard let named else {
            throw .usage("“\(text)” is no packet code", next: "Access-Request, Accounting-Request, CoA-Request and the like, or a number.")
        }
        return named
    }
}
