import RadiusCore

/// The dictionaries of this repository, loaded once.
enum Shipped {
    static let dictionary = Result { () throws(DictionaryError) in try RadiusDictionary.load(path: root + "/dictionaries/dictionary") }

    /// The repository's directory, from where this file stands in it.
    static var root: String {
        var path = #filePath[...]
        for _ in 0..<3 { path = path[..<(path.lastIndex(of: "/") ?? path.startIndex)] }
        return String(path)
    }

    /// Octets of hexadecimal digits.
    static func octets(_ text: String) -> [UInt8] { PacketText.octets(hexadecimal: text) ?? [] }
}
