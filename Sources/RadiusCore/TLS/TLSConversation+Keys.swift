internal import COpenSSL

/// Keys that both sides of an EAP method get from a TLS conversation.
public struct EAPTLSKeys: Sendable, Equatable {
    /// MSK, 64 octets: MS-MPPE-Recv-Key is its first half of 32, MS-MPPE-Send-Key its second.
    public let masterSessionKey: [UInt8]
    /// EMSK, 64 octets.
    public let extendedMasterSessionKey: [UInt8]
    /// Session-Id (RFC 5247 §1.4): type, then 64 octets.
    public let sessionID: [UInt8]
}

extension TLSConversation {
    /// The version in use; nil before it is agreed on.
    public var protocolVersion: TLSSettings.Version? {
        switch SSL_version(handle) {
        case TLS1_2_VERSION, DTLS1_2_VERSION: .tls12
        case TLS1_3_VERSION: .tls13
        default: nil
        }
    }

    /// The cipher suite in use, in OpenSSL's words.
    public var cipherName: String {
        SSL_get_current_cipher(handle).map { String(cString: SSL_CIPHER_get_name($0)) } ?? ""
    }

    /// The digest of the cipher suite's PRF: that of TLS 1.3, or TLS 1.2's, where suites that name none have SHA-256 (RFC 5246 §5).
    var keyDigest: KeyedDigests.Kind {
        guard let suite = SSL_get_current_cipher(handle), let digest = SSL_CIPHER_get_handshake_digest(suite) else { return .sha256 }
        return EVP_MD_get_type(digest) == NID_sha384 ? .sha384 : .sha256
    }

    /// The digest of the cipher suite's MAC; of its PRF where it has none of its own.
    var macDigest: KeyedDigests.Kind {
        switch SSL_get_current_cipher(handle).map({ SSL_CIPHER_get_digest_nid($0) }) {
        case NID_sha1?: .sha1
        case NID_sha256?: .sha256
        case NID_sha384?: .sha384
        default: keyDigest
        }
    }

    /// Key material (RFC 5705, RFC 8446 §7.5).
    ///
    /// - Parameters:
    ///   - label: such as `ttls keying material`.
    ///   - context: nil differs from an empty one in TLS 1.2.
    ///   - count: octets; 1...1024.
    /// - Returns: nil unless the conversation is, or was, established.
    public func exportKeyingMaterial(label: String, context: [UInt8]? = nil, count: Int) -> [UInt8]? {
        guard state == .established || state == .closed, (1...1024).contains(count) else { return nil }
        var material = [UInt8](repeating: 0, count: count)
        let label = Array(label.utf8).map { CChar(bitPattern: $0) }
        let isDone = SSL_export_keying_material(
            handle, &material, count, label, label.count, context ?? [], context?.count ?? 0, context == nil ? 0 : 1)
        guard isDone == 1 else {
            _ = OpenSSLErrors.drain()
            return nil
        }
        return material
    }

    /// Keys of the EAP method with the number `type`: EAP-TLS 13 (RFC 5216 §2.3, RFC 9190 §2.3), TTLS 21 (RFC 5281 §8), PEAP 25 (RFC 9427 §2.1).
    ///
    /// - Returns: nil unless the conversation is, or was, established.
    public func eapKeys(type: UInt8) -> EAPTLSKeys? {
        switch protocolVersion {
        case .tls13:
            guard let keys = exportKeyingMaterial(label: "EXPORTER_EAP_TLS_Key_Material", context: [type], count: 128),
                let method = exportKeyingMaterial(label: "EXPORTER_EAP_TLS_Method-Id", context: [type], count: 64)
            else { return nil }
            return EAPTLSKeys(keys, sessionID: [type] + method)
        case .tls12:
            let label = type == 21 ? "ttls keying material" : "client EAP encryption"
            return exportKeyingMaterial(label: label, count: 128).map { EAPTLSKeys($0, sessionID: [type] + randoms) }
        case nil: return nil
        }
    }

    /// Client random, then server random: 64 octets.
    private var randoms: [UInt8] {
        var randoms = [UInt8](repeating: 0, count: 64)
        randoms.withUnsafeMutableBufferPointer { buffer in
            _ = SSL_get_client_random(handle, buffer.baseAddress, 32)
            _ = SSL_get_server_random(handle, buffer.baseAddress.map { $0 + 32 }, 32)
        }
        return randoms
    }
}

extension EAPTLSKeys {
    fileprivate init(_ material: [UInt8], sessionID: [UInt8]) {
        self.init(
            masterSessionKey: Array(material.prefix(64)), extendedMasterSessionKey: Array(material.dropFirst(64)), sessionID: sessionID)
    }
}
