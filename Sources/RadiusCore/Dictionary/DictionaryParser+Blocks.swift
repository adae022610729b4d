extension DictionaryParser {
    /// BEGIN-TLV inside BEGIN-TLV, at most.
    static let deepestTLV = 4
    /// The high octet of a Vendor-Id is 0 (RFC 2865 §5.26).
    static let largestVendor: UInt64 = 0xff_ffff

    /// `VENDOR name number [format=t,l[,c]]`.
    mutating func readVendor() throws(DictionaryFault) {
        try expectWords(3...4, "VENDOR takes a name and a number, and a format or none")
        let name = try name(1)
        guard let number = source.number(2), (1...Self.largestVendor).contains(number) else {
            throw DictionaryFault("\(source.text(2)) is no vendor number; 1 to \(Self.largestVendor) are")
        }
        let format = source.words.count == 4 ? try vendorFormat(source.text(3)) : nil
        try tables.addVendor(name, UInt32(number), format: format)
    }

    private func vendorFormat(_ word: String) throws(DictionaryFault) -> VendorFormat {
        let fault = DictionaryFault("\(word): a format is format=t,l with t of 1, 2, 4 and l of 0, 1, 2; or format=1,1,c")
        guard word.lowercased().hasPrefix("format=") else { throw fault }
        let parts = word.dropFirst(7).split(separator: ",", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), let type = UInt8(parts[0]), let length = UInt8(parts[1]) else { throw fault }
        guard [1, 2, 4].contains(type), length <= 2 else { throw fault }
        guard parts.count == 3 else { return VendorFormat(typeOctets: type, lengthOctets: length) }
        guard parts[2] == "c", type == 1, length == 1 else { throw fault }
        return VendorFormat(typeOctets: 1, lengthOctets: 1, hasContinuation: true)
    }

    /// `BEGIN-VENDOR name [format=evs-attribute | parent=evs-attribute]`.
    mutating func readBeginVendor() throws(DictionaryFault) {
        try expectWords(2...3, "BEGIN-VENDOR takes a vendor's name, and format= or parent= with an evs attribute")
        guard let vendor = tables.vendor(named: source.text(1)) else {
            throw DictionaryFault("\(source.text(1)) is no vendor; its VENDOR line has to stand above")
        }
        source.vendorBase = source.words.count == 3 ? try extendedBase(source.text(2)) : 26
        source.vendor = vendor
        source.tlvs = []
    }

    private func extendedBase(_ word: String) throws(DictionaryFault) -> UInt8 {
        let folded = word.lowercased()
        guard folded.hasPrefix("format=") || folded.hasPrefix("parent=") else {
            throw DictionaryFault("\(word): format= or parent= stands here, with an evs attribute")
        }
        guard let attribute = tables.attribute(named: String(word.dropFirst(7))), attribute.type == .evs else {
            throw DictionaryFault("\(word.dropFirst(7)) is no attribute of type evs")
        }
        return UInt8(truncatingIfNeeded: attribute.path.numbers[0])
    }

    /// `END-VENDOR name`.
    mutating func readEndVendor() throws(DictionaryFault) {
        try expectWords(2...2, "END-VENDOR takes a vendor's name")
        guard let open = source.vendor else { throw DictionaryFault("END-VENDOR without BEGIN-VENDOR") }
        guard tables.vendor(named: source.text(1))?.number == open.number else {
            throw DictionaryFault("END-VENDOR \(source.text(1)) closes BEGIN-VENDOR \(open.name)")
        }
        source.vendor = nil
        source.tlvs = []
    }

    /// `BEGIN-TLV attribute`.
    mutating func readBeginTLV() throws(DictionaryFault) {
        try expectWords(2...2, "BEGIN-TLV takes an attribute's name")
        let attribute = try definedAttribute(1)
        guard attribute.type == .tlv else {
            throw DictionaryFault("\(attribute.name) is of type \(attribute.type.dictionaryName), not tlv")
        }
        guard source.tlvs.count < Self.deepestTLV else {
            throw DictionaryFault("BEGIN-TLV stands in \(Self.deepestTLV) others; that is the limit")
        }
        guard isMember(attribute.path, of: source.tlvs.last?.path) else {
            throw DictionaryFault("\(attribute.name) (\(attribute.path)) does not belong in the block that BEGIN-TLV stands in")
        }
        source.tlvs.append(attribute)
    }

    private func isMember(_ path: AttributePath, of outer: AttributePath?) -> Bool {
        guard let outer else { return path.vendor == source.vendor?.number ?? 0 }
        return path.vendor == outer.vendor && path.base == outer.base && path.numbers.count > outer.numbers.count
            && path.numbers.starts(with: outer.numbers)
    }

    /// `END-TLV attribute`.
    mutating func readEndTLV() throws(DictionaryFault) {
        try expectWords(2...2, "END-TLV takes an attribute's name")
        guard let open = source.tlvs.last else { throw DictionaryFault("END-TLV without BEGIN-TLV") }
        guard tables.attribute(named: source.text(1))?.path == open.path else {
            throw DictionaryFault("END-TLV \(source.text(1)) closes BEGIN-TLV \(open.name)")
        }
        source.tlvs.removeLast()
    }
}
