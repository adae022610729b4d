import Database

/// What a field's value becomes on its way to PostgreSQL.
enum FieldValue: Equatable {
    case bound(SQLValue)
    /// The column's own default.
    case initial
    /// A resource by its id.
    case id(Int64)
    /// A resource by what names it, to be looked up (`RowKey`); in a sheet its unique name alone.
    case name(String)
    /// To be sealed.
    case secret([UInt8])
}

/// Why a value does not fit a field.
struct FieldFault: Error, Equatable {
    let code: String
    let detail: String
    /// The rest of a JSON pointer below the field, such as `/0/name`.
    var below = ""

    init(_ code: String, _ detail: String, below: String = "") {
        self.code = code
        self.detail = detail
        self.below = below
    }
}

extension Field {
    /// Checks a vendor dictionary's attribute: its name and value; nil when both are fine, else the reason.
    typealias AttributeCheck = @Sendable (_ name: String, _ value: String) -> String?

    /// The value that `json` spells for this field.
    ///
    /// - Throws: `FieldFault` naming what is wrong; never the value itself when it may be a secret.
    func value(of json: JSON, attribute: AttributeCheck) throws(FieldFault) -> FieldValue {
        if json == .null {
            guard !isRequired else { throw FieldFault("required", "\(name) cannot be empty") }
            return .initial
        }
        switch kind {
        case .integer: return .bound(.int(try integer(json)))
        case .boolean: return .bound(.bool(try boolean(json)))
        case .rate: return .bound(.int(try rate(json)))
        case .textList: return .bound(.textArray(try list(json)))
        case .attributes: return .bound(.json(try attributes(json, attribute)))
        case .reference: return try reference(json)
        case .document: throw FieldFault("read_only", "\(name) cannot be set")
        default:
            guard let text = json.text else { throw FieldFault("type", "a string is expected, not \(json.kindName)") }
            return try value(ofText: text, isStored: true, attribute: attribute)
        }
    }

    /// The value that a bare text spells: a CSV cell or a query parameter.
    ///
    /// Lists are separated by semicolons; attributes are `Name=value` separated by semicolons. Either may also be a JSON array, for values
    /// that hold semicolons. What is to be stored is no age: that is a time which is over.
    func value(ofText text: String, isStored: Bool = false, attribute: AttributeCheck) throws(FieldFault) -> FieldValue {
        switch kind {
        case .integer, .rate:
            if kind == .rate { return .bound(.int(try rate(.string(text)))) }
            guard let number = Int64(text) else { throw FieldFault("type", "a whole number is expected") }
            return .bound(.int(try within(number)))
        case .boolean: return .bound(.bool(try boolean(word: text)))
        case .textList:
            if let array = Self.array(text) { return .bound(.textArray(try list(array))) }
            let words = text.split { $0 == ";" }.map { JSON.string(Self.trimmed($0)) }
            return .bound(.textArray(try list(.array(words))))
        case .attributes: return .bound(.json(try attributes(Self.array(text) ?? Self.attributePairs(text), attribute)))
        case .reference: return try reference(.string(text))
        case .text, .choice, .secret: return try plain(text)
        case .address(let family): return .bound(.inet(try address(text, family)))
        case .prefix(let family): return .bound(.inet(try prefix(text, family)))
        case .hardwareAddress: return .bound(.text(try hardwareAddress(text)))
        case .timestamp: return .bound(.text(try isStored ? Instant.absolute(text) : Instant.normalized(text)))
        case .date: return .bound(.text(String(try Instant.normalized(text).prefix(10))))
        case .document: throw FieldFault("read_only", "\(name) cannot be set")
        }
    }

    /// The JSON array that `text` is; nil when it is none.
    private static func array(_ text: String) -> JSON? {
        guard text.hasPrefix("["), let json = try? JSONParser.parse(Array(text.utf8)), json.elements != nil else { return nil }
        return json
    }

