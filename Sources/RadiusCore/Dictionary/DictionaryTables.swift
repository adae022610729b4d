/// What dictionary lines say, indexed by name and by number.
///
/// Several names may stand for one number: each finds its own line, while the number finds the line read last, whose name is the
/// one to print (FreeRADIUS 3 does so, that a newer dictionary may rename an attribute and old configurations still load).
/// The names of values belong to the number, so all its names share them.
struct DictionaryTables {
    /// One line for each name, in the order of first definition.
    private(set) var attributes: [AttributeDefinition] = []
    private(set) var attributeLines = 0
    private(set) var valueLines = 0
    private(set) var vendorLines = 0
    /// VALUE lines of attributes that no line defines, which `valueLines` counts too.
    private(set) var strayValueLines = 0
    /// The first of them.
    private(set) var warnings: [DictionaryWarning] = []

    private var attributeByName: [FoldedName: Int] = [:]
    /// Attributes that stand in no TLV and no extended attribute: nearly all, found without hashing an array.
    private var slotByNumber: [UInt64: Int] = [:]
    private var slotByPath: [AttributePath: Int] = [:]
    private var slots: [Slot] = []
    private var vendorByNumber: [UInt32: VendorDefinition] = [:]
    private var vendorByName: [FoldedName: UInt32] = [:]

    /// One place in the number space.
    private struct Slot {
        /// Index in `attributes` of the line read last.
        var attribute: Int
        var values = NamedNumbers()
        /// VALUE-ALIAS: the slot whose values are used.
        var source: Int?
    }

    /// The VALUE lines of one attribute.
    struct NamedNumbers {
        fileprivate(set) var numberByName: [FoldedName: UInt64] = [:]
        fileprivate(set) var nameByNumber: [UInt64: String] = [:]
    }

    func attribute(named name: String) -> AttributeDefinition? {
        attributeByName[FoldedName(name)].map { attributes[$0] }
    }

    func attribute(at path: AttributePath) -> AttributeDefinition? {
        slot(at: path).map { attributes[slots[$0].attribute] }
    }

    func attribute(base: UInt8, vendor: UInt32, number: UInt32) -> AttributeDefinition? {
        slotByNumber[Self.key(base, vendor, number)].map { attributes[slots[$0].attribute] }
    }

    func vendor(_ number: UInt32) -> VendorDefinition? {
        vendorByNumber[number]
    }

    func vendor(named name: String) -> VendorDefinition? {
        vendorByName[FoldedName(name)].flatMap { vendorByNumber[$0] }
    }

    var vendors: [VendorDefinition] {
        vendorByNumber.values.sorted { $0.number < $1.number }
    }

    func values(of path: AttributePath) -> NamedNumbers? {
        slot(at: path).map { slots[slots[$0].source ?? $0].values }
    }

    /// Takes an ATTRIBUTE line that is sound in itself.
    mutating func add(_ attribute: AttributeDefinition) throws(DictionaryFault) {
        let name = FoldedName(attribute.name)
        let index: Int
        if let known = attributeByName[name] {
            guard attributes[known].path == attribute.path else {
                throw DictionaryFault("\(attribute.name) stands for \(attributes[known].path) already and cannot be \(attribute.path) too")
            }
            attributes[known] = attribute
            index = known
        } else {
            index = attributes.count
            attributes.append(attribute)
            attributeByName[name] = index
        }
        place(index, at: attribute.path)
        attributeLines += 1
    }

    /// Takes a VALUE line.
    ///
    /// A late one stood before its attribute's line; it does not displace another name for the same number.
    mutating func addValue(
        _ name: String, _ number: UInt64, of attribute: AttributeDefinition, isLate: Bool = false
    ) throws(DictionaryFault) {
        guard let largest = attribute.type.largestNamedNumber else {
            throw DictionaryFault("\(attribute.name) is of type \(attribute.type.dictionaryName), whose numbers take no names")
        }
        guard number <= largest else {
            throw DictionaryFault("\(number) does not fit \(attribute.name) of type \(attribute.type.dictionaryName); at most \(largest)")
        }
        guard let slot = slot(at: attribute.path), slots[slot].source == nil else {
            throw DictionaryFault("\(attribute.name) has its values by VALUE-ALIAS and takes no VALUE of its own")
        }
        if let known = slots[slot].values.numberByName.updateValue(number, forKey: FoldedName(name)) {
            guard known == number else {
                slots[slot].values.numberByName[FoldedName(name)] = known
                throw DictionaryFault("\(name) of \(attribute.name) stands for \(known) already and cannot be \(number) too")
            }
        } else if !isLate || slots[slot].values.nameByNumber[number] == nil {
            slots[slot].values.nameByNumber[number] = name
        }
        valueLines += 1
    }

    /// Takes a VALUE line whose attribute no line defines.
    mutating func addStray(_ warning: DictionaryWarning) {
        valueLines += 1
        strayValueLines += 1
        if warnings.count < DictionaryWarning.limit { warnings.append(warning) }
    }

    /// Takes a VALUE-ALIAS line: `attribute` has the values of `other`.
    mutating func aliasValues(of attribute: AttributeDefinition, to other: AttributeDefinition) throws(DictionaryFault) {
        guard attribute.type == other.type else {
            throw DictionaryFault("\(attribute.name) and \(other.name) differ in type, so they cannot share values")
        }
        guard let target = slot(at: attribute.path), let source = slot(at: other.path) else {
            throw DictionaryFault("\(attribute.name) or \(other.name) has no number")
        }
        guard slots[target].source == nil, slots[target].values.numberByName.isEmpty else {
            throw DictionaryFault("\(attribute.name) has values already")
        }
        guard slots[source].source == nil, !slots[source].values.numberByName.isEmpty else {
            throw DictionaryFault("\(other.name) has no values of its own")
        }
        slots[target].source = source
    }

    /// Takes a VENDOR line; without a format a vendor known already keeps the one that it has.
    mutating func addVendor(_ name: String, _ number: UInt32, format: VendorFormat?) throws(DictionaryFault) {
        if let known = vendorByName[FoldedName(name)], known != number {
            throw DictionaryFault("vendor \(name) has number \(known) already and cannot have \(number) too")
        }
        let kept = format ?? vendorByNumber[number]?.format ?? VendorFormat()
        vendorByName[FoldedName(name)] = number
        vendorByNumber[number] = VendorDefinition(name: name, number: number, format: kept)
        vendorLines += 1
    }

    private mutating func place(_ index: Int, at path: AttributePath) {
        if let slot = slot(at: path) {
            slots[slot].attribute = index
            return
        }
        if path.numbers.count == 1 {
            slotByNumber[Self.key(path.base, path.vendor, path.numbers[0])] = slots.count
        } else {
            slotByPath[path] = slots.count
        }
        slots.append(Slot(attribute: index))
    }

    private func slot(at path: AttributePath) -> Int? {
        path.numbers.count == 1 ? slotByNumber[Self.key(path.base, path.vendor, path.numbers[0])] : slotByPath[path]
    }

    /// A vendor number has 24 bits (RFC 2865 §5.26), a base 8, the attribute's number 32.
    private static func key(_ base: UInt8, _ vendor: UInt32, _ number: UInt32) -> UInt64 {
        UInt64(base) << 56 | UInt64(vendor & 0xff_ffff) << 32 | UInt64(number)
    }
}
