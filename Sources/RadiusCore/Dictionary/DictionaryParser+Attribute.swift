extension DictionaryParser {
    /// Numbers in an attribute's path: itself and four levels of TLV.
    static let deepestPath = 5

    /// `ATTRIBUTE name number[.number...] type [flags [vendor]]`.
    mutating func readAttribute() throws(DictionaryFault) {
        try expectWords(4...6, "ATTRIBUTE takes a name, a number and a type, then flags and a vendor or neither")
        let name = try name(1)
        guard !name.utf8.starts(with: "Attr-".utf8, by: { $0.foldedASCII == $1.foldedASCII }) else {
            throw DictionaryFault("\(name): names that start with Attr- are kept for attributes without one")
        }
        let (type, fixedLength) = try attributeType()
        var attribute = AttributeDefinition(name: name, path: AttributePath(numbers: []), type: type)
        attribute.fixedLength = fixedLength
        let vendor = try readFlags(into: &attribute)
        attribute.path = try attributePath(vendor: vendor)
        try checkNumbers(attribute.path, vendor: vendor)
        try checkType(attribute, vendor: vendor)
        try AttributeRules.check(attribute)
        finish(&attribute)
        try tables.add(attribute)
    }

    private func finish(_ attribute: inout AttributeDefinition) {
        if attribute.path.vendor == 0 && attribute.path.numbers[0] > 255 { attribute.isVirtual = true }
        // What is hidden on the wire is not to be shown in a log.
        if attribute.encryption != .none { attribute.isSecret = true }
    }

    private func attributeType() throws(DictionaryFault) -> (AttributeType, fixedLength: Int?) {
        let word = source.text(3)
        if let type = AttributeType(dictionaryName: word) { return (type, nil) }
        let prefix = "octets["
        guard word.utf8.starts(with: prefix.utf8, by: { $0.foldedASCII == $1.foldedASCII }), word.utf8.last == UInt8(ascii: "]") else {
            throw DictionaryFault("\(word) is no type")
        }
        guard let length = Int(word.dropFirst(prefix.count).dropLast()), (1...253).contains(length) else {
            throw DictionaryFault("\(word): the length stands for 1 to 253 octets")
        }
        return (.octets, length)
    }

    /// Sets what the words behind the type say.
    ///
    /// - Returns: the vendor that the attribute belongs to, by its block or by an old-style vendor word.
    private func readFlags(into attribute: inout AttributeDefinition) throws(DictionaryFault) -> VendorDefinition? {
        var vendor = source.vendor
        for index in source.words.indices.dropFirst(4) {
            for flag in source.text(index).split(separator: ",", omittingEmptySubsequences: false) {
                if try Self.apply(String(flag), to: &attribute) { continue }
                vendor = try self.vendor(named: String(flag))
            }
        }
        return vendor
    }

    /// - Returns: false when `flag` is none, so that it may be a vendor's name.
    private static func apply(_ flag: String, to attribute: inout AttributeDefinition) throws(DictionaryFault) -> Bool {
        switch flag.lowercased() {
        case "has_tag", "has_tag=1": attribute.isTagged = true
        case "array": attribute.isArray = true
        case "concat": attribute.isConcatenated = true
        case "secret": attribute.isSecret = true
        case "virtual": attribute.isVirtual = true
        case let text where text.hasPrefix("encrypt="):
            guard let encryption = UInt8(text.dropFirst(8)).flatMap(AttributeEncryption.init(rawValue:)) else {
                throw DictionaryFault("\(flag): encrypt is 1 (User-Password), 2 (Tunnel-Password) or 3 (Ascend)")
            }
            attribute.encryption = encryption
        default: return false
        }
        return true
    }

    private func vendor(named word: String) throws(DictionaryFault) -> VendorDefinition {
        let name = word.lowercased().hasPrefix("vendor=") ? String(word.dropFirst(7)) : word
        guard let vendor = tables.vendor(named: name) else { throw DictionaryFault("\(word) is neither a flag nor a vendor") }
        guard source.vendor == nil || source.vendor?.number == vendor.number else {
            throw DictionaryFault("vendor \(name) stands inside BEGIN-VENDOR \(source.vendor?.name ?? "")")
        }
        return vendor
    }

    private func attributePath(vendor: VendorDefinition?) throws(DictionaryFault) -> AttributePath {
        guard let numbers = source.objectIdentifier(2) else {
            throw DictionaryFault("\(source.text(2)) is no attribute number, nor numbers of 32 bits between full stops")
        }
        if var path = source.tlvs.last?.path {
            path.numbers += numbers
            return path
        }
        guard let vendor else { return AttributePath(numbers: numbers) }
        return AttributePath(base: source.vendor == nil ? 26 : source.vendorBase, vendor: vendor.number, numbers: numbers)
    }

    private func checkNumbers(_ path: AttributePath, vendor: VendorDefinition?) throws(DictionaryFault) {
        guard path.numbers.count <= Self.deepestPath else {
            throw DictionaryFault("\(path) has \(path.numbers.count) levels; at most \(Self.deepestPath) are read")
        }
        let largest: UInt32 =
            switch (path.base, vendor?.format.typeOctets) {
            case (0, _), (26, 4): .max
            case (26, 2): UInt32(UInt16.max)
            default: UInt32(UInt8.max)
            }
        guard path.numbers[0] <= largest else {
            throw DictionaryFault("number \(path.numbers[0]) is too large; vendor \(vendor?.name ?? "") has numbers up to \(largest)")
        }
        guard path.base != 0 || path.numbers[0] != 0 else { throw DictionaryFault("0 is no attribute number") }
        guard path.numbers.count > 1 else { return }
        try checkMember(path)
    }

    /// A path of several numbers names a member of something that can have members.
    private func checkMember(_ path: AttributePath) throws(DictionaryFault) {
        if let tooLarge = path.numbers.dropFirst().first(where: { $0 > 255 }) {
            throw DictionaryFault("number \(tooLarge) is too large; inside another attribute numbers go up to 255")
        }
        var parentPath = path
        parentPath.numbers.removeLast()
        guard let parent = tables.attribute(at: parentPath) else {
            throw DictionaryFault("\(path) stands inside \(parentPath), which no ATTRIBUTE line above defines")
        }
        guard parent.type.holdsMembers else {
            throw DictionaryFault("\(path) stands inside \(parent.name), which is of type \(parent.type.dictionaryName)")
        }
    }

    private func checkType(_ attribute: AttributeDefinition, vendor: VendorDefinition?) throws(DictionaryFault) {
        guard attribute.type == .tlv, attribute.path.base == 26, let vendor, vendor.number != Self.dhcpVendor else { return }
        guard vendor.format.typeOctets == 1 && vendor.format.lengthOctets == 1 else {
            throw DictionaryFault("\(attribute.name): tlv needs a vendor of format=1,1, which \(vendor.name) is not")
        }
    }

    /// The number under which FreeRADIUS keeps DHCP options; its TLVs are options, not RADIUS attributes.
    private static var dhcpVendor: UInt32 { 54 }
}
