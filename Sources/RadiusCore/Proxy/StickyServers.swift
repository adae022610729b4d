/// Which home server holds a conversation: the one that gave a State, or that a station's EAP began with. Bounded; the oldest are forgotten.
struct StickyServers {
    private let limit: Int
    private let keepNanoseconds: UInt64
    private var young: [UInt64: Int64] = [:]
    private var old: [UInt64: Int64] = [:]
    private var turnedAt: UInt64 = 0

    /// - Parameters:
    ///   - limit: entries that are kept, at least 2.
    ///   - keepSeconds: how long at least; twice that at most.
    init(limit: Int, keepSeconds: Int) {
        self.limit = max(2, limit)
        keepNanoseconds = UInt64(max(1, keepSeconds)) * 1_000_000_000
    }

    var count: Int { young.count + old.count }

    mutating func remember(_ key: UInt64, _ server: Int64, at now: UInt64) {
        turn(at: now)
        young[key] = server
    }

    mutating func find(_ key: UInt64, at now: UInt64) -> Int64? {
        turn(at: now)
        return young[key] ?? old[key]
    }

    private mutating func turn(at now: UInt64) {
        let age = now > turnedAt ? now - turnedAt : 0
        guard young.count >= limit / 2 || age >= keepNanoseconds else { return }
        old = age >= 2 * keepNanoseconds ? [:] : young
        young = [:]
        turnedAt = now
    }

    /// A key of octets and of what they belong to; FNV-1a.
    static func key(_ octets: some Sequence<UInt8>, _ scope: Int64) -> UInt64 {
        let start: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(bitPattern: scope) &* 0x9e37_79b9_7f4a_7c15
        return octets.reduce(start) { ($0 ^ UInt64($1)) &* 0x0100_0000_01b3 }
    }
}
