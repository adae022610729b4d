internal import Glibc

extension Field {
    /// An address without a prefix length, in canonical text.
    func address(_ text: String, _ family: Family) throws(FieldFault) -> String {
        guard let address = NetworkAddress(text) else {
            throw FieldFault("address", "an \(family.noun) address is expected, without a prefix length")
        }
        try check(address, family)
        return address.text
    }

    /// A network in canonical text, `192.0.2.0/24`; a lone address is a network of one.
    func prefix(_ text: String, _ family: Family) throws(FieldFault) -> String {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = NetworkAddress(String(parts[0])) else {
            throw FieldFault("prefix", "an \(family.noun) network such as \(family.example) is expected")
        }
        try check(address, family)
        guard parts.count == 2 else { return "\(address.text)/\(address.bits)" }
        guard !parts[1].isEmpty, parts[1].count <= 3, parts[1].allSatisfy({ $0.isASCII && $0.isNumber }),
            let length = Int(parts[1]), length <= address.bits
        else { throw FieldFault("prefix", "the prefix length is 0 to \(address.bits)") }
        let network = address.network(length)
        guard network == address else {
            throw FieldFault("prefix", "bits are set beyond the prefix length; the network is \(network.text)/\(length)")
        }
        return "\(address.text)/\(length)"
    }

    private func check(_ address: NetworkAddress, _ family: Family) throws(FieldFault) {
        guard family == .any || family.rawValue == (address.bits == 32 ? 4 : 6) else {
            throw FieldFault("family", "an \(family.noun) address is expected here")
        }
    }

    /// `aa:bb:cc:dd:ee:ff` of `AA-BB-CC-DD-EE-FF`, `aabb.ccdd.eeff`, `aabbccddeeff` and the like.
    func hardwareAddress(_ text: String) throws(FieldFault) -> String {
        let digits = text.lowercased().filter { $0.isHexDigit && $0.isASCII }
        let separators = text.filter { !($0.isHexDigit && $0.isASCII) }
        guard digits.count == 12, separators.count <= 5, separators.allSatisfy({ ":-. ".contains($0) }) else {
            throw FieldFault("mac", "six octets in hexadecimal are expected, such as aa:bb:cc:dd:ee:ff")
        }
        return stride(from: 0, to: 12, by: 2).map { String(digits.dropFirst($0).prefix(2)) }.joined(separator: ":")
    }
}

extension Field.Family {
    var noun: String {
        switch self {
        case .any: "IP"
        case .ipv4: "IPv4"
        case .ipv6: "IPv6"
        }
    }

    var example: String { self == .ipv6 ? "2001:db8::/48" : "192.0.2.0/24" }
}

/// An IPv4 or IPv6 address as octets.
struct NetworkAddress: Equatable {
    let octets: [UInt8]

    var bits: Int { octets.count * 8 }

    /// The address that `text` spells (`inet_pton`); nil for anything else.
    init?(_ text: String) {
        guard text.utf8.count <= 45, !text.utf8.contains(0) else { return nil }
        var octets = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &octets) == 1 {
            self.octets = Array(octets[..<4])
        } else if inet_pton(AF_INET6, text, &octets) == 1 {
            self.octets = octets
        } else {
            return nil
        }
    }

    private init(octets: [UInt8]) {
        self.octets = octets
    }

    /// The address with all bits beyond `length` zero.
    func network(_ length: Int) -> NetworkAddress {
        NetworkAddress(
            octets: octets.enumerated().map { index, octet in
                let kept = max(0, min(8, length - index * 8))
                return octet & ~UInt8(truncatingIfNeeded: 0xFF >> kept)
            })
    }

    /// Canonical text (`inet_ntop`, RFC 5952).
    var text: String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(octets.count == 4 ? AF_INET : AF_INET6, octets, &buffer, socklen_t(buffer.count)) != nil else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
