import FoundationEssentials

/// How much a test does: little beside all other tests, much when somebody asked for its suite by name.
enum Scale {
    /// `make e2e` sets the variable, `make test` does not.
    static let isLarge = ProcessInfo.processInfo.environment["LASTMILE_E2E_LARGE"] == "1"

    /// The same test with another count or duration.
    static func of<Value>(_ small: Value, large: Value) -> Value { isLarge ? large : small }
}
