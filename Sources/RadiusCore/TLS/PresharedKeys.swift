internal import COpenSSL

/// Keys that peers share with a server instead of certificates (RFC 8446 §2.2, RFC 9257), from a file: `name:hexadecimal` on each line.
///
/// TLS 1.3 only, with ephemeral keys besides. Sendable: nothing changes after `init`; OpenSSL has its address, and the `TLSContext` keeps this.
final class PresharedKeys: @unchecked Sendable {
    private let keys: [[UInt8]: (number: Int, key: [UInt8])]
    private let names: [String]

    /// Octets of a key: fewer can be guessed (RFC 9257 §6), more OpenSSL does not take.
    private static let keyOctets = 16...256
    private static let nameOctets = 1...128
    private static let lineLimit = 100_000

    /// Those of a server that takes such; nil for all others.
    static func read(_ settings: TLSSettings) throws(TLSFileFailure) -> PresharedKeys? {
        guard settings.role == .server, let path = settings.presharedKeyPath else { return nil }
        return try PresharedKeys(path: path)
    }

    /// - Throws: `TLSFileFailure` that names the line.
    init(path: String) throws(TLSFileFailure) {
        let lines = try Self.lines(of: PEMFile(path: path).octets)
        var keys: [[UInt8]: (number: Int, key: [UInt8])] = [:]
        var names: [String] = []
        guard lines.count <= Self.lineLimit else { throw TLSFileFailure(path: path, reason: "more than \(Self.lineLimit) lines") }
        for (position, line) in lines.enumerated() where !line.isEmpty && line.first != UInt8(ascii: "#") {
            guard let (name, key) = Self.parse(line) else {
                throw TLSFileFailure(
                    path: path,
                    reason:
                        "line \(position + 1) is not name:key, a name of letters, digits, '.', '_' and '-', a key of 32 to 512 hexadecimal digits"
                )
            }
            guard keys[name] == nil else {
                throw TLSFileFailure(path: path, reason: "line \(position + 1) has a name that was there before")
            }
            keys[name] = (names.count, key)
            names.append(String(decoding: name, as: UTF8.self))
        }
        guard !names.isEmpty else { throw TLSFileFailure(path: path, reason: "it holds no key; each line is name:hexadecimal") }
        (self.keys, self.names) = (keys, names)
    }

    /// Without blanks around them.
    private static func lines(of octets: [UInt8]) -> [ArraySlice<UInt8>] {
        octets.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            var line = line.drop { $0 == 0x20 || $0 == 0x09 }
            while let last = line.last, last == 0x20 || last == 0x09 || last == 0x0d { line.removeLast() }
            return line
        }
    }

    private static func parse(_ line: ArraySlice<UInt8>) -> (name: [UInt8], key: [UInt8])? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let name = Array(line[..<colon])
        let isName = name.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || [0x2d, 0x2e, 0x5f].contains(byte)
        }
        guard isName, nameOctets.contains(name.count), let key = Hexadecimal.octets(line[(colon + 1)...]), keyOctets.contains(key.count)
        else { return nil }
        return (name, key)
    }

    private static let contextIndex = lm_ssl_ctx_new_index()
    /// The number of a key that was offered, counted from 1, or `unknown`.
    private static let connectionIndex = lm_ssl_new_index()
    private static let unknown = -1

    /// Has `context` (an `SSL_CTX *` of a server) take them.
    ///
    /// OpenSSL chooses the suite before it looks for a key, and passes a key over that goes with another hash. Most clients' first wish is
    /// SHA-384; so the order is ours.
    ///
    /// - Throws: `TLSFileFailure` when OpenSSL has none of the suites.
    func attach(to context: OpaquePointer) throws(TLSFileFailure) {
        _ = Self.connectionIndex
        guard lm_ssl_ctx_prefer_sha256(context) == 1 else { throw TLSFileFailure(path: "ciphers", reason: OpenSSLErrors.text()) }
        SSL_CTX_set_ex_data(context, Self.contextIndex, Unmanaged.passUnretained(self).toOpaque())
        SSL_CTX_set_psk_server_callback(context, Self.find)
    }

    private typealias Callback = @convention(c) (OpaquePointer?, UnsafePointer<CChar>?, UnsafeMutablePointer<UInt8>?, UInt32) -> UInt32

    /// Copies the key of a name and leaves its number in the SSL; 0 octets for none.
    private static let find: Callback = { connection, identity, place, limit in
        guard let connection, let identity, let place, let context = SSL_get_SSL_CTX(connection),
            let held = SSL_CTX_get_ex_data(context, PresharedKeys.contextIndex)
        else { return 0 }
        let keys = Unmanaged<PresharedKeys>.fromOpaque(held).takeUnretainedValue()
        guard let found = keys.keys[Array(String(cString: identity).utf8)], found.key.count <= Int(limit) else {
            if SSL_get_ex_data(connection, PresharedKeys.connectionIndex) == nil {
                SSL_set_ex_data(connection, PresharedKeys.connectionIndex, UnsafeMutableRawPointer(bitPattern: PresharedKeys.unknown))
            }
            return 0
        }
        for (position, octet) in found.key.enumerated() { place[position] = octet }
        SSL_set_ex_data(connection, PresharedKeys.connectionIndex, UnsafeMutableRawPointer(bitPattern: found.number + 1))
        return UInt32(found.key.count)
    }

    /// What became of the keys that the peer of `connection` offered, which failed; nil when it offered none.
    static func problem(of connection: OpaquePointer) -> PresharedKeyProblem? {
        switch Int(bitPattern: SSL_get_ex_data(connection, connectionIndex)) {
        case 0: nil
        case unknown: .unknownName
        default: .wrongHash
        }
    }

    /// Whose key `connection` was established with; nil without one.
    func name(of connection: OpaquePointer) -> String? {
        let number = Int(bitPattern: SSL_get_ex_data(connection, Self.connectionIndex)) - 1
        return names.indices.contains(number) && SSL_session_reused(connection) == 1 ? names[number] : nil
    }
}

/// Why a peer without a certificate could not prove itself by its key.
public enum PresharedKeyProblem: Equatable, Sendable {
    /// No key here has the name.
    case unknownName
    /// The key under that name is another one.
    case wrongKey
    /// The peer offers no cipher suite with SHA-256, which such keys go with.
    case wrongHash

    /// A word for logs and metrics.
    var word: String {
        switch self {
        case .unknownName: "preshared_key_unknown"
        case .wrongKey: "preshared_key_wrong"
        case .wrongHash: "preshared_key_unusable"
        }
    }

    /// What it means, and what to do.
    var explanation: String {
        switch self {
        case .unknownName: "its name is not in the file of radsec.preshared_keys"
        case .wrongKey: "under its name the file of radsec.preshared_keys has another one"
        case .wrongHash: "it goes with a cipher suite of SHA-256 only, such as TLS_AES_128_GCM_SHA256, and the peer offers none"
        }
    }
}

extension TLSConversation {
    /// The name of the key that the peer has proven itself with, instead of a certificate; nil without one.
    public var presharedKeyName: String? { context.presharedKeys?.name(of: handle) }
}
