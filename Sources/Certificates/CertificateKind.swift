/// What a certificate is for; decides its extended key usages.
public enum CertificateKind: String, Sendable, CaseIterable {
    /// The EAP server, and a RadSec server: serverAuth, which supplicants ask for (RFC 5216 §5.3).
    case server
    /// Somebody who logs in with EAP-TLS: clientAuth.
    case client
    /// A RadSec peer, which calls and is called: both (RFC 6614 §2.3).
    case radsec

    var extendedKeyUsages: [String] {
        switch self {
        case .server: ["serverAuth"]
        case .client: ["clientAuth"]
        case .radsec: ["serverAuth", "clientAuth"]
        }
    }
}

/// What keys are made of.
public enum KeyType: String, Sendable, CaseIterable {
    /// ECDSA over P-256: a signature costs a fifteenth of RSA's, and certificates are shorter, so handshakes need fewer packets.
    case ecdsaP256 = "ecdsa-p256"
    /// RSA of 3072 bits, for peers that know nothing else.
    case rsa3072 = "rsa-3072"
}

/// How a PKCS#12 file is encrypted.
public enum PKCS12Encryption: String, Sendable, CaseIterable {
    /// AES-256 with PBKDF2 and HMAC-SHA-256: Windows 10 1709 and later, Android 12, iOS 15 and later.
    case aes256 = "aes-256"
    /// Triple DES with SHA-1, for devices that know nothing else. Weak: choose a long password and delete the file after use.
    case tripleDES = "3des"
}
