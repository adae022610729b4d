/// Gives names and values of conditions their types.
struct RuleTyping {
    let dictionary: RadiusDictionary

    /// What a name means.
    func subject(_ token: RuleToken) throws(RuleError) -> RuleSubject {
        if let found = RuleNames.subject(token.text) { return found }
        if token.text.contains(".") || dictionary.attribute(named: token.text) == nil {
            throw RuleError(token, unknown(token.text))
        }
        guard let definition = dictionary.attribute(named: token.text) else { throw RuleError(token, unknown(token.text)) }
        return RuleSubject(source: try source(definition, token), kind: try kind(definition, token))
    }

    private func unknown(_ name: String) -> String {
        if name.contains(".") {
            let near = AttributeSuggestion.nearest(to: name, among: RuleNames.all).map { "did you mean \($0)?" }
            return "there is no such name; " + (near ?? "there are \(RuleNames.all.joined(separator: ", ")), and attributes")
        }
        let near = AttributeSuggestion.nearest(to: name, in: dictionary).map { "; did you mean \($0)?" } ?? ""
        return "no dictionary has this attribute" + near
    }

    private func source(_ definition: AttributeDefinition, _ token: RuleToken) throws(RuleError) -> RuleSource {
        let path = definition.path
        guard definition.encryption == .none else {
            throw RuleError(token, "its value is hidden on the wire, so no rule can look at it; has \(token.text) is not possible either")
        }
        guard path.numbers.count == 1, !definition.isVirtual, path.base == 0 || path.base == 26 else {
            throw RuleError(token, "rules look at standard attributes and vendors' attributes, not inside of TLVs and extended attributes")
        }
        if path.base == 0 { return .attribute(UInt8(truncatingIfNeeded: path.numbers[0]), isTagged: definition.isTagged) }
        let format = dictionary.vendor(path.vendor)?.format ?? VendorFormat()
        return .vendor(path.vendor, number: path.numbers[0], format: format, isTagged: definition.isTagged)
    }

    private func kind(_ definition: AttributeDefinition, _ token: RuleToken) throws(RuleError) -> RuleKind {
        guard !definition.isArray else { throw RuleError(token, "it holds several values at once, which rules cannot compare") }
        switch definition.type {
        case .string: return .text
        case .octets, .ascendBinary: return .octets(definition.fixedLength)
        case .ethernet: return .octets(6)
        case .interfaceID: return .octets(8)
        case .byte: return .number(1)
        case .short: return .number(2)
        case .integer, .date: return .number(4)
        case .integer64: return .number(8)
        case .signed: return .signed
        case .bool: return .flag
        case .ipv4Address: return .ipv4
        case .ipv6Address: return .ipv6
        case .comboIP: return .comboIP
        case .ipv4Prefix: return .prefix(octets: 4)
        case .ipv6Prefix: return .prefix(octets: 16)
        case .tlv, .vsa, .extended, .longExtended, .evs:
            throw RuleError(token, "it holds other attributes; name one of those")
        }
    }

    // MARK: Comparisons

    /// `==`, `!=` and the orders.
    func comparison(_ sign: RuleToken, _ value: RuleToken, _ subject: RuleSubject, _ name: RuleToken) throws(RuleError) -> RulePredicate {
        try refuseMissing(value, name)
        let isEqual = sign.text == "=="
        guard isEqual || sign.text == "!=" else { return try order(sign, value, subject, name) }
        switch subject.kind {
        case .text, .octets:
            let octets = try octets(value, subject, name)
            return isEqual ? .equal(octets) : .different(octets)
        case .ipv4, .ipv6, .comboIP:
            let address = try address(value, subject, name)
            guard address.length == 128 else { throw RuleError(value, "a network is compared by in; write \(name.text) in \(value.text)") }
            return isEqual ? .within(address.network, 128) : .without(address.network, 128)
        case .prefix: throw RuleError(sign, "a prefix is compared by in; write \(name.text) in \(value.text)")
        case .number, .signed, .flag:
            let numbers = try numbers(value, subject, name)
            return isEqual ? .inside(numbers.lowerBound, numbers.upperBound) : .outside(numbers.lowerBound, numbers.upperBound)
        }
    }

    private func order(_ sign: RuleToken, _ value: RuleToken, _ subject: RuleSubject, _ name: RuleToken) throws(RuleError) -> RulePredicate
    {
        guard subject.isOrdered else { throw RuleError(sign, "\(name.text) is \(subject.kindText), which has no order; use ==, != or in") }
        let number = try number(value, subject, name)
        let (isLower, isOpen) = (sign.text.hasPrefix("<"), !sign.text.hasSuffix("="))
        let none = isLower ? UInt64.min : UInt64.max
        guard !isOpen || number != none else { throw RuleError(value, "no number is \(isLower ? "less" : "greater") than that") }
        if isLower { return .inside(.min, isOpen ? number - 1 : number) }
        return .inside(isOpen ? number + 1 : number, .max)
    }

