@testable import RadiusCore

/// One block of a `Tests/Vectors/packets-*.txt`: octets, and what they say.
///
/// A block begins with `[kind] name`; then stand `key = value` lines, and an empty line ends it. A line that begins with a space goes
/// on; `#` begins a comment. Kinds:
/// - `packet`: a whole packet; `malformed`: one that is refused for `reason`.
/// - `attributes`: a run without a header that decodes to its pairs, which encode to it again; `decode`, `encode`: one way only.
struct PacketVector: Sendable {
    enum Kind: String, Sendable { case packet, malformed, attributes, decode, encode }

    let file: String
    let kind: Kind
    let name: String
    var octets: [UInt8] = []
    var secret: SharedSecret?
    var request: Digest16?
    var authenticator: DecodedPacket.Verdict?
    var messageAuthenticator: DecodedPacket.Verdict?
    var padding = 0
    var reason: String?
    var pairs: [String] = []

    var title: String { "\(file): \(name)" }

    /// The files that hold packets; each is a seed of the fuzzer, too.
    static let files = [
        "packets-rfc.txt", "packets-extended.txt", "packets-vendor.txt", "packets-values.txt", "packets-malformed.txt",
        "packets-radclient.txt",
    ]

    /// All vectors of all files.
    static func readAll() throws -> [PacketVector] {
        try files.flatMap { try read($0) }
    }

    static func read(_ file: String) throws -> [PacketVector] {
        var vectors: [PacketVector] = []
        var key = ""
        for (number, line) in try VectorFile.lines(of: file).enumerated() where !line.isEmpty && !line.hasPrefix("#") {
            func malformed(_ why: String) -> VectorFile.Malformed { VectorFile.Malformed(file: file, line: number + 1, why: why) }
            if line.hasPrefix("["), let end = line.firstIndex(of: "]") {
                guard let kind = Kind(rawValue: String(line[..<end].dropFirst())) else { throw malformed("no such kind") }
                vectors.append(PacketVector(file: file, kind: kind, name: String(line[end...].dropFirst(2))))
                continue
            }
            guard !vectors.isEmpty else { throw malformed("a value before the first [kind]") }
            var value = line.drop { $0 == " " }
            if !line.hasPrefix(" ") {
                guard let equals = line.firstIndex(of: "=") else { throw malformed("no = after the key") }
                key = String(line[..<equals].filter { $0 != " " })
                value = line[equals...].dropFirst().drop { $0 == " " }
            }
            guard vectors[vectors.count - 1].take(key, value) else { throw malformed("unknown key, or a bad value") }
        }
        return vectors
    }

    private mutating func take(_ key: String, _ value: Substring) -> Bool {
        switch key {
        case "octets":
            guard let more = PacketText.octets(hexadecimal: value) else { return false }
            octets += more
        case "secret": secret = SharedSecret(Array(value.utf8))
        case "request":
            request = PacketText.authenticator(hexadecimal: value)
            return request != nil
        case "authenticator":
            authenticator = DecodedPacket.Verdict(rawValue: String(value))
            return authenticator != nil
        case "message-authenticator":
            messageAuthenticator = DecodedPacket.Verdict(rawValue: String(value))
            return messageAuthenticator != nil
        case "padding": padding = Int(value) ?? -1
        case "reason": reason = String(value)
        case "pair": pairs.append(String(value))
        default: return false
        }
        return true
    }
}
