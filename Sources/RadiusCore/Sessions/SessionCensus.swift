import Synchronization

/// The sessions of subscribers who may have so many at once: what accounting said at this node, and what the database knows of others.
///
/// Asked and told by the packet path, behind one short lock of many; looking allocates nothing, and telling only when a table grows. Any thread.
public final class SessionCensus: Sendable {
    /// A session that shall end for a newer one.
    public struct Replacement: Sendable, Equatable {
        public let subscriber: Int64
        public let tenant: Int64
        public let trace: SessionTrace
    }

    /// What a login met.
    public enum Admission: Sendable, Equatable {
        case free, refused
        /// So many sessions were asked to end.
        case replaced(Int)
    }

    /// What the census holds and did.
    public struct Statistics: Sendable, Equatable {
        public var sessions = 0
        public var refused: UInt64 = 0
        public var replaced: UInt64 = 0
    }

    private let shards: [SessionShard]
    private let replacements = Mutex<[Replacement]>([])
    private let refused = Atomic<UInt64>(0)
    private let replaced = Atomic<UInt64>(0)
    /// Replacements that wait to be taken, at most; beyond, sessions stay until they end by themselves.
    private static let replacementLimit = 8192
    private static let shardCount = 64

    public init() {
        shards = (0..<Self.shardCount).map { _ in SessionShard() }
    }

    /// Whether one more would be refused. Notes nothing but that; another may be let in before this one is.
    func isFull(_ subscriber: Int64, _ trace: SessionTrace, limit: SessionLimit, at now: UInt32) -> Bool {
        guard !limit.replaces else { return false }
        let places = shard(subscriber).table.withLock { $0.places(of: subscriber, besides: trace, at: now) }
        guard places >= Int(limit.count) else { return false }
        refused.add(1, ordering: .relaxed)
        return true
    }

    /// Looks whether one more may log in, and notes that it did: an Access-Accept goes out.
    ///
    /// Sessions at the same place as the login are its own ghosts and do not count; of several at one place one counts.
    ///
    /// - Parameters:
    ///   - subscriber: `aaa.subscriber.id`.
    ///   - tenant: whose.
    ///   - trace: of the login.
    ///   - limit: more than 0.
    ///   - silence: seconds after which the session is a ghost when it says nothing.
    ///   - now: since 1970.
    /// - Returns: whether it may, and what gives way.
    func admit(
        _ subscriber: Int64, tenant: Int64, _ trace: SessionTrace, limit: SessionLimit, silence: UInt32, at now: UInt32
    ) -> Admission {
        var ended: [Replacement] = []
        let isFree = shard(subscriber).table.withLock { table in
            while table.places(of: subscriber, besides: trace, at: now) >= Int(limit.count) {
                let gaveWay =
                    limit.replaces
                    && table.giveWay(subscriber, besides: trace, at: now) { cell in
                        guard cell.trace.session != 0 else { return }
                        ended.append(Replacement(subscriber: subscriber, tenant: cell.tenant, trace: cell.trace))
                    }
                guard gaveWay else { return false }
            }
            table.expect(subscriber, tenant: tenant, trace, silence: silence, at: now)
            return true
        }
        guard isFree else {
            refused.add(1, ordering: .relaxed)
            return .refused
        }
        guard !ended.isEmpty else { return .free }
        end(ended)
        return .replaced(ended.count)
    }

    /// Has sessions asked to end.
    private func end(_ sessions: [Replacement]) {
        replaced.add(UInt64(sessions.count), ordering: .relaxed)
        replacements.withLock { waiting in
            if waiting.count + sessions.count <= Self.replacementLimit { waiting += sessions }
        }
    }

    /// A record of accounting: the session goes on, or has ended. One that gave way before it began is asked to end. `silence` is that of a
    /// session whose login did not come here.
    func note(_ subscriber: Int64, tenant: Int64, _ trace: SessionTrace, isStop: Bool, silence: UInt32, at now: UInt32) {
        guard trace.session != 0 else { return }
        let gaveWay = shard(subscriber).table.withLock {
            $0.note(subscriber, tenant: tenant, trace, isStop: isStop, silence: silence, at: now)
        }
        if gaveWay { end([Replacement(subscriber: subscriber, tenant: tenant, trace: trace)]) }
    }

    /// A session that is open as the database says.
    ///
    /// - Parameters:
    ///   - subscriber: `aaa.subscriber.id`.
    ///   - tenant: whose.
    ///   - trace: of the row.
    ///   - startedSeconds: since 1970, by the NAS's clock.
    ///   - toldSeconds: likewise, when the session was last heard of.
    ///   - interimSeconds: how often its NAS was told to tell of it.
    ///   - round: counts readings from 1.
    ///   - now: when the reading began, since 1970.
    public func merge(
        _ subscriber: Int64, tenant: Int64, _ trace: SessionTrace, startedSeconds: UInt32, toldSeconds: UInt32, interimSeconds: UInt32,
        round: UInt32, at now: UInt32
    ) {
        guard trace.session != 0 else { return }
        let silence = SessionCell.silenceSeconds(interim: interimSeconds)
        shard(subscriber).table.withLock {
            $0.merge(
                subscriber, tenant: tenant, trace, startedSeconds: startedSeconds, toldSeconds: toldSeconds, silence: silence,
                round: round, at: now)
        }
    }

    /// Forgets what has lapsed, while there are no readings.
    public func forgetLapsed(at now: UInt32) {
        for shard in shards { shard.table.withLock { $0.forgetLapsed(at: now) } }
    }

    /// Forgets what is over: sessions that the database had and that this reading of all did not find, and what has lapsed.
    ///
    /// - Parameters:
    ///   - round: of the reading that has ended.
    ///   - began: when it began, since 1970: what was heard of since is kept.
    public func sweep(round: UInt32, began: UInt32) {
        for shard in shards { shard.table.withLock { $0.sweep(round: round, began: began) } }
    }

    /// Places that the subscriber is online from.
    public func places(of subscriber: Int64, at now: UInt32) -> Int {
        shard(subscriber).table.withLock { $0.places(of: subscriber, besides: SessionTrace.nowhere, at: now) }
    }

    /// Sessions that shall end, each once, those that waited longest first.
    public func takeReplacements(atMost limit: Int) -> [Replacement] {
        replacements.withLock { waiting in
            let taken = Array(waiting.prefix(limit))
            waiting.removeFirst(taken.count)
            return taken
        }
    }

    public var statistics: Statistics {
        Statistics(
            sessions: shards.reduce(0) { $0 + $1.table.withLock { $0.count } }, refused: refused.load(ordering: .relaxed),
            replaced: replaced.load(ordering: .relaxed))
    }

    private func shard(_ subscriber: Int64) -> SessionShard { shards[Int(UInt64(bitPattern: subscriber) % UInt64(Self.shardCount))] }
}

/// Some subscribers' sessions behind a lock.
private final class SessionShard: Sendable {
    let table = Mutex(SessionTable())
}

extension SessionTrace {
    static let nowhere = SessionTrace(key: [], nas: 0, callingStation: [])
}
