import Support

/// One daemon with the demonstration's tenant for all tests that leave it as they found it: each brings subscribers, plans and NASes of
/// its own.
actor SharedDaemon {
    private static let shared = SharedDaemon()
    private var starting: Task<DaemonProcess, any Error>?

    static func get() async throws -> DaemonProcess { try await shared.started() }

    /// Nil when no test asked for it yet.
    static func running() async -> DaemonProcess? { try? await shared.starting?.value }

    private func started() async throws -> DaemonProcess {
        if let starting { return try await starting.value }
        let task = Task { try await DaemonProcess.start() }
        starting = task
        return try await task.value
    }
}

/// Numbers that no other test gets.
actor Serial {
    private static let shared = Serial()
    private var last = 0

    static func next() async -> Int { await shared.advance() }

    private func advance() -> Int {
        last += 1
        return last
    }
}
