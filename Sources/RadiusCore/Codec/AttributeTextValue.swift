/// The text of clear values, by type (RFC 8044 §3).
///
/// What `print` gives, `parse` takes back to the same octets.
enum ValueText {
    /// The text of `octets`, or nil when the type forbids them: wrong length, nonzero reserved octet, host bits set.
    static func print(_ octets: [UInt8], as definition: AttributeDefinition, in dictionary: RadiusDictionary) -> String? {
        if let fixed = definition.fixedLength, octets.count != fixed { return nil }
        guard definition.isArray, let width = definition.type.fixedOctets else {
            return element(octets, as: definition, in: dictionary)
        }
        guard !octets.isEmpty, octets.count % width == 0 else { return nil }
        var texts: [String] = []
        for start in stride(from: 0, to: octets.count, by: width) {
            guard let text = element(Array(octets[start..<start + width]), as: definition, in: dictionary) else { return nil }
            texts.append(text)
        }
        return texts.joined(separator: ", ")
    }

    private static func element(_ octets: [UInt8], as definition: AttributeDefinition, in dictionary: RadiusDictionary) -> String? {
        if let width = definition.type.fixedOctets, octets.count != width { return nil }
        switch definition.type {
        case .string: return OctetText.string(octets)
        case .octets, .ascendBinary, .tlv, .vsa, .extended, .longExtended, .evs: return OctetText.hexadecimal(octets)
        case .ipv4Address: return AddressText.text(ipv4: octets)
        case .ipv6Address: return AddressText.text(ipv6: octets)
        case .comboIP: return AddressText.text(ipv4: octets) ?? AddressText.text(ipv6: octets)
        case .ipv4Prefix, .ipv6Prefix: return prefix(octets, addressOctets: definition.type == .ipv4Prefix ? 4 : 16)
        case .integer, .byte, .short, .integer64: return number(NumberText.number(octets), of: definition, in: dictionary)
        case .signed: return signed(UInt32(truncatingIfNeeded: NumberText.number(octets)), of: definition, in: dictionary)
        case .bool: return octets[0] > 1 ? nil : octets[0] == 1 ? "yes" : "no"
        case .date: return DateText.text(UInt32(truncatingIfNeeded: NumberText.number(octets)))
        case .interfaceID: return InterfaceText.text(interfaceID: octets)
        case .ethernet: return InterfaceText.text(ethernet: octets)
        }
    }

    private static func prefix(_ octets: [UInt8], addressOctets: Int) -> String? {
        guard octets.count >= 2, octets.count <= 2 + addressOctets, octets[0] == 0, octets[1] <= addressOctets * 8 else { return nil }
        let address = octets[2...] + [UInt8](repeating: 0, count: addressOctets + 2 - octets.count)
        guard AddressText.hasZeroHostBits(Array(address), length: Int(octets[1])) else { return nil }
        let text = addressOctets == 4 ? AddressText.text(ipv4: Array(address)) : AddressText.text(ipv6: Array(address))
        return text.map { "\($0)/\(octets[1])" }
    }

    /// The name of `number`; without one, its digits, in hexadecimal where the decimal ones are another number's name.
    private static func number(_ number: UInt64, of definition: AttributeDefinition, in dictionary: RadiusDictionary) -> String {
        if let name = name(of: number, definition, dictionary) { return name }
        let digits = String(number)
        return dictionary.value(named: digits, of: definition) == nil ? digits : "0x" + String(number, radix: 16)
    }

    private static func signed(_ bits: UInt32, of definition: AttributeDefinition, in dictionary: RadiusDictionary) -> String {
        name(of: UInt64(bits), definition, dictionary) ?? String(Int32(bitPattern: bits))
    }

    /// The name that stands for `number` and for no other; none in a list, where a comma might belong to it.
    private static func name(of number: UInt64, _ definition: AttributeDefinition, _ dictionary: RadiusDictionary) -> String? {
        guard let name = dictionary.valueName(of: definition, number) else { return nil }
        guard dictionary.value(named: name, of: definition) == number else { return nil }
        return definition.isArray && name.contains(",") ? nil : name
    }

