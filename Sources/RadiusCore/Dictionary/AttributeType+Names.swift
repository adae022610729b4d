extension AttributeType {
    /// The type that a dictionary calls `name`; case does not matter. `octets[N]` is not among them.
    init?(dictionaryName name: String) {
        guard let type = Self.byDictionaryName[FoldedName(name)] else { return nil }
        self = type
    }

    /// The name that FreeRADIUS 3 dictionaries use.
    public var dictionaryName: String {
        switch self {
        case .string: "string"
        case .octets: "octets"
        case .ipv4Address: "ipaddr"
        case .ipv6Address: "ipv6addr"
        case .ipv4Prefix: "ipv4prefix"
        case .ipv6Prefix: "ipv6prefix"
        case .comboIP: "combo-ip"
        case .integer: "integer"
        case .byte: "byte"
        case .short: "short"
        case .integer64: "integer64"
        case .signed: "signed"
        case .bool: "bool"
        case .date: "date"
        case .interfaceID: "ifid"
        case .ethernet: "ether"
        case .ascendBinary: "abinary"
        case .tlv: "tlv"
        case .vsa: "vsa"
        case .extended: "extended"
        case .longExtended: "long-extended"
        case .evs: "evs"
        }
    }

    private static let byDictionaryName: [FoldedName: AttributeType] = {
        var types: [FoldedName: AttributeType] = [:]
        for type in allCases {
            types[FoldedName(type.dictionaryName)] = type
        }
        types[FoldedName("uint8")] = .byte
        types[FoldedName("uint16")] = .short
        types[FoldedName("uint32")] = .integer
        types[FoldedName("uint64")] = .integer64
        types[FoldedName("int32")] = .signed
        types[FoldedName("time_delta")] = .integer
        return types
    }()

    /// The largest number that a VALUE may give to an attribute of this type; nil where it may give none.
    var largestNamedNumber: UInt64? {
        switch self {
        case .byte: UInt64(UInt8.max)
        case .short: UInt64(UInt16.max)
        case .integer, .date: UInt64(UInt32.max)
        case .signed: UInt64(Int32.max)
        case .bool: 1
        // CableLabs names numbers of a compound attribute that is kept as octets.
        case .integer64, .octets: UInt64.max
        default: nil
        }
    }

    /// Whether attributes can stand below one of this type in an OID.
    var holdsMembers: Bool {
        self == .tlv || self == .extended || self == .longExtended
    }
}
