/// What reveals hidden values.
public struct RevealKeys: Sendable {
    public let secret: SharedSecret
    /// The request's authenticator; 16 zero octets inside Accounting, CoA and Disconnect requests.
    public let authenticator: Digest16

    public init(secret: SharedSecret, authenticator: Digest16) {
        self.secret = secret
        self.authenticator = authenticator
    }
}

/// What hides values.
public struct HideKeys: Sendable {
    public let secret: SharedSecret
    /// The request's authenticator; 16 zero octets inside Accounting, CoA and Disconnect requests.
    public let authenticator: Digest16
    /// A salt for each value, unique within the packet; its highest bit is set in any case (RFC 2868 §3.5).
    public let nextSalt: @Sendable () -> UInt16

    /// - Parameters:
    ///   - secret: what the peer shares.
    ///   - authenticator: see above.
    ///   - nextSalt: random unless given.
    public init(
        secret: SharedSecret, authenticator: Digest16, nextSalt: @escaping @Sendable () -> UInt16 = { .random(in: 0x8000...0xffff) }
    ) {
        self.secret = secret
        self.authenticator = authenticator
        self.nextSalt = nextSalt
    }
}

/// Hidden values of whole attributes, in arrays; the packet path uses the primitives themselves.
enum HiddenValue {
    /// Whether `octets` can be a hidden value at all.
    static func fits(_ octets: [UInt8], _ encryption: AttributeEncryption) -> Bool {
        switch encryption {
        case .none: true
        case .userPassword: (16...UserPassword.maximumCount).contains(octets.count) && octets.count % 16 == 0
        case .tunnelPassword: (18...242).contains(octets.count) && octets.count % 16 == 2
        case .ascendSecret: octets.count == AscendSecret.maximumCount
        }
    }

    /// The clear value, filled up with zeros to the length that `definition` demands; nil when the secret cannot be the right one.
    static func reveal(_ octets: [UInt8], as definition: AttributeDefinition, _ keys: RevealKeys) -> [UInt8]? {
        var clear = [UInt8](repeating: 0, count: octets.count)
        guard let count = count(octets, definition.encryption, keys, into: &clear) else { return nil }
        clear.removeLast(clear.count - count)
        if let fixed = definition.fixedLength ?? definition.type.fixedOctets, clear.count < fixed, definition.encryption != .tunnelPassword
        {
            clear += [UInt8](repeating: 0, count: fixed - clear.count)
        }
        return clear
    }

    private static func count(
        _ octets: [UInt8], _ encryption: AttributeEncryption, _ keys: RevealKeys, into clear: inout [UInt8]
    ) -> Int? {
        var out = clear.mutableSpan
        switch encryption {
        case .none: return nil
        case .userPassword:
            return try? UserPassword.reveal(octets.span, requestAuthenticator: keys.authenticator, secret: keys.secret, into: &out)
        case .tunnelPassword:
            return try? SaltEncryption.reveal(octets.span, authenticator: keys.authenticator, secret: keys.secret, into: &out)
        case .ascendSecret:
            return try? AscendSecret.reveal(octets.span, requestAuthenticator: keys.authenticator, secret: keys.secret, into: &out)
        }
    }

    /// The hidden value, salt included.
    static func hide(_ clear: [UInt8], _ encryption: AttributeEncryption, _ keys: HideKeys) throws(AttributeTextError.Reason) -> [UInt8] {
        let limit =
            switch encryption {
            case .none: clear.count
            case .userPassword: UserPassword.maximumCount
            case .tunnelPassword: SaltEncryption.maximumCount
            case .ascendSecret: AscendSecret.maximumCount
            }
        guard clear.count <= limit else { throw .tooLong(octets: clear.count, limit: limit) }
        var hidden = [UInt8](repeating: 0, count: 256)
        let count = write(clear, encryption, keys, into: &hidden)
        return Array(hidden[..<count])
    }

    private static func write(_ clear: [UInt8], _ encryption: AttributeEncryption, _ keys: HideKeys, into hidden: inout [UInt8]) -> Int {
        var out = hidden.mutableSpan
        switch encryption {
        case .none: return 0
        case .userPassword:
            return UserPassword.hide(clear.span, requestAuthenticator: keys.authenticator, secret: keys.secret, into: &out)
        case .tunnelPassword:
            let salt = keys.nextSalt()
            return SaltEncryption.hide(clear.span, salt: salt, authenticator: keys.authenticator, secret: keys.secret, into: &out)
        case .ascendSecret:
            return AscendSecret.hide(clear.span, requestAuthenticator: keys.authenticator, secret: keys.secret, into: &out)
        }
    }
}
