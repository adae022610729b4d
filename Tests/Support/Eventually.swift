internal import Glibc

/// What `eventually` throws when its condition never came true.
public struct ConditionNotMet: Error, CustomStringConvertible {
    /// Where the wait stands, as `file:line`.
    public let place: String

    public var description: String { "not so within a minute: the condition at \(place)" }
}

/// Waits until `condition` holds; throws `ConditionNotMet` after a minute.
public func eventually(file: String = #fileID, line: Int = #line, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    throw ConditionNotMet(place: "\(file):\(line)")
}

/// As above, for a thread that may block.
public func eventuallyBlocking(file: String = #fileID, line: Int = #line, _ condition: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if try condition() { return }
        usleep(10_000)
    }
    throw ConditionNotMet(place: "\(file):\(line)")
}
