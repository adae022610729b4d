internal import Glibc

/// What `eventually` throws when its condition never came true.
public struct ConditionNotMet: Error, CustomStringConvertible {
    /// Where the wait stands, as `file:line`.
    public let place: String

    public var description: String { "not so within the time that was given: the condition at \(place)" }
}

/// A minute; a look that took longer than a quarter of it, as on a machine that stood still, counts for no more than that.
private struct Patience {
    private var left = Duration.seconds(60)
    private var seenAt = ContinuousClock.now

    /// Counts the time since the last call; whether some is left.
    mutating func lasts() -> Bool {
        let now = ContinuousClock.now
        left -= min(now - seenAt, .seconds(15))
        seenAt = now
        return left > .zero
    }
}

/// Waits until `condition` holds; throws `ConditionNotMet` after a minute.
public func eventually(file: String = #fileID, line: Int = #line, _ condition: () async throws -> Bool) async throws {
    var patience = Patience()
    while true {
        if try await condition() { return }
        guard patience.lasts() else { throw ConditionNotMet(place: "\(file):\(line)") }
        try await Task.sleep(for: .milliseconds(10))
    }
}

/// As above, for a thread that may block.
public func eventuallyBlocking(file: String = #fileID, line: Int = #line, _ condition: () throws -> Bool) throws {
    var patience = Patience()
    while true {
        if try condition() { return }
        guard patience.lasts() else { throw ConditionNotMet(place: "\(file):\(line)") }
        usleep(10_000)
    }
}
