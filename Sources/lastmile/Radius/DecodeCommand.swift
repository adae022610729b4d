import ArgumentParser
import RadiusCore

/// `lastmile radius decode`: packets in hexadecimal, one a line of standard input.
struct DecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode", abstract: "Prints the attributes of packets given in hexadecimal, one a line, on standard input.",
        discussion: """
            Blanks and colons between digits are passed over, and so are empty lines and lines that begin with #. \
            Ends with 1 when a packet was malformed; the others are printed all the same.
            """)

    @OptionGroup var names: DictionaryOption
    @Option(parsing: .unconditional, help: "The shared secret: reveals hidden values and checks digests.") var secret: String?
    @Option(help: ArgumentHelp("Of the request that a reply answers, in hexadecimal.", valueName: "hex")) var requestAuthenticator: String?
    @Option(name: [.customShort("o"), .long], help: "How it is printed: table (text), json.") var output = OutputFormat.table

    func run() throws {
        guard output == .table || output == .json else {
            throw CommandFailure.usage("-o \(output.rawValue): table or json is possible here")
        }
        let reader = PacketReader(
            dictionary: try names.load(), secret: secret.map { SharedSecret(Array($0.utf8)) },
            requestAuthenticator: try Self.authenticator(requestAuthenticator, option: "--request-authenticator"))
        let lines = try Terminal.standardInput().split(separator: 0x0a, omittingEmptySubsequences: false)
        var malformed = 0
        var packets = 0
        for (index, bytes) in lines.enumerated() {
            guard let text = PacketReader.content(bytes) else { continue }
            packets += 1
            let result = reader.read(text, line: index + 1)
            if case .failure = result { malformed += 1 }
            Terminal.out(output == .json ? JSONText.compact(PacketReader.json(result)) + "\n" : PacketReader.text(result))
        }
        guard packets > 0 else {
            throw CommandFailure.usage(
                "standard input holds no packet", next: "Give one in hexadecimal: echo 0101... | lastmile radius decode")
        }
        guard malformed == 0 else {
            throw CommandFailure(.failed, "\(malformed) of \(packets) packets \(malformed == 1 ? "is" : "are") malformed")
        }
    }

    /// An authenticator from its option; nil for none.
    static func authenticator(_ text: String?, option: String) throws(CommandFailure) -> Digest16? {
        guard let text else { return nil }
        guard let authenticator = PacketText.authenticator(hexadecimal: text) else {
            throw .usage("\(option) is no authenticator", next: "It has 32 hexadecimal digits: octets 5 to 20 of the packet.")
        }
        return authenticator
    }
}

/// Reads packets from lines of hexadecimal digits.
struct PacketReader {
    let dictionary: RadiusDictionary
    let secret: SharedSecret?
    let requestAuthenticator: Digest16?

    /// Why a line is no packet.
    struct Refusal: Error, Equatable {
        let line: Int
        let reason: String
    }

    /// The line without blanks at its ends; nil for an empty line or a comment.
    static func content(_ line: some Collection<UInt8>) -> String? {
        let blanks: Set<UInt8> = [0x20, 0x09, 0x0d]
        let text = String(decoding: line.drop { blanks.contains($0) }.reversed().drop { blanks.contains($0) }.reversed(), as: UTF8.self)
        return text.isEmpty || text.hasPrefix("#") ? nil : text
    }

    func read(_ text: String, line: Int) -> Result<DecodedPacket, Refusal> {
        guard let octets = PacketText.octets(hexadecimal: text) else {
            return .failure(Refusal(line: line, reason: Self.digitFault(text)))
        }
        do {
            let packet = try PacketText.describe(
                octets.span, dictionary: dictionary, secret: secret, requestAuthenticator: requestAuthenticator)
            return .success(packet)
        } catch {
            return .failure(Refusal(line: line, reason: error.explanation))
        }
    }

    private static func digitFault(_ text: String) -> String {
        let digits = text.filter { $0 != " " && $0 != ":" && $0 != "\t" }
        if let strange = digits.first(where: { !$0.isHexDigit && $0 != "x" && $0 != "X" }) {
            return "“\(Printable.line(String(strange)))” is no hexadecimal digit"
        }
        return digits.count % 2 == 1 ? "an odd number of hexadecimal digits" : "these are no hexadecimal digits"
    }

    static func text(_ result: Result<DecodedPacket, Refusal>) -> String {
        switch result {
        case .success(let packet): packet.description + "\n\n"
        case .failure(let refusal): "line \(refusal.line): malformed: \(refusal.reason)\n\n"
        }
    }

    static func json(_ result: Result<DecodedPacket, Refusal>) -> JSONValue {
        switch result {
        case .failure(let refusal): .object([.init("line", .number(refusal.line)), .init("error", .string(refusal.reason))])
        case .success(let packet): json(packet)
        }
    }

    static func json(_ packet: DecodedPacket) -> JSONValue {
        .object([
            .init("code", .string(packet.code.name)), .init("identifier", .number(packet.identifier)),
            .init("length", .number(packet.length)),
            .init("authenticator", .string(Hexadecimal.text(packet.authenticator))),
            .init("authenticator_check", .string(packet.packetAuthenticator.rawValue)),
            .init("message_authenticator_check", .string(packet.messageAuthenticator.rawValue)),
            .init("padding", .number(packet.paddingOctets)), .init("attributes", .array(packet.pairs.map(attribute))),
        ])
    }

    private static func attribute(_ pair: AttributePair) -> JSONValue {
        var members = [JSONValue.Member("name", .string(pair.name))]
        if let tag = pair.tag { members.append(.init("tag", .number(tag))) }
        members.append(.init("value", .string(pair.value)))
        if pair.isHidden { members.append(.init("hidden", .bool(true))) }
        return .object(members)
    }
}
