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
    private var identifiers: IdentifierSpace

    init(startingAt identifier: UInt8) {
        identifiers = IdentifierSpace(startingAt: identifier)
    }

    /// Identifiers in use.
    var outstanding: Int { identifiers.count }

    var isEmpty: Bool { outstanding == 0 && firstWaiting == waiting.count }

    mutating func enqueue(_ submission: CoASubmission) {
        waiting.append(submission)
    }

    /// The oldest waiting request with an identifier for it, if `limit` leaves room.
    mutating func start(limit: Int) -> (submission: CoASubmission, identifier: UInt8)? {
        guard firstWaiting < waiting.count, outstanding < min(limit, 256), let identifier = identifiers.claim() else { return nil }
        let submission = waiting[firstWaiting]
        firstWaiting += 1
        if firstWaiting == waiting.count || firstWaiting >= 256 {
            waiting.removeFirst(firstWaiting)
            firstWaiting = 0
        }
        return (submission, identifier)
    }

    mutating func release(_ identifier: UInt8) { identifiers.release(identifier) }

    /// Everything that still waits; the lane keeps none of it.
    mutating func drain() -> [CoASubmission] {
        let rest = Array(waiting[firstWaiting...])
        waiting = []
        firstWaiting = 0
        return rest
    }
}

/// A request as it was handed in.
struct CoASubmission: Sendable {
    let request: CoARequest
    let peer: CoAPeer
    let completion: @Sendable (CoAOutcome) -> Void

    var lane: CoALaneKey { CoALaneKey(address: peer.address, port: peer.port) }
}
