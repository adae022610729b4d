/// Where an attribute stands in the number space.
///
/// `User-Name` is base 0, vendor 0, numbers [1]; `Cisco-AVPair` is base 26, vendor 9, numbers [1]; an extended attribute such as
/// 241.8 is base 0, vendor 0, numbers [241, 8]; an extended vendor attribute is base 241...246, its vendor, and its numbers; members
/// of a TLV add one number a level.
public struct AttributePath: Hashable, Sendable {
    /// 0 for the standard space, 26 for Vendor-Specific, 241...246 for a vendor inside an extended attribute (RFC 6929 §2.4).
    public var base: UInt8
    /// IANA Private Enterprise Number; 0 in the standard space.
    public var vendor: UInt32
    /// Attribute number, then one number for each TLV level below it.
    public var numbers: [UInt32]

    public init(base: UInt8 = 0, vendor: UInt32 = 0, numbers: [UInt32]) {
        self.base = base
        self.vendor = vendor
        self.numbers = numbers
    }
}

/// How an attribute's value is hidden on the wire.
public enum AttributeEncryption: UInt8, Hashable, Sendable {
    case none = 0
    /// RFC 2865 §5.2.
    case userPassword = 1
    /// RFC 2868 §3.5: a salt, then blocks; with a tag in front where the attribute is tagged.
    case tunnelPassword = 2
    /// Ascend's own scheme for Ascend-Send-Secret.
    case ascendSecret = 3
}

/// One ATTRIBUTE line of a dictionary.
public struct AttributeDefinition: Hashable, Sendable {
    public var name: String
    public var path: AttributePath
    public var type: AttributeType
    /// The length that `octets[N]` demands; nil for a free length.
    public var fixedLength: Int?
    /// RFC 2868 §3.1: the value may carry a tag octet.
    public var isTagged: Bool
    public var encryption: AttributeEncryption
    /// A value longer than one attribute goes on in the next (RFC 2869 §5.13).
    public var isConcatenated: Bool
    /// A value that holds several elements of `type` one after another.
    public var isArray: Bool
    /// Never printed in clear outside the owner's command; so is every attribute that is encrypted on the wire.
    public var isSecret: Bool
    /// A number of 256 or more that never appears on the wire.
    public var isVirtual: Bool

    public init(name: String, path: AttributePath, type: AttributeType) {
        self.name = name
        self.path = path
        self.type = type
        fixedLength = nil
        isTagged = false
        encryption = .none
        isConcatenated = false
        isArray = false
        isSecret = false
        isVirtual = false
    }
}

/// The shape of a vendor's sub-attributes (dictionary `format=t,l[,c]`; RFC 2865 §5.26 recommends 1,1).
public struct VendorFormat: Hashable, Sendable {
    /// 1, 2 or 4 octets.
    public var typeOctets: UInt8
    /// 0, 1 or 2 octets; 0 means that the value fills the Vendor-Specific attribute.
    public var lengthOctets: UInt8
    /// WiMAX: a continuation octet follows the length; bit 0x80 says that the value goes on.
    public var hasContinuation: Bool

    public init(typeOctets: UInt8 = 1, lengthOctets: UInt8 = 1, hasContinuation: Bool = false) {
        self.typeOctets = typeOctets
        self.lengthOctets = lengthOctets
        self.hasContinuation = hasContinuation
    }
}

/// One VENDOR line of a dictionary.
public struct VendorDefinition: Hashable, Sendable {
    public var name: String
    public var number: UInt32
    public var format: VendorFormat

    public init(name: String, number: UInt32, format: VendorFormat = VendorFormat()) {
        self.name = name
        self.number = number
        self.format = format
    }
}
