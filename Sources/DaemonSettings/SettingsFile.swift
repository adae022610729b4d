internal import Glibc

/// The keys that a settings file gives, checked against the table; everything wrong is collected, nothing thrown.
struct SettingsFile {
    private static let sizeLimit = 1_048_576

    private let name: String
    private(set) var values: [String: SettingValue] = [:]
    private(set) var mistakes: [SettingsMistake] = []
    /// Where each key that was given stands: `etc/lastmile.yaml:12:9`.
    private(set) var places: [String: String] = [:]

    /// Reads the file at `path`; `name` is how messages call it.
    init(path: String, name: String) {
        self.name = name
        switch Self.bytes(of: path) {
        case .failure(let error):
            mistakes.append(SettingsMistake(place: name, key: "", problem: "cannot be read: \(error.reason)", remedy: error.remedy))
        case .success(let bytes):
            read(bytes)
        }
    }

    /// Reads `text` as if a file called `name` held it.
    init(text: [UInt8], name: String) {
        self.name = name
        read(text)
    }

    private mutating func read(_ bytes: [UInt8]) {
        do throws(YAMLError) {
            guard let root = try YAMLReader.document(in: bytes), !root.isNull else { return }
            take(root, path: "")
        } catch {
            mistakes.append(SettingsMistake(place: place(error.place), key: "", problem: error.problem, remedy: error.remedy))
        }
    }

    private mutating func take(_ node: YAMLNode, path: String) {
        guard case .mapping(let pairs) = node.content else {
            if node.isNull { return }
            let what = path.isEmpty ? "the file must hold keys (name: value)" : "is a group of keys, not a key with a value"
            return add(path, node.place, what, "keys in it: \(SettingTable.names(under: path).joined(separator: ", "))")
        }
        for pair in pairs {
            take(pair, path: path.isEmpty ? pair.key : path + "." + pair.key)
        }
    }

    private mutating func take(_ pair: YAMLNode.Pair, path: String) {
        if let key = SettingTable.key(named: path) {
            if let first = places[path] {
                return add(path, pair.place, "is given twice, first at \(first)", "keep one")
            }
            places[path] = place(pair.value.place)
            return take(pair.value, for: key)
        }
        guard SettingTable.names(under: path).isEmpty else { return take(pair.value, path: path) }
        add(path, pair.place, "is not a key", Self.remedy(forUnknown: path))
    }

    private mutating func take(_ node: YAMLNode, for key: SettingKey) {
        switch node.content {
        case .scalar(let text, _):
            let written = node.isNull ? "" : text
            guard let value = key.type.value(of: written) else { return reject(written, for: key, at: node.place) }
            values[key.name] = value
        case .sequence(let nodes):
            let words = nodes.compactMap { node -> String? in
                if case .scalar(let text, _) = node.content { text } else { nil }
            }
            guard words.count == nodes.count, let value = key.type.list(of: words) else {
                return reject("[\(words.joined(separator: ", "))]", for: key, at: node.place)
            }
            values[key.name] = value
        case .mapping:
            add(key.name, node.place, "takes a value, not a group of keys", "allowed: \(key.type.allowed)")
        }
    }

    private mutating func reject(_ written: String, for key: SettingKey, at place: TextPlace) {
        add(key.name, place, SettingsMistake.problem(with: written, for: key), "allowed: \(key.type.allowed)")
    }

    private mutating func add(_ key: String, _ place: TextPlace, _ problem: String, _ remedy: String) {
        mistakes.append(SettingsMistake(place: self.place(place), key: SettingsMistake.printable(key), problem: problem, remedy: remedy))
    }

    private func place(_ place: TextPlace) -> String { "\(name):\(place.line):\(place.column)" }

    private static func remedy(forUnknown path: String) -> String {
        if let near = Suggestion.nearest(to: path, among: SettingTable.keys.map(\.name)) { return "did you mean \(near)?" }
        let group = path.split(separator: ".").dropLast().joined(separator: ".")
        let names = SettingTable.names(under: group)
        return "keys \(group.isEmpty || names.isEmpty ? "" : "in \(group) ")there are: "
            + (names.isEmpty ? SettingTable.keys.map(\.name) : names).joined(separator: ", ")
    }
}

extension SettingsFile {
    private struct ReadError: Error {
        let reason: String
        var remedy = ""
    }

    private static func bytes(of path: String) -> Result<[UInt8], ReadError> {
        guard let file = fopen(path, "re") else {
            let remedy = errno == ENOENT ? "give the right path with --config or LASTMILE_CONFIG" : ""
            return .failure(ReadError(reason: String(cString: strerror(errno)), remedy: remedy))
        }
        defer { fclose(file) }
        let content = [UInt8](unsafeUninitializedCapacity: sizeLimit + 1) { buffer, count in
            count = fread(buffer.baseAddress, 1, buffer.count, file)
        }
        if ferror(file) != 0 { return .failure(ReadError(reason: String(cString: strerror(errno)))) }
        if content.count > sizeLimit { return .failure(ReadError(reason: "larger than \(sizeLimit) bytes")) }
        return .success(content)
    }
}

extension SettingsMistake {
    /// What is wrong with `written` as a value of `key`, without revealing a secret.
    static func problem(with written: String, for key: SettingKey) -> String {
        if written.isEmpty { return "has no value" }
        return key.type.isSecret ? "the value (not shown here) is not allowed" : "\"\(printable(written))\" is not allowed"
    }

    /// `text` for a message: at most 80 characters, nothing that moves a terminal's cursor.
    static func printable(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(80).map { scalar -> String in
            scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
                ? "\\u{" + String(scalar.value, radix: 16) + "}" : String(scalar)
        }
        return shown.joined() + (text.unicodeScalars.count > 80 ? "..." : "")
    }
}
