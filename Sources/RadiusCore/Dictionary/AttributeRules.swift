/// Which types stand where, and which flags go with which type.
enum AttributeRules {
    static func check(_ attribute: AttributeDefinition) throws(DictionaryFault) {
        try checkPlace(attribute)
        try checkFlags(attribute)
        try checkEncryption(attribute)
        try checkExtended(attribute)
    }

    /// The structural types have fixed places (RFC 2865 §5.26, RFC 6929 §2).
    private static func checkPlace(_ attribute: AttributeDefinition) throws(DictionaryFault) {
        let path = attribute.path
        switch attribute.type {
        case .vsa where path != AttributePath(numbers: [26]):
            throw DictionaryFault("\(attribute.name): vsa is the type of attribute 26 alone")
        case .extended where !isTopLevel(path, in: 241...246), .longExtended where !isTopLevel(path, in: 241...246):
            throw DictionaryFault("\(attribute.name): \(attribute.type.dictionaryName) is for the attributes 241 to 246 alone")
        case .evs where path.base != 0 || path.numbers.count != 2 || path.numbers[0] < 241 || path.numbers[1] != 26:
            throw DictionaryFault("\(attribute.name): evs is for number 26 inside 241 to 246 alone")
        default: return
        }
    }

    private static func isTopLevel(_ path: AttributePath, in range: ClosedRange<UInt32>) -> Bool {
        path.base == 0 && path.numbers.count == 1 && range.contains(path.numbers[0])
    }

    private static func checkFlags(_ attribute: AttributeDefinition) throws(DictionaryFault) {
        guard !attribute.isTagged || attribute.type == .string || attribute.type == .integer else {
            throw DictionaryFault("\(attribute.name): has_tag is for string and integer alone (RFC 2868 §3.1)")
        }
        guard !attribute.isConcatenated || attribute.type == .octets else {
            throw DictionaryFault("\(attribute.name): concat is for octets alone")
        }
        guard !attribute.isConcatenated || attribute.path.vendor == 0 && attribute.path.numbers.count == 1 else {
            throw DictionaryFault("\(attribute.name): concat is for standard attributes alone")
        }
        guard !attribute.isVirtual || attribute.path.vendor == 0 && attribute.path.numbers[0] > 255 else {
            throw DictionaryFault("\(attribute.name): virtual is for numbers from 256 outside vendors alone")
        }
    }

    private static func checkEncryption(_ attribute: AttributeDefinition) throws(DictionaryFault) {
        switch (attribute.encryption, attribute.type) {
        case (.none, _), (_, .string), (.tunnelPassword, .octets), (.tunnelPassword, .integer), (.tunnelPassword, .ipv4Address): return
        case (.userPassword, .integer), (.userPassword, .ipv4Address): return
        case (.userPassword, .octets):
            guard attribute.fixedLength == nil else { return }
            throw DictionaryFault("\(attribute.name): encrypt=1 on octets needs the length, octets[N]")
        case (.ascendSecret, _):
            throw DictionaryFault("\(attribute.name): encrypt=3 is for string alone")
        default:
            throw DictionaryFault("\(attribute.name): encrypt does not go with \(attribute.type.dictionaryName)")
        }
    }

    private static func checkExtended(_ attribute: AttributeDefinition) throws(DictionaryFault) {
        let path = attribute.path
        let isInside = (241...246).contains(path.base) || path.base == 0 && path.numbers.count > 1 && path.numbers[0] >= 241
        guard isInside else { return }
        let hasOtherFlag = attribute.isTagged || attribute.isArray || attribute.isConcatenated || attribute.isSecret
        guard !hasOtherFlag && (attribute.encryption == .none || attribute.encryption == .tunnelPassword) else {
            throw DictionaryFault("\(attribute.name): inside an extended attribute encrypt=2 is the only flag")
        }
    }
}

extension AttributePath: CustomStringConvertible {
    /// The numbers between full stops, behind `base.vendor:` where there is a vendor: `241.5.1`, `26.9:1`.
    public var description: String {
        let joined = numbers.map(String.init).joined(separator: ".")
        return vendor == 0 ? joined : "\(base).\(vendor):\(joined)"
    }
}
