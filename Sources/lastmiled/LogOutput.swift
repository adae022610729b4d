import DaemonSettings
import Glibc
import Logging
import Synchronization

/// Writes the log to standard error, as text or as one JSON object a line.
struct LogOutput: LogHandler {
    private static let currentLevel = Mutex(Logger.Level.info)
    private let label: String
    private let isJSON: Bool
    var metadata: Logger.Metadata = [:]

    /// Shared by all loggers, so that a reload can change it.
    var logLevel: Logger.Level {
        get { Self.currentLevel.withLock { $0 } }
        set { Self.currentLevel.withLock { $0 = newValue } }
    }

    static func bootstrap(_ settings: Settings) {
        setLevel(settings.logLevel)
        let isJSON = settings.logFormat == .json
        LoggingSystem.bootstrap { LogOutput(label: $0, isJSON: isJSON) }
    }

    static func setLevel(_ level: Settings.LogLevel) {
        currentLevel.withLock { $0 = Logger.Level(rawValue: level.rawValue) ?? .info }
    }

    private init(label: String, isJSON: Bool) {
        self.label = label
        self.isJSON = isJSON
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let merged = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let time = Self.timestamp()
        var line: String
        if isJSON {
            line =
                "{\"ts\":\"\(time)\",\"level\":\"\(event.level)\",\"logger\":\(Self.quoted(label)),\"msg\":\(Self.quoted("\(event.message)"))"
            for (key, value) in merged { line += ",\(Self.quoted(key)):\(Self.quoted("\(value)"))" }
            line += "}\n"
        } else {
            line = "\(time) \(event.level) \(label): \(Self.printable("\(event.message)"))"
            for (key, value) in merged { line += " \(key)=\(Self.printable("\(value)"))" }
            line += "\n"
        }
        StandardError.write(line)
    }

    /// RFC 3339, UTC, milliseconds.
    private static func timestamp() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        var text = [CChar](repeating: 0, count: 32)
        strftime(&text, text.count, "%Y-%m-%dT%H:%M:%S", &parts)
        let milliseconds = String(1000 + now.tv_nsec / 1_000_000).dropFirst()
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) + ".\(milliseconds)Z"
    }

    /// Control characters must not forge a line.
    private static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return text }
        return text.unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }.joined()
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            default:
                if scalar.value < 0x20 {
                    out += "\\u" + String(0x10000 + scalar.value, radix: 16).dropFirst()
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        return out + "\""
    }
}
