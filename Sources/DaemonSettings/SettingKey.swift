/// One key of the settings: its name, what values it takes, what it stands at when nobody sets it.
public struct SettingKey: Sendable {
    /// Dotted, lower case, `_` inside a segment: `radius.auth.port`.
    public let name: String
    public let type: SettingType
    /// The value as it would be written in the file; empty where the key may be left empty.
    public let standard: String
    /// What the key does, in one line.
    public let meaning: String

    init(_ name: String, _ type: SettingType, _ standard: String, _ meaning: String) {
        self.name = name
        self.type = type
        self.standard = standard
        self.meaning = meaning
    }

    /// The environment variable that overrides the file: `LASTMILE_RADIUS_AUTH_PORT`.
    public var environmentName: String {
        "LASTMILE_" + name.uppercased().replacing(".", with: "_")
    }
}

extension String {
    fileprivate func replacing(_ old: Character, with new: Character) -> String {
        String(map { $0 == old ? new : $0 })
    }
}
