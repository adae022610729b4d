/// One property of a resource: what it is called, which column holds it, what values it takes.
///
/// A field without `.required` and `.initial` is nullable; PATCH with null puts the column's default back (RFC 7396 removal).
public struct Field: Sendable {
    /// The shape of the values.
    public enum Kind: Sendable, Equatable {
        case text
        case integer
        case boolean
        /// Another resource, by id (JSON number) or by what names it in an address (JSON string; `RowKey`).
        case reference(to: String)
        /// One of these words.
        case choice([String])
        /// Bits per second: a number, or text such as `50M`, `1.5G`, `512k`; answered as a number.
        case rate
        /// An address without a prefix length (column `inet`).
        case address(Family)
        /// A network, host bits zero; a lone address is a network of one (column `cidr`).
        case prefix(Family)
        /// A hardware address in any usual notation; answered as `aa:bb:cc:dd:ee:ff` (column `macaddr`).
        case hardwareAddress
        case textList
        /// RADIUS attributes in order: `[{"name": "Filter-Id", "value": "x"}]` (column `jsonb`).
        case attributes
        /// Taken, sealed and never answered (column `bytea`).
        case secret
        /// RFC 3339; answered in UTC.
        case timestamp
        /// A day, `2026-01-31`.
        case date
        /// Any JSON, only answered (column `jsonb`).
        case document
    }

    public enum Family: Int, Sendable, Equatable {
        case any = 0
        case ipv4 = 4
        case ipv6 = 6
    }

    /// Whose data it is: decides who may see it and what erasure removes.
    public enum DataClass: String, Sendable {
        case operational
        case personal
        case secret
    }

    /// What narrows a field; see `Field.init`.
    public enum Trait: Sendable {
        case required
        /// Found by `q=`.
        case searchable
        case unique
        case readOnly
        /// Taken when a resource is made, not changed later.
        case fixed
        /// What the column holds when nothing is said; the table's own default.
        case initial(JSON)
        case range(ClosedRange<Int64>)
        /// Octets of UTF-8.
        case octets(ClosedRange<Int>)
        /// The column, where it is not called like the field.
        case column(String)
        /// No column: this SQL expression over the table alias `t`, only answered.
        case computed(String)
        case dataClass(DataClass)
        case form(TextForm)
        /// A second column that is set to this word whenever this field is written.
        case sets(column: String, to: String)
        /// A second column, of text, that becomes null whenever this field is written.
        case clears(column: String)
        /// More than one line of text is fine.
        case lines
        /// A reference without a foreign key: what it names may be gone.
        case loose
        case summary(String)
    }

    public let name: String
    public let column: String
    public let kind: Kind
    public private(set) var isRequired = false
    public private(set) var isSearchable = false
    public private(set) var isUnique = false
    public private(set) var isReadOnly = false
    public private(set) var isFixed = false
    public private(set) var allowsLines = false
    public private(set) var isLoose = false
    public private(set) var initial: JSON?
    public private(set) var range: ClosedRange<Int64>?
    public private(set) var octets: ClosedRange<Int>?
    public private(set) var expression: String?
    public private(set) var dataClass = DataClass.operational
    public private(set) var form: TextForm?
    public private(set) var sets: (column: String, word: String)?
    public private(set) var clears: String?
    public private(set) var summary = ""

    init(_ name: String, _ kind: Kind, _ traits: [Trait]) {
        var column = name
        if case .reference = kind { column = name + "_id" }
        for case .column(let other) in traits { column = other }
        self.name = name
        self.column = column
        self.kind = kind
        if kind == .secret { dataClass = .secret }
        for trait in traits { apply(trait) }
    }

    private mutating func apply(_ trait: Trait) {
        switch trait {
        case .required: isRequired = true
        case .searchable: isSearchable = true
        case .unique: isUnique = true
        case .readOnly: isReadOnly = true
        case .fixed: isFixed = true
        case .lines: allowsLines = true
        case .loose: isLoose = true
        case .initial(let value): initial = value
        case .range(let range): self.range = range
        case .octets(let octets): self.octets = octets
        case .column: break
        case .computed(let expression):
            self.expression = expression
            isReadOnly = true
        case .dataClass(let dataClass): self.dataClass = dataClass
        case .form(let form): self.form = form
        case .sets(let column, let word): sets = (column, word)
        case .clears(let column): clears = column
        case .summary(let summary): self.summary = summary
        }
    }

    /// The column may hold NULL.
    var isNullable: Bool { !isRequired && initial == nil && expression == nil }
    /// It stands in answers.
    var isAnswered: Bool { kind != .secret }
}

extension Field {
    static func text(_ name: String, _ traits: Trait...) -> Field { Field(name, .text, traits) }
    static func integer(_ name: String, _ traits: Trait...) -> Field { Field(name, .integer, traits) }
    static func boolean(_ name: String, _ traits: Trait...) -> Field { Field(name, .boolean, traits) }
    static func reference(_ name: String, to resource: String, _ traits: Trait...) -> Field {
        Field(name, .reference(to: resource), traits)
    }
    static func choice(_ name: String, _ words: [String], _ traits: Trait...) -> Field { Field(name, .choice(words), traits) }
    static func rate(_ name: String, _ traits: Trait...) -> Field { Field(name, .rate, traits) }
    static func address(_ name: String, _ family: Family, _ traits: Trait...) -> Field { Field(name, .address(family), traits) }
    static func prefix(_ name: String, _ family: Family, _ traits: Trait...) -> Field { Field(name, .prefix(family), traits) }
    static func hardwareAddress(_ name: String, _ traits: Trait...) -> Field { Field(name, .hardwareAddress, traits) }
    static func textList(_ name: String, _ traits: Trait...) -> Field { Field(name, .textList, traits) }
    static func attributes(_ name: String, _ traits: Trait...) -> Field { Field(name, .attributes, traits) }
    static func secret(_ name: String, _ traits: Trait...) -> Field { Field(name, .secret, traits) }
    static func timestamp(_ name: String, _ traits: Trait...) -> Field { Field(name, .timestamp, traits) }
    static func date(_ name: String, _ traits: Trait...) -> Field { Field(name, .date, traits) }
    static func document(_ name: String, _ traits: Trait...) -> Field { Field(name, .document, traits) }
}

/// A rule on a text beyond its length, with its name in OpenAPI (`format`).
public struct TextForm: Sendable {
    public let name: String
    /// Why the text does not fit; nil when it does.
    let reason: @Sendable (String) -> String?
}
