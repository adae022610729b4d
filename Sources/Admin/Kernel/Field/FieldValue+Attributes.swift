import Database

extension Field {
    /// RADIUS attributes as the text of a JSON array, each checked by the dictionary.
    func attributes(_ json: JSON, _ check: AttributeCheck) throws(FieldFault) -> String {
        guard let elements = json.elements else { throw FieldFault("type", "an array of {name, value} is expected, not \(json.kindName)") }
        guard elements.count <= 100 else { throw FieldFault("length", "at most 100 attributes are possible") }
        var pairs: [JSON] = []
        for (index, element) in elements.enumerated() {
            pairs.append(try pair(element, at: "/\(index)", check))
        }
        return String(decoding: JSON.array(pairs).bytes, as: UTF8.self)
    }

    private func pair(_ element: JSON, at place: String, _ check: AttributeCheck) throws(FieldFault) -> JSON {
        guard let members = element.members else { throw FieldFault("type", "{name, value} is expected", below: place) }
        for member in members where member.name != "name" && member.name != "value" {
            throw FieldFault("unknown", "only name and value are possible here", below: place + Problem.Fault.pointer(member.name))
        }
        guard let name = element["name"]?.text, !name.isEmpty else {
            throw FieldFault("required", "the attribute's name is expected", below: place + "/name")
        }
        guard let value = element["value"]?.attributeText else {
            throw FieldFault("required", "the attribute's value is expected, a string or a number", below: place + "/value")
        }
        if let reason = check(name, value) { throw FieldFault("attribute", reason, below: place) }
        return ["name": .string(name), "value": .string(value)]
    }

    /// `Name=value; Name=value` as it may stand in a CSV cell.
    static func attributePairs(_ text: String) -> JSON {
        let entries = text.split(separator: ";").map(trimmed).filter { !$0.isEmpty }
        return .array(
            entries.map { entry in
                let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2 else { return .string(entry) }
                return ["name": .string(trimmed(parts[0])), "value": .string(trimmed(parts[1]))]
            })
    }
}

extension JSON {
    /// A string, or a number as it was written.
    var attributeText: String? {
        switch self {
        case .string(let text), .number(let text): text
        default: nil
        }
    }
}

/// Rates as people write them.
enum BitRate {
    /// Bits per second of `50000000`, `50M`, `50 Mbit/s`, `1.5G`, `512k`; nil for anything else, and for fractions of a bit.
    static func parse(_ text: String) -> Int64? {
        var rest = Substring(text)
        let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        rest = rest.dropFirst(digits.count).drop { $0 == " " }
        var scale: Int64 = 1
        if let letter = rest.first, let factor = factor(letter) {
            scale = factor
            rest = rest.dropFirst()
        }
        guard ["", "b", "bit", "bps", "bit/s", "b/s", "Bit/s"].contains(String(rest)) else { return nil }
        return scaled(digits, by: scale)
    }

    private static func factor(_ letter: Character) -> Int64? {
        switch letter {
        case "k", "K": 1000
        case "M", "m": 1_000_000
        case "G", "g": 1_000_000_000
        case "T", "t": 1_000_000_000_000
        default: nil
        }
    }

    private static func scaled(_ digits: Substring, by scale: Int64) -> Int64? {
        let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let whole = Int64(first) else { return nil }
        let (product, overflow) = whole.multipliedReportingOverflow(by: scale)
        guard !overflow else { return nil }
        guard parts.count == 2 else { return product }
        guard let fraction = Int64(parts[1]), parts[1].count <= 12 else { return nil }
        var divisor: Int64 = 1
        for _ in 0..<parts[1].count { divisor *= 10 }
        let (numerator, tooFine) = fraction.multipliedReportingOverflow(by: scale)
        guard !tooFine, numerator % divisor == 0 else { return nil }
        let (sum, tooLarge) = product.addingReportingOverflow(numerator / divisor)
        return tooLarge ? nil : sum
    }
}
