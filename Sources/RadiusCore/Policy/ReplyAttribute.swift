/// A reply attribute as an operator wrote it, in profile or subscriber.
public struct ReplyAttribute: Sendable, Hashable {
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

/// Reply attributes in wire form: those that never change, and those hidden anew in each packet, such as Tunnel-Password.
public struct CompiledAttributes: Sendable {
    public private(set) var encoded: [UInt8] = []
    /// What `encoded` was made of: neighbours such as two NAS-Filter-Rule share one attribute, so the whole is encoded anew.
    private var texts: [AttributeText] = []
    public private(set) var keyed: [ReplyAttribute] = []
    /// What could not be compiled, and why; the rest stands.
    public private(set) var problems: [String] = []
    /// Those of `problems` about what former versions sent.
    private(set) var formerlyTaken: Set<String> = []

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
            let isKeyed = Self.isKeyed(name, dictionary)
            guard !isKeyed else {
                // Encoded once with a throw-away key, so that a bad value is found now and not at a login.
                let octets = try AttributeEncoder.encode(name: name, value: value, dictionary: dictionary, keys: Self.trialKeys)
                if let refusal = ReservedAttribute.refusal(of: octets) { return refuse(name, refusal) }
                return keyed.append(ReplyAttribute(name: name, value: value))
            }
            let longer = texts + [AttributeText(name: name, value: value)]
            let octets = try AttributeEncoder.encode(longer, dictionary: dictionary)
            if let refusal = ReservedAttribute.refusal(of: octets) { return refuse(name, refusal) }
            encoded = octets
            texts = longer
        } catch {
            problems.append(error.description)
        }
    }

    private mutating func refuse(_ name: String, _ refusal: ReservedAttribute.Refusal) {
        let problem = "\(name): \(refusal.reason)"
        problems.append(problem)
        if refusal.wasTaken { formerlyTaken.insert(problem) }
    }

    private static let trialKeys = HideKeys(secret: SharedSecret([0]), authenticator: Digest16(repeating: 0))

    private static func isKeyed(_ name: String, _ dictionary: RadiusDictionary) -> Bool {
        let untagged = name.split(separator: ":", maxSplits: 1).first.map(String.init) ?? name
        return dictionary.attribute(named: untagged).map(AttributeEncoder.needsKeys) ?? false
    }
}
