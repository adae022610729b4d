import Synchronization

/// What a batch counts for a client before it is added to the client's shared counters: packets of one client mostly come together,
/// and a shared counter costs more than all else that is done here.
struct ClientTally {
    private var client: UnsafePointer<ClientRow>?
    var accepts: UInt64 = 0
    var rejects: UInt64 = 0
    var accountingResponses: UInt64 = 0
    var drops: UInt64 = 0
    /// 0: nothing that verified was seen.
    var seenSeconds: Int64 = 0

    /// Counts for `client` what `body` says.
    @inline(__always)
    mutating func add(_ client: UnsafePointer<ClientRow>, _ body: (inout ClientTally) -> Void) {
        if client != self.client {
            flush()
            self.client = client
        }
        body(&self)
    }

    /// Adds everything up; the pointer to the client is forgotten.
    mutating func flush() {
        guard let client else { return }
        client.pointee.withClient { publish(to: $0.observation) }
        self = ClientTally()
    }

    private func publish(to observation: ClientObservation) {
        if accepts > 0 { observation.accepts.add(accepts, ordering: .relaxed) }
        if rejects > 0 { observation.rejects.add(rejects, ordering: .relaxed) }
        if accountingResponses > 0 { observation.accountingResponses.add(accountingResponses, ordering: .relaxed) }
        if drops > 0 { observation.drops.add(drops, ordering: .relaxed) }
        guard seenSeconds > 0, observation.lastSeenSeconds.load(ordering: .relaxed) != seenSeconds else { return }
        observation.lastSeenSeconds.store(seenSeconds, ordering: .relaxed)
    }
}
