/// Where one NAS listens.
struct CoALaneKey: Hashable, Sendable {
    let address: IPAddress
    let port: UInt16
}

/// The identifiers in use towards one NAS, and the requests that wait for one (RFC 5176 §2.3: one octet a peer).
struct CoALane {
    /// Requests that wait, oldest first.
    private var waiting: [CoASubmission] = []
    private var firstWaiting = 0
    private var used = InlineArray<4, UInt64>(repeating: 0)
    /// Identifiers in use.
    private(set) var outstanding = 0
    /// Where the search begins, so that an identifier rests as long as possible before it is used again.
    private var next: UInt8

    init(startingAt identifier: UInt8) {
        next = identifier
    }

    var isEmpty: Bool { outstanding == 0 && firstWaiting == waiting.count }

    mutating func enqueue(_ submission: CoASubmission) {
        waiting.append(submission)
    }

    /// The oldest waiting request with an identifier for it, if `limit` leaves room.
    mutating func start(limit: Int) -> (submission: CoASubmission, identifier: UInt8)? {
        guard firstWaiting < waiting.count, outstanding < min(limit, 256), let identifier = claim() else { return nil }
        let submission = waiting[firstWaiting]
        firstWaiting += 1
        if firstWaiting == waiting.count || firstWaiting >= 256 {
            waiting.removeFirst(firstWaiting)
            firstWaiting = 0
        }
        return (submission, identifier)
    }

    mutating func release(_ identifier: UInt8) {
        used[Int(identifier >> 6)] &= ~(1 << UInt64(identifier & 63))
        outstanding -= 1
    }

    /// Everything that still waits; the lane keeps none of it.
    mutating func drain() -> [CoASubmission] {
        let rest = Array(waiting[firstWaiting...])
        waiting = []
        firstWaiting = 0
        return rest
    }

    private mutating func claim() -> UInt8? {
        for distance in 0..<256 {
            let candidate = next &+ UInt8(truncatingIfNeeded: distance)
            let bit: UInt64 = 1 << UInt64(candidate & 63)
            guard used[Int(candidate >> 6)] & bit == 0 else { continue }
            used[Int(candidate >> 6)] |= bit
            next = candidate &+ 1
            outstanding += 1
            return candidate
        }
        return nil
    }
}

/// A request as it was handed in.
struct CoASubmission: Sendable {
    let request: CoARequest
    let peer: CoAPeer
    let completion: @Sendable (CoAOutcome) -> Void

    var lane: CoALaneKey { CoALaneKey(address: peer.address, port: peer.port) }
}
