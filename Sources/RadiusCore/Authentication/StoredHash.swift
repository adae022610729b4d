/// The text of a stored password hash, and the work that it asks for.
struct StoredHash {
    let octets: [UInt8]

    init(_ stored: Span<UInt8>) {
        var octets: [UInt8] = []
        octets.reserveCapacity(stored.count)
        for i in stored.indices { octets.append(stored[i]) }
        self.octets = octets
    }

    /// For C: ends with NUL.
    var terminated: [CChar] { octets.map { CChar(bitPattern: $0) } + [0] }

    func begins(with prefix: String) -> Bool { octets.starts(with: prefix.utf8) }

    /// The parts between dollar signs; the first is the scheme's.
    private var parts: [ArraySlice<UInt8>] {
        octets.dropFirst().split(separator: 0x24, omittingEmptySubsequences: false)
    }

    /// The work that the text asks for; nil when it does not say so in its scheme's form, or holds a NUL.
    func cost(of scheme: PasswordHash.Scheme) -> PasswordHash.Cost? {
        guard octets.count < 384, !octets.contains(0), parts.count >= 3 else { return nil }
        switch scheme {
        case .bcrypt:
            guard parts[1].count == 2, let exponent = Self.number(parts[1]) else { return nil }
            return .rounds(exponent, limit: 16)
        case .sha256Crypt, .sha512Crypt:
            guard let rounds = Self.value("rounds=", parts[1]) else { return .rounds(5000, limit: 1_000_000) }
            return .rounds(rounds, limit: 1_000_000)
        case .md5Crypt:
            return .rounds(1000, limit: 1000)
        case .yescrypt:
            return yescryptCost
        case .argon2d, .argon2i, .argon2id:
            return argon2Cost
        }
    }

    /// `j`, the logarithm of N less one, the block size r less one (yescrypt's default flavour, as crypt_gensalt writes it).
    private var yescryptCost: PasswordHash.Cost? {
        let parameters = Array(parts[1])
        guard parameters.count == 3, parameters[0] == 0x6a,
            let exponent = Self.base64Digit(parameters[1]), let size = Self.base64Digit(parameters[2]), exponent < 40
        else { return nil }
        let octets = 128 * (size + 1) * (1 << (exponent + 1))
        return .memory(kibibytes: octets / 1024, passes: 1)
    }

    /// `v=19` (may be absent), then `m=<KiB>,t=<passes>,p=<lanes>`.
    private var argon2Cost: PasswordHash.Cost? {
        let settings = parts[1].starts(with: "v=".utf8) ? parts[2] : parts[1]
        let fields = settings.split(separator: 0x2c)
        guard fields.count >= 3, let memory = Self.value("m=", fields[0]), let passes = Self.value("t=", fields[1]),
            let lanes = Self.value("p=", fields[2]), lanes >= 1
        else { return nil }
        return lanes <= 16 ? .memory(kibibytes: memory, passes: passes) : .memory(kibibytes: .max, passes: passes)
    }

    private static func value(_ name: String, _ text: ArraySlice<UInt8>) -> Int? {
        text.starts(with: name.utf8) ? number(text.dropFirst(name.utf8.count)) : nil
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...10).contains(digits.count), digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// The digits of crypt(3): `./0-9A-Za-z`.
    private static func base64Digit(_ octet: UInt8) -> Int? {
        switch octet {
        case 0x2e...0x39: Int(octet) - 0x2e
        case 0x41...0x5a: Int(octet) - 0x41 + 12
        case 0x61...0x7a: Int(octet) - 0x61 + 38
        default: nil
        }
    }
}

extension PasswordHash {
    /// The work that a stored hash asks for.
    enum Cost {
        /// Rounds, or their logarithm, against the most that is bearable.
        case rounds(Int, limit: Int)
        /// Memory, passed over so many times.
        case memory(kibibytes: Int, passes: Int)

        /// Whether one comparison stays within some seconds and 1 GiB.
        var isBearable: Bool {
            switch self {
            case .rounds(let rounds, let limit): rounds <= limit
            case .memory(let kibibytes, let passes):
                kibibytes <= 1 << 20 && passes <= 1 << 12 && kibibytes * passes <= 1 << 22
            }
        }
    }
}

extension PasswordHash.Scheme {
    /// How a stored hash of the scheme begins.
    var prefixes: [String] {
        switch self {
        case .bcrypt: ["$2a$", "$2b$", "$2y$"]
        case .sha256Crypt: ["$5$"]
        case .sha512Crypt: ["$6$"]
        case .yescrypt: ["$y$"]
        case .md5Crypt: ["$1$"]
        case .argon2d: ["$argon2d$"]
        case .argon2i: ["$argon2i$"]
        case .argon2id: ["$argon2id$"]
        }
    }
}
