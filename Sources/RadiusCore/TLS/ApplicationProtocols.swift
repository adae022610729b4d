internal import COpenSSL

/// Protocols that may be spoken in a conversation, such as `radius/1.1` (RFC 7301, RFC 9765), in the order of preference.
///
/// Sendable: the octets never change. They stay where they are, since OpenSSL keeps their address; the `TLSContext` keeps this.
final class ApplicationProtocols: @unchecked Sendable {
    /// Each name behind an octet with its length.
    private let octets: UnsafeMutableBufferPointer<UInt8>
    /// The same of those that may be spoken over TLS 1.2, too.
    private let olderOctets: UnsafeMutableBufferPointer<UInt8>

    /// Nil when a name has not 1...255 octets, or there are more than 16.
    init?(_ names: [String]) {
        guard names.count <= 16, names.allSatisfy({ (1...255).contains($0.utf8.count) }) else { return nil }
        octets = Self.memory(Self.list(names))
        olderOctets = Self.memory(Self.list(Self.possible(names, over: .tls12)))
    }

    deinit {
        octets.deallocate()
        olderOctets.deallocate()
    }

    /// Those that may be spoken over a version of TLS: RADIUS/1.1 over 1.3 only (RFC 9765 §3.4).
    static func possible(_ names: [String], over version: TLSSettings.Version) -> [String] {
        version == .tls13 ? names : names.filter { RadiusVersions(applicationProtocol: $0) != .v11 }
    }

    private static func list(_ names: [String]) -> [UInt8] { names.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } }

    private static func memory(_ list: [UInt8]) -> UnsafeMutableBufferPointer<UInt8> {
        let octets = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: list.count)
        _ = octets.initialize(from: list)
        return octets
    }

    /// Offers names in one client's conversation (an `SSL *`) instead of its context's; whether they could be.
    static func offer(_ names: [String], on connection: OpaquePointer) -> Bool {
        guard ApplicationProtocols(names) != nil else { return false }
        let octets = list(names)
        return SSL_set_alpn_protos(connection, octets, UInt32(octets.count)) == 0
    }

    /// Offers them as a client, or chooses among them as a server; a client that offers others only is refused.
    func attach(to context: OpaquePointer, role: TLSSettings.Role) {
        switch role {
        case .client: SSL_CTX_set_alpn_protos(context, octets.baseAddress, UInt32(octets.count))
        case .server: SSL_CTX_set_alpn_select_cb(context, Self.select, Unmanaged.passUnretained(self).toOpaque())
        }
    }

    private typealias Callback =
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?, UnsafePointer<UInt8>?, UInt32,
            UnsafeMutableRawPointer?
        ) -> Int32

    private static let select: Callback = { connection, chosen, count, offered, offeredCount, ours in
        guard let ours, let chosen else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        let protocols = Unmanaged<ApplicationProtocols>.fromOpaque(ours).takeUnretainedValue()
        let octets = SSL_version(connection) == TLS1_3_VERSION ? protocols.octets : protocols.olderOctets
        guard !octets.isEmpty else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        var found: UnsafeMutablePointer<UInt8>?
        let result = SSL_select_next_proto(&found, count, octets.baseAddress, UInt32(octets.count), offered, offeredCount)
        guard result == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        chosen.pointee = UnsafePointer(found)
        return SSL_TLSEXT_ERR_OK
    }
}

extension TLSConversation {
    /// The protocol that both sides agreed on (RFC 7301); nil when the client offered none, or none is set.
    public var applicationProtocol: String? {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        SSL_get0_alpn_selected(handle, &name, &count)
        guard let name, count > 0 else { return nil }
        return String(validating: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
    }
}
