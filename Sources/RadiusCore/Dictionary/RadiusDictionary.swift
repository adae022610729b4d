/// The names, numbers and types of attributes, values and vendors, as dictionary files give them.
///
/// Immutable once loaded, so that any thread may ask. Lookups by name or by a path of several numbers hash a string or an array:
/// they belong to configuration, logs and commands, not to the packet path.
public final class RadiusDictionary: Sendable {
    private let tables: DictionaryTables

    init(tables: DictionaryTables) {
        self.tables = tables
    }

    /// Loads the dictionary at `path` and what it includes.
    ///
    /// The syntax is FreeRADIUS 3's; `path` is the root file, mostly `.../dictionary`. Throws the first bad line, with up to 19
    /// others behind it.
    public static func load(path: String) throws(DictionaryError) -> RadiusDictionary {
        try load(paths: [path])
    }

    /// Loads several dictionaries one after another, an operator's own behind those that come with the server.
    public static func load(paths: [String]) throws(DictionaryError) -> RadiusDictionary {
        RadiusDictionary(tables: try DictionaryParser.parse(paths: paths))
    }

    /// The attribute with this name or alias; case does not matter.
    public func attribute(named name: String) -> AttributeDefinition? {
        tables.attribute(named: name)
    }

    /// The attribute at `path`.
    ///
    /// Where several lines name one number, the line read last answers, as in FreeRADIUS 3: its name is the one to print.
    public func attribute(at path: AttributePath) -> AttributeDefinition? {
        tables.attribute(at: path)
    }

    /// The standard attribute (vendor 0) or the vendor's attribute in Vendor-Specific with this number; allocates nothing.
    public func attribute(number: UInt32, vendor: UInt32 = 0) -> AttributeDefinition? {
        tables.attribute(base: vendor == 0 ? 0 : 26, vendor: vendor, number: number)
    }

    /// The vendor with this Private Enterprise Number.
    public func vendor(_ number: UInt32) -> VendorDefinition? {
        tables.vendor(number)
    }

    /// The vendor with this name or an earlier one; case does not matter.
    public func vendor(named name: String) -> VendorDefinition? {
        tables.vendor(named: name)
    }

    /// The name of a number that the attribute may have; the line read last where several name it.
    public func valueName(of attribute: AttributeDefinition, _ number: UInt64) -> String? {
        tables.values(of: attribute.path)?.nameByNumber[number]
    }

    /// The number that a value's name stands for; case does not matter.
    public func value(named name: String, of attribute: AttributeDefinition) -> UInt64? {
        tables.values(of: attribute.path)?.numberByName[FoldedName(name)]
    }

    /// The numbers of an attribute that have names, and the name to print for each, by number.
    public func values(of attribute: AttributeDefinition) -> [(name: String, number: UInt64)] {
        let names = tables.values(of: attribute.path)?.nameByNumber ?? [:]
        return names.map { (name: $0.value, number: $0.key) }.sorted { $0.number < $1.number }
    }

    /// Every attribute under every name, in the order of definition.
    public var attributes: [AttributeDefinition] { tables.attributes }

    /// Every vendor, by number.
    public var vendors: [VendorDefinition] { tables.vendors }

    /// ATTRIBUTE lines read, aliases and repetitions too.
    public var attributeCount: Int { tables.attributeLines }

    /// VALUE lines read, repetitions too.
    public var valueCount: Int { tables.valueLines }

    /// VALUE lines of attributes that no line defines: they name nothing, and `valueCount` counts them too.
    public var strayValueCount: Int { tables.strayValueLines }

    /// What to tell the operator, a line each, in the files' order: up to 20 of the stray VALUE lines, and how many there are beside them.
    public var warnings: [String] {
        let named = tables.warnings.map(\.description)
        let further = strayValueCount - named.count
        return further > 0 ? named + ["and \(further) more such lines"] : named
    }

    /// VENDOR lines read, repetitions too.
    public var vendorCount: Int { tables.vendorLines }
}
