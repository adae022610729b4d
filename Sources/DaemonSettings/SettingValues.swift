internal import Glibc

/// One value for every key of the table. Asking for a key that is not in the table, or as the wrong type, is our own mistake.
struct SettingValues {
    private let values: [String: SettingValue]

    /// - Parameter given: the values that somebody set; the other keys stand at their defaults.
    init(_ given: [String: SettingValue]) {
        var values = given
        for key in SettingTable.keys where values[key.name] == nil {
            values[key.name] = key.type.value(of: key.standard)
        }
        self.values = values
    }

    func number(_ name: String) -> Int {
        guard case .number(let number)? = values[name] else { preconditionFailure("\(name) is not a key with a number") }
        return number
    }

    func port(_ name: String) -> UInt16 { UInt16(number(name)) }

    func text(_ name: String) -> String {
        guard case .text(let text)? = values[name] else { preconditionFailure("\(name) is not a key with a text") }
        return text
    }

    func optionalText(_ name: String) -> String? {
        let text = text(name)
        return text.isEmpty ? nil : text
    }

    func list(_ name: String) -> [String] {
        guard case .list(let words)? = values[name] else { preconditionFailure("\(name) is not a key with a list") }
        return words
    }

    func absolutePath(_ name: String) -> String {
        let path = text(name)
        guard !path.hasPrefix("/") else { return path }
        var room = [CChar](repeating: 0, count: Int(PATH_MAX))
        guard let directory = getcwd(&room, room.count) else { return path }
        return String(cString: directory) + "/" + path
    }
}
