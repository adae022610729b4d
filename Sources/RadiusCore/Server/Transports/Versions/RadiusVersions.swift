/// Which versions of RADIUS may be spoken over a connection of TLS (RFC 9765 §3.3); of one that is open, the version that is.
public struct RadiusVersions: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// RADIUS as RFC 6614 has it, with the secret `radsec`.
    public static let v10 = RadiusVersions(rawValue: 1)
    /// RADIUS/1.1: without MD5, over TLS 1.3 only (RFC 9765 §3.4).
    public static let v11 = RadiusVersions(rawValue: 2)
    /// Whatever both sides speak; what RFC 9765 §3.3 has implementations begin with.
    public static let both: RadiusVersions = [.v10, .v11]

    /// Reads `1.0`, `1.1`, or both with a comma between them; nil for anything else.
    public init?(text: String) {
        var versions: RadiusVersions = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            let name = word.filter { $0 != " " }
            guard let version = Self.named.first(where: { $0.name == name })?.version else { return nil }
            versions.insert(version)
        }
        self = versions
    }

    /// The name of one version, such as `1.1`; of several, with commas between.
    public var name: String { Self.named.filter { contains($0.version) }.map(\.name).joined(separator: ",") }

    /// What ALPN calls them, the dearest first (RFC 9765 §3.1).
    public var applicationProtocols: [String] {
        Self.named.reversed().filter { contains($0.version) }.map { Self.applicationProtocol($0.name) }
    }

    /// The version that ALPN calls so; nil for what is no version of RADIUS.
    init?(applicationProtocol name: String) {
        guard let version = Self.named.first(where: { Self.applicationProtocol($0.name) == name })?.version else { return nil }
        self = version
    }

    private static let named: [(name: String, version: RadiusVersions)] = [("1.0", .v10), ("1.1", .v11)]

    private static func applicationProtocol(_ name: String) -> String { "radius/" + name }
}

/// What a client's connection of TLS may agree on with its server, and what its requests are made with (RFC 9765 §3.3).
public struct RadiusNegotiation: Sendable {
    /// Why a connection cannot be used.
    public enum Fault: Error, Equatable, Sendable, CustomStringConvertible {
        /// The server chose nothing: it does not know ALPN.
        case versionMissing
        /// The server chose what was not offered.
        case notOffered(String)
        /// RADIUS/1.1 over an older version of TLS than 1.3.
        case olderTLS
        /// RADIUS/1.1 alone, and over DTLS, of which there is 1.2 here.
        case overDatagrams

        /// A sentence without its full stop.
        public var description: String {
            switch self {
            case .versionMissing: "the server does not agree on a version of RADIUS (ALPN), so it speaks 1.0, and here 1.1 is demanded"
            case .notOffered(let name): "the server chose the application protocol “\(name)”, which was not offered"
            case .olderTLS: "the server chose RADIUS/1.1 over TLS 1.2, where it needs 1.3"
            case .overDatagrams: "RADIUS/1.1 is demanded, and over DTLS there is 1.0 only"
            }
        }
    }

    public let versions: RadiusVersions
    /// The secret of RADIUS/TLS. Requests and replies of the connection's owner are those of RADIUS/1.0, whatever is spoken.
    public let secret: SharedSecret
    /// Knows which attributes RADIUS/1.0 hides.
    public internal(set) var dictionary: RadiusDictionary

    public init(_ versions: RadiusVersions, secret: SharedSecret, dictionary: RadiusDictionary) {
        self.versions = versions
        self.secret = secret
        self.dictionary = dictionary
    }

    /// The version that is spoken.
    ///
    /// - Parameters:
    ///   - name: what the server chose by ALPN; nil for nothing.
    ///   - version: of TLS.
    /// - Returns: one version.
    /// - Throws: why none may be spoken; the connection must end then.
    func agreed(_ name: String?, over version: TLSSettings.Version?) throws(Fault) -> RadiusVersions {
        guard let name else {
            guard versions.contains(.v10) else { throw .versionMissing }
            return .v10
        }
        guard let chosen = RadiusVersions(applicationProtocol: name), versions.contains(chosen) else { throw .notOffered(name) }
        guard chosen == .v10 || version == .tls13 else { throw .olderTLS }
        return chosen
    }
}
