internal import COpenSSL
internal import Glibc

/// Which server a client expects (RFC 6125; RFC 6614 §2.3 for RadSec).
enum TLSPeerName {
    /// False when `name` is neither a DNS name nor an address.
    static func expect(_ name: String, on connection: OpaquePointer) -> Bool {
        guard !name.isEmpty, !name.utf8.contains(0), let parameters = SSL_get0_param(connection) else { return false }
        var octets = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, name, &octets) == 1 { return X509_VERIFY_PARAM_set1_ip(parameters, octets, 4) == 1 }
        if inet_pton(AF_INET6, name, &octets) == 1 { return X509_VERIFY_PARAM_set1_ip(parameters, octets, 16) == 1 }
        return SSL_set1_host(connection, name) == 1 && lm_ssl_set_server_name(connection, name) == 1
    }
}
