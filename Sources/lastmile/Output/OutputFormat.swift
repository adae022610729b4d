import ArgumentParser

/// How data is printed.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
    case table, json, yaml, csv
}

/// One column of a table.
struct Column: Equatable {
    /// How a cell reads on a terminal; pipes, CSV and JSON get the value itself.
    enum Style {
        case plain
        /// Bits per second as `50M`.
        case rate
        /// Octets as `1.2 GB`.
        case octets
        /// Seconds as `2h 5m`.
        case seconds
    }

    /// The member's name.
    let name: String
    var style = Style.plain

    init(_ name: String, _ style: Style = .plain) {
        self.name = name
        self.style = style
    }

    /// The cell of `record` for people.
    func pretty(_ record: JSONValue) -> String {
        let value = value(record)
        guard let number = value.integer, number >= 0 else { return Printable.line(value.reference) }
        switch style {
        case .plain: return value.cell
        case .rate: return Quantity.rate(number)
        case .octets: return Quantity.octets(number)
        case .seconds: return Quantity.seconds(number)
        }
    }

    /// The cell of `record` for programs.
    func plain(_ record: JSONValue) -> String { value(record).reference }

    /// A thing that is gone has no name any more; what referred to it has its id.
    private func value(_ record: JSONValue) -> JSONValue {
        let value = record[name] ?? .null
        guard value == .null, let id = record[name + "_id"]?.integer else { return value }
        return .string("id:\(id)")
    }

    var isNumeric: Bool { style != .plain }
}

extension JSONValue {
    /// A referenced thing by its name, anything else as a cell.
    var reference: String {
        if case .object = self, let name = self["name"]?.text ?? self["username"]?.text { return name }
        return cell
    }
}

/// Numbers with units for people.
enum Quantity {
    /// Bits per second in the shortest exact form: `50M`, `512k`, `1500k`, `1234567`.
    static func rate(_ bitsPerSecond: Int64) -> String {
        if bitsPerSecond == 0 { return "no limit" }
        for (factor, letter) in [(1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M"), (1000, "k")] as [(Int64, String)]
        where bitsPerSecond % factor == 0 { return "\(bitsPerSecond / factor)\(letter)" }
        return String(bitsPerSecond)
    }

    /// Octets with one decimal: `1.2 GB`; powers of 1000.
    static func octets(_ octets: Int64) -> String {
        for (factor, unit) in [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")] as [(Int64, String)]
        where octets >= factor { return "\(octets / factor).\(octets % factor * 10 / factor) \(unit)" }
        return "\(octets) B"
    }

    /// The two largest units: `3d 4h`, `2h 5m`, `45s`.
    static func seconds(_ seconds: Int64) -> String {
        let parts =
            [(seconds / 86400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")] as [(Int64, String)]
        guard let first = parts.firstIndex(where: { $0.0 > 0 }) else { return "0s" }
        let shown = parts[first..<min(first + 2, parts.count)].filter { $0.0 > 0 }
        return shown.map { "\($0.0)\($0.1)" }.joined(separator: " ")
    }
}
