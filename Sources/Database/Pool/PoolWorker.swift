internal import Glibc
internal import Logging

/// One thread of a pool: keeps its connection alive and runs jobs on it.
struct PoolWorker {
    let queue: Monitor<PoolQueue>
    let clock: Monitor<Bool>
    let ending: Monitor<Bool>
    let configuration: DatabaseConfiguration
    let logger: Logger

    func run() {
        while let connection = connect() {
            let isOver = serve(connection)
            connection.close()
            queue.withLock { $0.didDisconnect(at: Clock.now) }
            wakeClock()
            if isOver { return }
        }
    }

    /// Tries until there is a connection; nil when the pool closes first. Pauses grow from 0.1 to 5 seconds.
    private func connect() -> Connection? {
        var pause = 0.1
        while true {
            if queue.withLock({ $0.isClosed && $0.depth == 0 }) { return nil }
            do {
                let connection = try Connection.open(configuration)
                let wasAway = queue.withLock { queue in
                    defer { queue.didConnect() }
                    return queue.lastFailure != nil || queue.isSilenceKnown
                }
                if wasAway { logger.notice("PostgreSQL answers again") }
                return connection
            } catch {
                note(error)
            }
            if isClosed(within: pause * Double.random(in: 0.8...1.2)) { return nil }
            pause = min(5, pause * 2)
        }
    }

    private func note(_ error: any Error) {
        let failure = error as? DatabaseError ?? DatabaseError(.unableToConnect, "\(error)")
        let isNew = queue.withLock { queue in
            defer { queue.didFailToConnect(failure, at: Clock.now) }
            queue.failuresTotal += 1
            return queue.lastFailure?.message != failure.message
        }
        if isNew { logger.warning("cannot connect to PostgreSQL; trying again", metadata: ["error": "\(failure)"]) }
        wakeClock()
    }

    /// Work was given up since PostgreSQL stands still. Its other connections show that one by one; the log says it once.
    private func note(silence: DatabaseError) {
        let isFirst = queue.withLock { queue in
            queue.failuresTotal += 1
            defer { queue.isSilenceKnown = true }
            return !queue.isSilenceKnown
        }
        if isFirst { logger.warning("PostgreSQL stands still; work on it is given up", metadata: ["error": "\(silence)"]) }
    }

    /// Waits; true when the pool closed meanwhile.
    private func isClosed(within seconds: Double) -> Bool {
        ending.wait(until: Clock.after(seconds: seconds)) { $0 ? true : nil } ?? false
    }

    /// Runs jobs until the connection breaks (false) or the pool is closed and nothing waits (true).
    private func serve(_ connection: Connection) -> Bool {
        while true {
            let hasWork = queue.wait { queue -> Bool? in queue.depth > 0 ? true : queue.isClosed ? false : nil } ?? false
            guard hasWork else { return true }
            guard connection.isOpen else {
                queue.signal()
                return false
            }
            guard let job = take() else { continue }
            let tellCaller = job.perform(connection)
            tidy(connection)
            queue.withLock { $0.busy -= 1 }
            if let silence = connection.silence { note(silence: silence) }
            tellCaller()
        }
    }

    private func take() -> PoolJob? {
        queue.withLock { queue in
            guard let job = queue.takeFirst() else { return nil }
            queue.busy += 1
            return job
        }
    }

    /// A job that left its transaction open must not lend it to the next.
    private func tidy(_ connection: Connection) {
        guard connection.isInTransaction else { return }
        logger.error("database work left a transaction open; rolled back")
        try? connection.script("ROLLBACK")
    }

    private func wakeClock() {
        clock.withLock { $0 = true }
        clock.signal()
    }

    static func pause(milliseconds: UInt16) {
        usleep(UInt32(milliseconds) * 1000)
    }
}
