internal import Glibc

/// What `eventually` throws when its condition never came true.
public struct ConditionNotMet: Error {}

/// Waits until `condition` holds; throws `ConditionNotMet` after a minute.
public func eventually(_ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    throw ConditionNotMet()
}

/// As above, for a thread that may block.
public func eventuallyBlocking(_ condition: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if try condition() { return }
        usleep(10_000)
    }
    throw ConditionNotMet()
}
