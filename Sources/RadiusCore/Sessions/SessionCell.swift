/// One session that a node knows of, or an Access-Accept that may become one.
struct SessionCell: BitwiseCopyable {
    enum State: UInt8, BitwiseCopyable {
        /// An Access-Accept went out; its Start has not come.
        case pending
        case open
        /// It was asked to end, for a newer one; where it has not begun, it will be when it does.
        case replaced
        /// Its Stop came here; the database may not know yet.
        case ended
    }

    var subscriber: Int64
    var tenant: Int64
    var trace: SessionTrace
    var state: State
    /// Since 1970: since when the state holds, when the session began, when it was last heard of. By our clock, but for the beginning that
    /// a row tells.
    var stateSeconds: UInt32
    var startedSeconds: UInt32
    var seenSeconds: UInt32
    /// After which it is a ghost when it says nothing: its NAS was told at its login how often to tell of it.
    var silenceSeconds: UInt32
    /// The latest time that a row told of it, by its NAS's clock: only compared with others of the kind; 0 for none.
    var toldSeconds: UInt32 = 0
    /// The reading of the database that saw it last; 0 for none.
    var round: UInt32 = 0
    /// The next one of the subscriber; -1 behind the last.
    var next: Int32 = -1

    /// An Access-Accept that no Start follows counts so long.
    static let pendingSeconds: UInt32 = 20
    /// A session that was asked to end has so long to do it.
    static let replacedSeconds: UInt32 = 60
    /// A session that ended here is not believed open again on the word of the database alone for so long.
    static let endedSeconds: UInt32 = 600
    /// What never reached the database is forgotten after so long a silence.
    static let forgottenSeconds: UInt32 = 172_800

    /// An Access-Accept went out and no Start came yet, whether or not it gave way meanwhile.
    var isExpected: Bool { state == .pending || state == .replaced && trace.session == 0 }

    /// It began, and has not ended here.
    var isBegun: Bool { state != .ended && !isExpected }

    /// Whether somebody is online by it, as far as one can tell.
    ///
    /// - Parameter now: since 1970.
    /// - Returns: false for ghosts, too.
    func isAlive(at now: UInt32) -> Bool {
        switch state {
        case .pending: Self.age(stateSeconds, now) < Self.pendingSeconds
        case .open: Self.age(seenSeconds, now) <= silenceSeconds
        // One that goes on sending records did not end.
        case .replaced:
            Self.age(stateSeconds, now) > Self.replacedSeconds && seenSeconds > stateSeconds
                && Self.age(seenSeconds, now) <= silenceSeconds
        case .ended: false
        }
    }

    /// Whether it need not be remembered any longer.
    func isLapsed(at now: UInt32) -> Bool {
        if isExpected { return Self.age(stateSeconds, now) > Self.pendingSeconds }
        if state == .ended { return Self.age(stateSeconds, now) > Self.endedSeconds }
        return round == 0 && Self.age(seenSeconds, now) > Self.forgottenSeconds
    }

    /// An interim interval, a quarter of one because NASes spread their records, and half a minute.
    static func silenceSeconds(interim seconds: UInt32) -> UInt32 { seconds &+ seconds / 4 &+ 30 }

    /// A row of the database tells of it. NASes' clocks are not to be believed, but a time that is later than that of an earlier reading
    /// tells that the session was heard of since.
    mutating func hear(told: UInt32, at now: UInt32) {
        if toldSeconds != 0, told > toldSeconds { seenSeconds = max(seenSeconds, now) }
        toldSeconds = max(toldSeconds, told)
    }

    /// When a row that nothing is known of counts as seen: as it tells, with a silence of grace for its NAS's clock.
    static func seenSeconds(told: UInt32, silence: UInt32, at now: UInt32) -> UInt32 {
        age(told, now) > silence ? told &+ silence : now
    }

    /// Seconds from `then` to `now`; 0 where clocks disagree.
    static func age(_ then: UInt32, _ now: UInt32) -> UInt32 { now > then ? now - then : 0 }
}
