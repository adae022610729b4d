/// One piece of work for a pool's thread: exactly one of its two ends is called, once.
struct PoolJob: Sendable {
    let identifier: UInt64
    let deadline: UInt64
    /// Does the work; what it gives back tells the caller, once the connection is free again.
    let perform: @Sendable (Connection) -> @Sendable () -> Void
    let fail: @Sendable (any Error) -> Void
}

/// What a pool's threads share. All waiting jobs have the same patience, so the oldest is always the first to expire.
struct PoolQueue {
    private var waiting: [UInt64: PoolJob] = [:]
    private var order: [UInt64] = []
    private var head = 0
    var isClosed = false
    var connected = 0
    var busy = 0
    var waitsTotal: UInt64 = 0
    var failuresTotal: UInt64 = 0
    /// Since when no thread has had a connection (monotonic nanoseconds), and why.
    private(set) var awaySince: UInt64?
    private(set) var lastFailure: DatabaseError?
    /// Work was given up since the server stood still, and no new connection was made since.
    var isSilenceKnown = false

    var depth: Int { waiting.count }

    mutating func append(_ job: PoolJob) {
        if busy >= connected { waitsTotal += 1 }
        waiting[job.identifier] = job
        order.append(job.identifier)
    }

    mutating func takeFirst() -> PoolJob? {
        while head < order.count {
            let job = waiting.removeValue(forKey: order[head])
            head += 1
            compact()
            if let job { return job }
        }
        return nil
    }

    mutating func remove(_ identifier: UInt64) -> PoolJob? {
        waiting.removeValue(forKey: identifier)
    }

    /// When the oldest job runs out of patience.
    mutating func firstDeadline() -> UInt64? {
        while head < order.count {
            if let job = waiting[order[head]] { return job.deadline }
            head += 1
        }
        return nil
    }

    mutating func takeExpired(at now: UInt64) -> [PoolJob] {
        var expired: [PoolJob] = []
        while let deadline = firstDeadline(), isClosed && connected == 0 || deadline <= now, let job = takeFirst() {
            expired.append(job)
        }
        return expired
    }

    mutating func didConnect() {
        connected += 1
        awaySince = nil
        lastFailure = nil
        isSilenceKnown = false
    }

    mutating func didDisconnect(at now: UInt64) {
        connected -= 1
        if connected == 0 { awaySince = now }
    }

    mutating func didFailToConnect(_ failure: DatabaseError, at now: UInt64) {
        lastFailure = failure
        if connected == 0, awaySince == nil { awaySince = now }
    }

    /// What to tell work that waited in vain.
    var waitFailure: DatabaseError {
        guard connected == 0 else { return DatabaseError(.poolBusy, "no database connection became free in time") }
        var error = lastFailure ?? DatabaseError(.connectionFailure, "not connected to PostgreSQL yet")
        error.code = .connectionFailure
        error.isConnectionLoss = true
        return error
    }

    private mutating func compact() {
        guard head > 1024, head * 2 > order.count else { return }
        order.removeFirst(head)
        head = 0
    }
}
