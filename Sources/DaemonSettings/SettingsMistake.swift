/// One thing that is wrong with the settings.
public struct SettingsMistake: Sendable, Equatable, CustomStringConvertible {
    /// `etc/lastmile.yaml:12:9`, or `environment LASTMILE_HTTP_PORT`.
    public let place: String
    /// The key's path, or empty when the mistake belongs to none, as bad syntax does.
    public let key: String
    /// What is wrong.
    public let problem: String
    /// What would be right.
    public let remedy: String

    public var description: String {
        place + ": " + (key.isEmpty ? "" : key + ": ") + problem + (remedy.isEmpty ? "" : "; " + remedy)
    }
}

/// All the mistakes that were found in the settings, so that they can be mended in one go.
public struct SettingsError: Error, Sendable, CustomStringConvertible {
    public let mistakes: [SettingsMistake]

    public var description: String {
        let count = mistakes.count == 1 ? "1 mistake" : "\(mistakes.count) mistakes"
        return (["the settings have \(count):"] + mistakes.map { "  " + $0.description }).joined(separator: "\n")
    }
}
