/// Which requests of home servers are in work and which were answered, so that a repetition gets the same answer and does nothing twice
/// (RFC 5080 §2.2.2). Bounded; the oldest answers are forgotten.
struct RelayMemory {
    /// What tells a repetition from another request: where it comes from, its identifier and its authenticator.
    struct Key: Hashable, Sendable {
        let address: IPAddress
        let port: UInt16
        let identifier: UInt8
        let authenticator: [UInt8]
    }

    enum Admission: Equatable {
        case new
        case inWork
        case answered([UInt8])
        /// As many of this address, or of all, are in work as may be.
        case full
    }

    private let limits: DynamicAuthorizationPort.Settings
    private var inWork: Set<Key> = []
    private var counts: [IPAddress: Int] = [:]
    private var young: [Key: [UInt8]] = [:]
    private var old: [Key: [UInt8]] = [:]
    private var turnedAt: UInt64 = 0

    init(_ limits: DynamicAuthorizationPort.Settings) { self.limits = limits }

    /// Takes a request in, unless it is known; `now` is monotonic nanoseconds.
    mutating func admit(_ key: Key, at now: UInt64) -> Admission {
        turn(at: now)
        if let answer = young[key] ?? old[key] { return .answered(answer) }
        if inWork.contains(key) { return .inWork }
        let count = counts[key.address, default: 0]
        guard count < limits.outstandingPerAddress, inWork.count < limits.outstanding else { return .full }
        inWork.insert(key)
        counts[key.address] = count + 1
        return .new
    }

    /// A request that was taken in has its answer.
    mutating func conclude(_ key: Key, _ answer: [UInt8], at now: UInt64) {
        guard inWork.remove(key) != nil, let count = counts[key.address] else { return }
        counts[key.address] = count > 1 ? count - 1 : nil
        turn(at: now)
        young[key] = answer
    }

    private mutating func turn(at now: UInt64) {
        let keep = UInt64(max(1, limits.rememberSeconds)) * 1_000_000_000
        let age = now > turnedAt ? now - turnedAt : 0
        guard young.count >= max(1, limits.remembered / 2) || age >= keep else { return }
        old = age >= 2 * keep ? [:] : young
        young = [:]
        turnedAt = now
    }
}
