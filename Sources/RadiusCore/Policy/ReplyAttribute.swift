/// A reply attribute as an operator wrote it, in profile or subscriber.
public struct ReplyAttribute: Sendable, Equatable {
    /// A dictionary name, with a tag where needed: `Tunnel-Type:1`.
    public var name: String
    public var value: String
    /// Only for a NAS of this make; nil for all.
    public var vendor: NASVendor?

    public init(name: String, value: String, vendor: NASVendor? = nil) {
        self.name = name
        self.value = value
        self.vendor = vendor
    }
}

/// Reply attributes in wire form: those that never change, and those hidden anew in each packet.
public struct CompiledAttributes: Sendable {
    public private(set) var encoded: [UInt8] = []
    public private(set) var keyed: [KeyedAttribute] = []
    /// What could not be compiled, and why; the rest stands.
    public private(set) var problems: [String] = []

    public init() {}

    /// Compiles `attributes` that hold for every vendor or for `vendor`.
    public init(_ attributes: [ReplyAttribute], for vendor: NASVendor?, dictionary: RadiusDictionary) {
        for attribute in attributes where attribute.vendor == nil || attribute.vendor == vendor {
            append(attribute.name, attribute.value, dictionary)
        }
    }

    /// Appends one attribute by name and printed value.
    public mutating func append(_ name: String, _ value: String, _ dictionary: RadiusDictionary) {
        do {
            switch try AttributeEncoder.compile(name: name, value: value, dictionary: dictionary) {
            case .fixed(let octets): encoded += octets
            case .keyed(let attribute): keyed.append(attribute)
            }
        } catch {
            problems.append(error.description)
        }
    }

    /// Appends attributes in wire form.
    public mutating func append(encoded octets: [UInt8]) {
        encoded += octets
    }
}
