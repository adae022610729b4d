internal import RadiusCore

extension Field {
    /// An address without a prefix length, in canonical text.
    func address(_ text: String, _ family: Family) throws(FieldFault) -> String {
        guard let address = IPAddress(text: text) else {
            throw FieldFault("address", "an \(family.noun) address is expected, without a prefix length")
        }
        try check(address, family)
        return address.text
    }

    /// A network in canonical text, `192.0.2.0/24`; a lone address is a network of one.
    func prefix(_ text: String, _ family: Family) throws(FieldFault) -> String {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPAddress(text: String(parts[0])) else {
            throw FieldFault("prefix", "an \(family.noun) network such as \(family.example) is expected")
        }
        try check(address, family)
        guard parts.count == 2 else { return "\(address.text)/\(address.bits)" }
        guard !parts[1].isEmpty, parts[1].count <= 3, parts[1].allSatisfy({ $0.isASCII && $0.isNumber }),
            let length = Int(parts[1]), length <= address.bits
        else {
            let hint = address.bits == 32 && parts[0].contains(":") ? "; this is \(address.text), so write it, with its own length" : ""
            throw FieldFault("prefix", "the prefix length is 0 to \(address.bits)\(hint)")
        }
        let network = address.masked(to: 128 - address.bits + length)
        guard network == address else {
            throw FieldFault("prefix", "bits are set beyond the prefix length; the network is \(network.text)/\(length)")
        }
        return "\(address.text)/\(length)"
    }

    private func check(_ address: IPAddress, _ family: Family) throws(FieldFault) {
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

extension IPAddress {
    /// Of its family.
    fileprivate var bits: Int { ipv4 == nil ? 128 : 32 }
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
