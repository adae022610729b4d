/// Makes attributes from what people write: names and values in the form that `AttributeDecoder` prints.
///
/// The result is whole attributes, type and length in front, Vendor-Specific and extended wrapping included. For tools, and for
/// compiling reply attributes ahead of time; it allocates.
public enum AttributeEncoder {
    /// Encodes one attribute.
    ///
    /// - Parameters:
    ///   - name: a dictionary's name, perhaps with a tag (`Tunnel-Type:1`), or `Attr-...` with octets.
    ///   - value: see `AttributePair.value`.
    ///   - dictionary: explains names.
    ///   - keys: hide the value where `needsKeys` says so.
    /// - Returns: one attribute; several where the value is concatenated or goes on.
    /// - Throws: what is wrong with the name or the value.
    public static func encode(
        name: String, value: String, dictionary: RadiusDictionary, keys: HideKeys? = nil
    ) throws(AttributeTextError) -> [UInt8] {
        try encode([AttributeText(name: name, value: value)], dictionary: dictionary, keys: keys)
    }

    /// Encodes attributes in order.
    ///
    /// Neighbours that belong together become one: rules of NAS-Filter-Rule are joined with NUL (RFC 4849 §2), and members of one
    /// TLV share it until a member's number comes again.
    public static func encode(
        _ pairs: [AttributeText], dictionary: RadiusDictionary, keys: HideKeys? = nil
    ) throws(AttributeTextError) -> [UInt8] {
        var assembly = AttributeAssembly(layout: AttributeLayout(dictionary: dictionary))
        for pair in pairs {
            try named(pair.name) { () throws(AttributeTextError.Reason) in
                let (path, octets) = try AttributeValueEncoder(dictionary: dictionary, keys: keys).encode(pair)
                assembly.append(octets, at: path, name: pair.name)
            }
        }
        return try assembly.finish()
    }

    /// Encodes what `AttributeDecoder` gave, hidden values and malformed ones as they were.
    public static func encode(
        _ pairs: [AttributePair], dictionary: RadiusDictionary, keys: HideKeys? = nil
    ) throws(AttributeTextError) -> [UInt8] {
        var assembly = AttributeAssembly(layout: AttributeLayout(dictionary: dictionary))
        for pair in pairs {
            try named(pair.name) { () throws(AttributeTextError.Reason) in
                let octets = try AttributeValueEncoder(dictionary: dictionary, keys: keys).encode(pair)
                assembly.append(octets, at: pair.path, name: pair.name, isRule: !pair.isUnnamed)
            }
        }
        return try assembly.finish()
    }

    /// Encodes a value that is in octets already.
    ///
    /// - Parameters:
    ///   - definition: the attribute.
    ///   - octets: the clear value without a tag; a tagged number has all its four octets, the first of them 0.
    ///   - tag: 0...31, only for a tagged attribute.
    ///   - dictionary: knows the vendor's format.
    ///   - keys: as above.
    /// - Returns: as above.
    /// - Throws: what is wrong with the octets or the tag.
    public static func encode(
        _ definition: AttributeDefinition, octets: [UInt8], tag: UInt8? = nil, dictionary: RadiusDictionary, keys: HideKeys? = nil
    ) throws(AttributeTextError) -> [UInt8] {
        var assembly = AttributeAssembly(layout: AttributeLayout(dictionary: dictionary))
        try named(definition.name) { () throws(AttributeTextError.Reason) in
            let encoder = AttributeValueEncoder(dictionary: dictionary, keys: keys)
            assembly.append(try encoder.encode(octets, as: definition, tag: tag), at: definition.path, name: definition.name)
        }
        return try assembly.finish()
    }

    /// Whether the attribute's value is hidden on the wire, so that it cannot be encoded before the request is known.
    public static func needsKeys(_ definition: AttributeDefinition) -> Bool {
        definition.encryption != .none
    }

    private static func named(
        _ name: String, _ body: () throws(AttributeTextError.Reason) -> Void
    ) throws(AttributeTextError) {
        do { try body() } catch { throw AttributeTextError(attribute: name, reason: error) }
    }
}

/// Values on their way into attributes.
struct AttributeAssembly {
    private struct Item {
        var path: AttributePath
        var octets: [UInt8]
        var name: String
        /// A rule that more rules may be joined to.
        var isRule = false
        /// Numbers of the members in `octets`, while it is a TLV that more members may join.
        var members: Set<UInt32> = []
    }

    let layout: AttributeLayout
    private var items: [Item] = []
    private var deepest = 0

    init(layout: AttributeLayout) {
        self.layout = layout
    }

    /// Adds a value, tag and salt included, under the name that an error would mention.
    mutating func append(_ octets: [UInt8], at path: AttributePath, name: String, isRule: Bool = true) {
        let isRule = isRule && path == AttributeLayout.filterRule
        if isRule, let last = items.last, last.isRule {
            items[items.count - 1].octets += [0] + octets
            return
        }
        deepest = max(deepest, layout.levels(of: path))
        items.append(Item(path: path, octets: octets, name: name, isRule: isRule))
    }

    /// All attributes, wrapped.
    mutating func finish() throws(AttributeTextError) -> [UInt8] {
        while deepest > 0 {
            try lift(from: deepest)
            deepest -= 1
        }
        var octets: [UInt8] = []
        for item in items {
            do { octets += try layout.frame(item.octets, at: item.path) } catch {
                throw AttributeTextError(attribute: item.name, reason: error)
            }
        }
        return octets
    }

    /// Puts the values at TLV level `level` into TLVs one level up.
    private mutating func lift(from level: Int) throws(AttributeTextError) {
        var lifted: [Item] = []
        lifted.reserveCapacity(items.count)
        for item in items {
            guard layout.levels(of: item.path) == level, let number = item.path.numbers.last else {
                lifted.append(item)
                continue
            }
            let member = try member(number, item)
            var parent = item.path
            parent.numbers.removeLast()
            if let last = lifted.last, last.path == parent, !last.members.isEmpty, !last.members.contains(number),
                last.octets.count + member.count <= layout.largestValue(at: parent)
            {
                lifted[lifted.count - 1].octets += member
                lifted[lifted.count - 1].members.insert(number)
            } else {
                lifted.append(Item(path: parent, octets: member, name: item.name, members: [number]))
            }
        }
        items = lifted
    }

    private func member(_ number: UInt32, _ item: Item) throws(AttributeTextError) -> [UInt8] {
        guard let type = UInt8(exactly: number) else { throw AttributeTextError(attribute: item.name, reason: .notOnTheWire) }
        guard item.octets.count <= 253 else {
            throw AttributeTextError(attribute: item.name, reason: .tooLong(octets: item.octets.count, limit: 253))
        }
        return [type, UInt8(item.octets.count + 2)] + item.octets
    }
}
