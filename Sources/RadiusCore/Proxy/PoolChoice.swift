/// Which home server of a pool is asked: a function of what is known of each.
enum PoolChoice {
    /// One home server as the choice sees it.
    struct Candidate {
        let id: Int64
        let state: HomeServerLiveness.State
        /// Smoothed time to a reply; 0 while unknown.
        let latencyMicroseconds: UInt64
        /// Requests that wait for its replies.
        let outstanding: Int
        /// No further request fits.
        let isFull: Bool
    }

    enum Outcome: Equatable {
        /// The place among the candidates.
        case server(Int)
        /// All are dead, or were tried.
        case none
        /// Those that are not dead have as many requests as they may have.
        case full
    }

    /// - Parameters:
    ///   - kind: of the pool.
    ///   - candidates: in the pool's order.
    ///   - tried: numbers of servers that had their turn for this request.
    ///   - preferred: the server that holds the conversation, when it is known.
    ///   - key: of the station or the user, for a keyed pool.
    /// - Returns: whose turn it is.
    static func choose(
        _ kind: HomeServerPool.Kind, _ candidates: [Candidate], tried: [Int64], preferred: Int64? = nil, key: UInt64
    ) -> Outcome {
        let usable = candidates.indices.filter { candidates[$0].state != .dead && !tried.contains(candidates[$0].id) }
        guard !usable.isEmpty else { return .none }
        let free = usable.filter { !candidates[$0].isFull }
        if let preferred, let place = usable.first(where: { candidates[$0].id == preferred }) {
            // Another server knows nothing of the conversation.
            return candidates[place].isFull ? .full : .server(place)
        }
        let alive = free.filter { candidates[$0].state == .alive }
        let places = alive.isEmpty ? free : alive
        guard let first = places.first else { return .full }
        switch kind {
        case .failover: return .server(first)
        case .balance: return .server(places.min { cost(candidates[$0]) < cost(candidates[$1]) } ?? first)
        case .keyed: return .server(places.max { weight(candidates[$0].id, key) < weight(candidates[$1].id, key) } ?? first)
        }
    }

    /// How long a further request would take: its own time behind those that wait. A server that is not known yet is tried early.
    private static func cost(_ candidate: Candidate) -> UInt64 {
        max(1, candidate.latencyMicroseconds) &* UInt64(candidate.outstanding + 1)
    }

    /// Rendezvous hashing: when a server goes, only its own keys move.
    private static func weight(_ id: Int64, _ key: UInt64) -> UInt64 {
        var mixed = (key ^ UInt64(bitPattern: id) &* 0x9e37_79b9_7f4a_7c15) &* 0xd6e8_feb8_6659_fd93
        mixed = (mixed ^ mixed >> 32) &* 0xd6e8_feb8_6659_fd93
        return mixed ^ mixed >> 32
    }
}