    /// The octets that `text` stands for.
    static func parse(
        _ text: String, as definition: AttributeDefinition, in dictionary: RadiusDictionary
    ) throws(AttributeTextError.Reason) -> [UInt8] {
        guard definition.isArray, definition.type.fixedOctets != nil else {
            let octets = try octets(text[...], as: definition, in: dictionary)
            if octets.isEmpty { throw .emptyValue }
            return octets
        }
        var octets: [UInt8] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            octets += try self.octets(part.drop { $0 == " " }, as: definition, in: dictionary)
        }
        return octets
    }

    private static func octets(
        _ text: Substring, as definition: AttributeDefinition, in dictionary: RadiusDictionary
    ) throws(AttributeTextError.Reason) -> [UInt8] {
        switch definition.type {
        case .string: return try OctetText.octets(string: text)
        case .octets, .ascendBinary, .tlv, .vsa, .extended, .longExtended, .evs: return try opaque(text)
        case .integer, .byte, .short, .integer64: return try number(text, of: definition, in: dictionary)
        case .signed: return try signed(text, of: definition, in: dictionary)
        case .ipv4Prefix: return try prefix(text, addressOctets: 4)
        case .ipv6Prefix: return try prefix(text, addressOctets: 16)
        default:
            guard let octets = fixed(text, as: definition.type) else {
                throw .badValue(String(text), allowed: definition.type.allowedText)
            }
            return octets
        }
    }

    /// Types of a fixed shape that need no dictionary.
    private static func fixed(_ text: Substring, as type: AttributeType) -> [UInt8]? {
        switch type {
        case .ipv4Address: return AddressText.ipv4(text)
        case .ipv6Address: return AddressText.ipv6(text)
        case .comboIP: return AddressText.ipv4(text) ?? AddressText.ipv6(text)
        case .bool: return InterfaceText.bool(text)
        case .interfaceID: return InterfaceText.interfaceID(text)
        case .ethernet: return InterfaceText.ethernet(text)
        case .date:
            let seconds = DateText.seconds(text) ?? NumberText.decimal(text.utf8).flatMap { UInt32(exactly: $0) }
            return seconds.map { NumberText.octets(UInt64($0), count: 4) }
        default: return nil
        }
    }

    /// `0x...`, or a text between double quotes.
    private static func opaque(_ text: Substring) throws(AttributeTextError.Reason) -> [UInt8] {
        let quote = UInt8(ascii: "\"")
        if text.utf8.count >= 2, text.utf8.first == quote, text.utf8.last == quote {
            return try OctetText.octets(string: String(decoding: text.utf8.dropFirst().dropLast(), as: UTF8.self))
        }
        guard let octets = OctetText.octets(hexadecimal: text) else {
            throw .badValue(String(text), allowed: AttributeType.octets.allowedText)
        }
        return octets
    }

    private static func number(
        _ text: Substring, of definition: AttributeDefinition, in dictionary: RadiusDictionary
    ) throws(AttributeTextError.Reason) -> [UInt8] {
        let octets = definition.type.fixedOctets ?? 4
        let bits = UInt64(8 * (definition.isTagged ? octets - 1 : octets))
        let largest = UInt64.max >> (64 - bits)
        guard let number = dictionary.value(named: String(text), of: definition) ?? NumberText.unsigned(text), number <= largest else {
            throw .badValue(String(text), allowed: "a number from 0 to \(largest)" + names(of: definition, in: dictionary))
        }
        return NumberText.octets(number, count: octets)
    }

    private static func signed(
        _ text: Substring, of definition: AttributeDefinition, in dictionary: RadiusDictionary
    ) throws(AttributeTextError.Reason) -> [UInt8] {
        if let number = dictionary.value(named: String(text), of: definition) { return NumberText.octets(number, count: 4) }
        guard let number = NumberText.signed(text) else {
            throw .badValue(String(text), allowed: "a number from -2147483648 to 2147483647" + names(of: definition, in: dictionary))
        }
        return NumberText.octets(UInt64(UInt32(bitPattern: number)), count: 4)
    }

    /// Some of an attribute's value names, for a message.
    private static func names(of definition: AttributeDefinition, in dictionary: RadiusDictionary) -> String {
        let names = dictionary.values(of: definition).prefix(9).map { $0.name }
        guard !names.isEmpty else { return "" }
        return ", or a name such as " + names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", ..." : "")
    }

    /// Reserved octet, length, and as many octets of address as the length needs (RFC 8044 §3.10); all four of an IPv4 prefix (§3.11).
    private static func prefix(_ text: Substring, addressOctets: Int) throws(AttributeTextError.Reason) -> [UInt8] {
        let type: AttributeType = addressOctets == 4 ? .ipv4Prefix : .ipv6Prefix
        guard let (address, length) = AddressText.prefix(text, octets: addressOctets) else {
            throw .badValue(String(text), allowed: type.allowedText)
        }
        guard AddressText.hasZeroHostBits(address, length: length) else {
            throw .badValue(String(text), allowed: "a prefix whose bits beyond the length are zero (RFC 8044 §3.10)")
        }
        return [0, UInt8(length)] + (addressOctets == 4 ? address[...] : address[..<((length + 7) / 8)])
    }
}

extension AttributeType {
    /// Octets of every value of the type, where all have the same number.
    var fixedOctets: Int? {
        switch self {
        case .byte, .bool: 1
        case .short: 2
        case .ipv4Address, .integer, .signed, .date: 4
        case .ethernet, .ipv4Prefix: 6
        case .integer64, .interfaceID: 8
        case .ipv6Address: 16
        default: nil
        }
    }

    /// What a value of the type looks like, for a message.
    var allowedText: String {
        switch self {
        case .string: "a text"
        case .octets, .ascendBinary, .tlv, .vsa, .extended, .longExtended, .evs: "0x and an even number of hexadecimal digits"
        case .ipv4Address: "an IPv4 address such as 192.0.2.1"
        case .ipv6Address: "an IPv6 address such as 2001:db8::1"
        case .comboIP: "an IPv4 or IPv6 address"
        case .ipv4Prefix: "an IPv4 prefix such as 192.0.2.0/24"
        case .ipv6Prefix: "an IPv6 prefix such as 2001:db8::/56"
        case .integer, .byte, .short, .integer64, .signed: "a number"
        case .bool: "yes or no"
        case .date: "a time such as 2026-01-31T23:59:59Z, or seconds since 1970"
        case .interfaceID: "an interface identifier such as 0:1a2b:ff:fe01"
        case .ethernet: "a MAC address such as 00:00:5e:00:53:01"
        }
    }
}