    private func plain(_ text: String) throws(FieldFault) -> FieldValue {
        if case .choice(let words) = kind {
            guard words.contains(text) else { throw FieldFault("choice", "one of \(words.joined(separator: ", ")) is expected") }
            return .bound(.text(text))
        }
        try checkText(text)
        return kind == .secret ? .secret(Array(text.utf8)) : .bound(.text(text))
    }

    func checkText(_ text: String) throws(FieldFault) {
        let bounds = octets ?? 0...1000
        let count = text.utf8.count
        guard bounds.contains(count) else {
            guard count > 0 else { throw FieldFault("length", "it cannot be empty") }
            let wanted = bounds.count == 1 ? "exactly \(bounds.lowerBound)" : "\(bounds.lowerBound) to \(bounds.upperBound)"
            throw FieldFault("length", "\(wanted) octets are possible, not \(count)")
        }
        if let control = text.unicodeScalars.first(where: isForbidden) {
            throw FieldFault(
                "characters", "the control character U+\(String(control.value, radix: 16, uppercase: true)) is not possible here")
        }
        if name == "name", text.first?.isWhitespace == true || text.last?.isWhitespace == true {
            throw FieldFault("format", "a name neither begins nor ends with a blank")
        }
        if let reason = form?.reason(text) { throw FieldFault("format", reason) }
    }

    private func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        if allowsLines, scalar == "\n" || scalar == "\t" || scalar == "\r" { return false }
        return scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
    }

    private func integer(_ json: JSON) throws(FieldFault) -> Int64 {
        guard case .number = json else { throw FieldFault("type", "a whole number is expected, not \(json.kindName)") }
        guard let number = json.integer else { throw FieldFault("type", "a whole number of at most 64 bits is expected") }
        return try within(number)
    }

    private func within(_ number: Int64) throws(FieldFault) -> Int64 {
        guard let range, !range.contains(number) else { return number }
        throw FieldFault("range", "\(range.lowerBound) to \(range.upperBound) is possible, not \(number)")
    }

    private func boolean(_ json: JSON) throws(FieldFault) -> Bool {
        guard case .boolean(let value) = json else { throw FieldFault("type", "true or false is expected, not \(json.kindName)") }
        return value
    }

    private func boolean(word: String) throws(FieldFault) -> Bool {
        switch word.lowercased() {
        case "true", "yes", "1": return true
        case "false", "no", "0": return false
        default: throw FieldFault("type", "true or false is expected")
        }
    }

    private func rate(_ json: JSON) throws(FieldFault) -> Int64 {
        if let text = json.text {
            guard let rate = BitRate.parse(text) else {
                throw FieldFault("rate", "a number is expected, such as 50000000, 50M or 1.5G")
            }
            return try within(rate)
        }
        return try integer(json)
    }

    private func reference(_ json: JSON) throws(FieldFault) -> FieldValue {
        if let name = json.text {
            guard !name.isEmpty else { throw FieldFault("reference", "a name cannot be empty; null removes the reference") }
            return .name(name)
        }
        guard let id = json.integer else { throw FieldFault("type", "a name (string) or an id (number) is expected, not \(json.kindName)") }
        return .id(id)
    }

    private func list(_ json: JSON) throws(FieldFault) -> [String] {
        guard let elements = json.elements else { throw FieldFault("type", "an array of strings is expected, not \(json.kindName)") }
        guard elements.count <= 100 else { throw FieldFault("length", "at most 100 entries are possible") }
        var texts: [String] = []
        for (index, element) in elements.enumerated() {
            guard let text = element.text else { throw FieldFault("type", "a string is expected", below: "/\(index)") }
            guard !text.isEmpty else { throw FieldFault("length", "it cannot be empty", below: "/\(index)") }
            do { try checkText(text) } catch { throw FieldFault(error.code, error.detail, below: "/\(index)") }
            texts.append(text)
        }
        return texts
    }

    static func trimmed(_ text: some StringProtocol) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
