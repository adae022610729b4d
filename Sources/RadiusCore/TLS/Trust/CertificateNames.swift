internal import COpenSSL
internal import Glibc

/// Subject alternative names of a certificate (RFC 5280 §4.2.1.6).
public struct CertificateNames: Sendable, Equatable {
    /// rfc822Name.
    public internal(set) var emailAddresses: [String] = []
    /// Microsoft's user principal name, such as `alice@example.net`: what Windows logs in with.
    public internal(set) var userPrincipalNames: [String] = []
    public internal(set) var dnsNames: [String] = []
    /// In text, such as `192.0.2.1` and `2001:db8::1`.
    public internal(set) var ipAddresses: [String] = []
    /// Realms that a RadSec server answers for (RFC 7585 §2.2).
    public internal(set) var naiRealms: [String] = []

    /// OID of the user principal name, an otherName.
    public static let userPrincipalNameOID = "1.3.6.1.4.1.311.20.2.3"
    /// id-on-naiRealm (RFC 7585 §2.2).
    public static let naiRealmOID = "1.3.6.1.5.5.7.8.8"

    /// More names than a certificate has any use for are not read.
    private static let limit: Int32 = 256

    init(of certificate: OpaquePointer) {
        guard let found = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return }
        let list = OpaquePointer(found)
        defer { GENERAL_NAMES_free(list) }
        for position in 0..<min(Self.limit, max(0, lm_general_name_count(list))) {
            if let name = lm_general_name(list, position) { add(name) }
        }
    }

    private mutating func add(_ name: UnsafeMutablePointer<GENERAL_NAME>) {
        switch name.pointee.type {
        case GEN_EMAIL: Self.text(name.pointee.d.rfc822Name).map { emailAddresses.append($0) }
        case GEN_DNS: Self.text(name.pointee.d.dNSName).map { dnsNames.append($0) }
        case GEN_IPADD: Self.address(name.pointee.d.iPAddress).map { ipAddresses.append($0) }
        case GEN_OTHERNAME: addOther(name.pointee.d.otherName)
        default: break
        }
    }

    private mutating func addOther(_ name: UnsafeMutablePointer<OTHERNAME>?) {
        guard let name, let value = name.pointee.value, value.pointee.type == V_ASN1_UTF8STRING,
            let text = Self.text(value.pointee.value.utf8string)
        else { return }
        switch Self.objectIdentifier(name.pointee.type_id) {
        case Self.userPrincipalNameOID: userPrincipalNames.append(text)
        case Self.naiRealmOID: naiRealms.append(text)
        default: break
        }
    }

    private static func objectIdentifier(_ object: OpaquePointer?) -> String {
        var text = [CChar](repeating: 0, count: 80)
        guard let object, OBJ_obj2txt(&text, Int32(text.count), object, 1) > 0 else { return "" }
        return text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    }

    /// The string in UTF-8; nil when it is empty, is not text, or has control characters.
    static func text(_ string: UnsafePointer<ASN1_STRING>?) -> String? {
        var octets: UnsafeMutablePointer<UInt8>?
        guard let string else { return nil }
        let count = ASN1_STRING_to_UTF8(&octets, string)
        defer { CRYPTO_free(octets, "", 0) }
        guard count > 0, let octets, let text = String(validating: UnsafeBufferPointer(start: octets, count: Int(count)), as: UTF8.self)
        else { return nil }
        return text.unicodeScalars.contains { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) } ? nil : text
    }

    private static func address(_ string: UnsafePointer<ASN1_STRING>?) -> String? {
        guard let string, let data = string.pointee.data else { return nil }
        let family = string.pointee.length == 4 ? AF_INET : AF_INET6
        guard string.pointee.length == 4 || string.pointee.length == 16 else { return nil }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        return inet_ntop(family, data, &text, socklen_t(text.count)).map { String(cString: $0) }
    }
}
