import RadiusCore

/// Something that happened on a simulated NAS, for people and for scripts.
struct SimulatorEvent: Equatable {
    enum Kind: String {
        case listening, accepted, rejected, online, interim, closed, unanswered
        case changed = "coa"
        case disconnected
        case refused, ignored, dropped, summary
    }

    let kind: Kind
    /// Acct-Session-Id; nil when it is about no session.
    var session: String?
    var user: String?
    var members: [JSONValue.Member] = []

    init(_ kind: Kind, _ session: SimulatedSession? = nil, _ members: [JSONValue.Member] = []) {
        self.kind = kind
        self.session = session?.sessionID
        user = session.map { String(decoding: $0.userName, as: UTF8.self) }
        self.members = members
    }

    /// One JSON object in one line.
    func json(time: UInt32) -> String {
        var all: [JSONValue.Member] = [.init("time", .number(time)), .init("event", .string(kind.rawValue))]
        if let session { all.append(.init("session", .string(session))) }
        if let user { all.append(.init("user", .string(user))) }
        return JSONText.compact(.object(all + members)) + "\n"
    }

    /// A line, and a line for each attribute.
    var text: String {
        let attributes = members.first { $0.name == "attributes" }?.value.elements ?? []
        let facts = members.filter { $0.name != "attributes" }.map { "\($0.name)=\(Printable.line($0.value.cell))" }
        let head = [kind.rawValue, user.map(Printable.line), session.map { "(\(Printable.line($0)))" }].compactMap { $0 } + facts
        let lines = attributes.map { pair in Printable.line("    \(pair["name"]?.cell ?? "") = \(pair["value"]?.cell ?? "")") }
        return ([head.joined(separator: " ")] + lines).map { $0 + "\n" }.joined()
    }

    /// The attributes of a packet as a member, without digests and keys.
    static func attributes(_ octets: [UInt8], _ dictionary: RadiusDictionary) -> JSONValue.Member {
        let pairs = (try? AttributeDecoder.decode(attributes: octets.span, dictionary: dictionary)) ?? []
        let shown = pairs.filter { $0.path.numbers != [UInt32(AttributeNumber.messageAuthenticator)] && !$0.isSecret && !$0.isHidden }
        return .init(
            "attributes", .array(shown.map { .object([.init("name", .string($0.taggedName)), .init("value", .string($0.value))]) }))
    }
}