    /// What one member of a list, or the only thing behind `in`, asks for: any of these.
    func membership(_ value: RuleToken, _ subject: RuleSubject, _ name: RuleToken) throws(RuleError) -> [RulePredicate] {
        try refuseMissing(value, name)
        switch subject.kind {
        case .text, .octets: return [.equal(try octets(value, subject, name))]
        case .ipv4, .ipv6, .comboIP, .prefix:
            let network = try address(value, subject, name)
            return [.within(network.network, network.length)]
        case .number, .signed, .flag:
            guard let ends = RuleRange.ends(value), subject.isOrdered else {
                let numbers = try numbers(value, subject, name)
                return [.inside(numbers.lowerBound, numbers.upperBound)]
            }
            let (first, last) = (try number(ends.first, subject, name), try number(ends.last, subject, name))
            if first <= last { return [.inside(first, last)] }
            guard let circle = subject.circle else { throw RuleError(value, "the range goes backwards") }
            return [.inside(first, circle.upperBound), .inside(circle.lowerBound, last)]
        }
    }

    /// A pattern behind `matches`.
    func pattern(_ value: RuleToken, _ subject: RuleSubject, _ name: RuleToken) throws(RuleError) -> RulePredicate {
        guard subject.kind == .text else {
            throw RuleError(value, "\(name.text) is \(subject.kindText); patterns are for texts")
        }
        guard value.kind == .quoted else {
            throw RuleError(value, "a pattern stands between double quotes: * for any text, ? for one octet")
        }
        do { return .matches(try Glob(value.content)) } catch { throw RuleError(value, "the pattern \(error.reason)") }
    }

    // MARK: Values

    private func refuseMissing(_ value: RuleToken, _ name: RuleToken) throws(RuleError) {
        guard value.kind == .word || value.kind == .quoted else { throw RuleError(value, "a value of \(name.text) is expected") }
    }

    private func octets(_ value: RuleToken, _ subject: RuleSubject, _ name: RuleToken) throws(RuleError) -> [UInt8] {
        if subject.kind == .text {
            guard value.kind == .quoted else { throw RuleError(value, "a text stands between double quotes: \"\(value.text)\"") }
            do { return try OctetText.octets(string: value.content) } catch { throw RuleError(value, error.text) }
        }
        let definition = dictionary.attribute(named: name.text)
        let isPlain = definition?.type == .octets || definition?.type == .ascendBinary
        guard let definition, !(value.kind == .quoted && !isPlain) else { throw RuleError(value, "this value stands without quotes") }
        return try parse(value.text, definition, value)
    }

    private func parse(_ text: String, _ definition: AttributeDefinition, _ value: RuleToken) throws(RuleError) -> [UInt8] {
        do { return try ValueText.parse(text, as: definition, in: dictionary) } catch { throw RuleError(value, error.text) }
    }

    /// What one value stands for: itself, unless it is a method with others inside.
    private func numbers(_ value: RuleToken, _ subject: RuleSubject, _ name: RuleToken) throws(RuleError) -> ClosedRange<UInt64> {
        let number = try number(value, subject, name)
        guard subject.source == .method, let method = UInt8(exactly: number).flatMap({ AuthenticationMethod(rawValue: $0) }) else {
            return number...number
        }
        return UInt64(method.members.lowerBound)...UInt64(method.members.upperBound)
    }

    private func number(_ value: RuleToken, _ subject: RuleSubject, _ name: RuleToken) throws(RuleError) -> UInt64 {
        guard value.kind == .word else { throw RuleError(value, "\(name.text) is \(subject.kindText), written without quotes") }
        if let names = RuleNames.words(of: subject.source) {
            guard let number = names.number(value.text) else { throw RuleError(value, "\(name.text) is \(names.expected)") }
            return number
        }
        guard let definition = dictionary.attribute(named: name.text) else { throw RuleError(name, unknown(name.text)) }
        let octets = try parse(value.text, definition, value)
        let number = NumberText.number(octets)
        return subject.kind == .signed ? RuleNumber.ordered(Int32(bitPattern: UInt32(truncatingIfNeeded: number))) : number
    }

    private func address(
        _ value: RuleToken, _ subject: RuleSubject, _ name: RuleToken
    ) throws(RuleError) -> (network: IPAddress, length: Int) {
        guard value.kind == .word else { throw RuleError(value, "\(name.text) is \(subject.kindText), written without quotes") }
        for octets in subject.addressOctets {
            guard let (address, length) = AddressText.prefix(value.text, octets: octets) else { continue }
            guard AddressText.hasZeroHostBits(address, length: length) else {
                throw RuleError(value, "bits beyond the length are set; the network is \(Self.network(address, length))")
            }
            return (Self.whole(address), octets == 4 ? length + 96 : length)
        }
        throw RuleError(value, "\(name.text) is \(subject.kindText)")
    }

    private static func network(_ octets: [UInt8], _ length: Int) -> String {
        let kept = whole(octets).masked(to: octets.count == 4 ? length + 96 : length)
        return "\(kept.text)/\(length)"
    }

    private static func whole(_ octets: [UInt8]) -> IPAddress {
        let mapped = octets.count == 4 ? [UInt8](repeating: 0, count: 10) + [0xff, 0xff] + octets : octets
        return mapped.withUnsafeBytes { IPAddress(octets: $0) }
    }
}
