/// Sessions by subscriber: cells in one array, those of a subscriber in a list, those that are free in another.
struct SessionTable {
    private var heads: [Int64: Int32] = [:]
    private var cells: [SessionCell] = []
    private var free: Int32 = -1
    private(set) var count = 0

    /// Sessions that are remembered of one subscriber; those that ended give way, then the longest silent ones.
    static let cellsOfOne = 128

    /// Places with somebody online, apart from that of `visitor`.
    func places(of subscriber: Int64, besides visitor: SessionTrace, at now: UInt32) -> Int {
        var places = 0
        var cell = heads[subscriber] ?? -1
        while cell >= 0 {
            if isOther(cell, than: visitor, now), !isRepeated(cell, now) { places += 1 }
            cell = cells[Int(cell)].next
        }
        return places
    }

    /// Whether one further on in the list is alive at the same place.
    private func isRepeated(_ cell: Int32, _ now: UInt32) -> Bool {
        let trace = cells[Int(cell)].trace
        var other = cells[Int(cell)].next
        while other >= 0 {
            let one = cells[Int(other)]
            if one.isAlive(at: now), one.trace.isSamePlace(as: trace) { return true }
            other = one.next
        }
        return false
    }

    /// Takes a place out of the count, with all sessions there: that whose newest session is the oldest, of those that are not `visitor`'s.
    /// `ended` is told each of them.
    ///
    /// - Returns: false when there is none.
    mutating func giveWay(
        _ subscriber: Int64, besides visitor: SessionTrace, at now: UInt32, ended: (SessionCell) -> Void
    ) -> Bool {
        var (place, oldest) = (Int32(-1), UInt32.max)
        var cell = heads[subscriber] ?? -1
        while cell >= 0 {
            if isOther(cell, than: visitor, now) {
                let newest = newestStart(at: cell, besides: visitor, now)
                if place < 0 || newest < oldest { (place, oldest) = (cell, newest) }
            }
            cell = cells[Int(cell)].next
        }
        guard place >= 0 else { return false }
        let trace = cells[Int(place)].trace
        cell = heads[subscriber] ?? -1
        while cell >= 0 {
            let one = cells[Int(cell)]
            if isOther(cell, than: visitor, now), cell == place || one.trace.isSamePlace(as: trace) {
                // What is only expected may still begin, and ends then.
                cells[Int(cell)].state = .replaced
                cells[Int(cell)].stateSeconds = now
                ended(one)
            }
            cell = one.next
        }
        return true
    }

    /// Whether it is alive at another place than `visitor`.
    private func isOther(_ cell: Int32, than visitor: SessionTrace, _ now: UInt32) -> Bool {
        let one = cells[Int(cell)]
        return one.isAlive(at: now) && !one.trace.isSamePlace(as: visitor)
    }

    /// When the newest session at the place of `cell` began.
    private func newestStart(at cell: Int32, besides visitor: SessionTrace, _ now: UInt32) -> UInt32 {
        let (subscriber, trace) = (cells[Int(cell)].subscriber, cells[Int(cell)].trace)
        var newest = cells[Int(cell)].startedSeconds
        var other = heads[subscriber] ?? -1
        while other >= 0 {
            let one = cells[Int(other)]
            if isOther(other, than: visitor, now), one.trace.isSamePlace(as: trace) { newest = max(newest, one.startedSeconds) }
            other = one.next
        }
        return newest
    }

    /// An Access-Accept goes out.
    mutating func expect(_ subscriber: Int64, tenant: Int64, _ trace: SessionTrace, silence: UInt32, at now: UInt32) {
        if trace.session != 0, let cell = find(subscriber, where: { $0.trace.session == trace.session && $0.isAlive(at: now) }) {
            // The session goes on, its device proved itself anew.
            cells[cell].silenceSeconds = silence
            return
        }
        var expected = trace
        expected.session = 0
        if let cell = find(subscriber, where: { $0.isExpected && ($0.trace == expected || $0.trace.isSamePlace(as: expected)) }) {
            cells[cell].trace = expected
            cells[cell].state = .pending
            cells[cell].stateSeconds = now
            cells[cell].startedSeconds = now
            cells[cell].silenceSeconds = silence
            return
        }
        insert(
            SessionCell(
                subscriber: subscriber, tenant: tenant, trace: expected, state: .pending, stateSeconds: now, startedSeconds: now,
                seenSeconds: now, silenceSeconds: silence), at: now)
    }

    /// A record of accounting; `silence` is that of a session whose login did not come here.
    ///
    /// - Returns: whether the session gave way before it began, so that it has to be ended now.
    mutating func note(_ subscriber: Int64, tenant: Int64, _ trace: SessionTrace, isStop: Bool, silence: UInt32, at now: UInt32) -> Bool {
        let known = find(subscriber) { $0.trace.session == trace.session }
        guard let cell = known ?? (isStop ? nil : foretold(subscriber, trace, at: now)) else {
            insert(
                SessionCell(
                    subscriber: subscriber, tenant: tenant, trace: trace, state: isStop ? .ended : .open, stateSeconds: now,
                    startedSeconds: now, seenSeconds: now, silenceSeconds: silence), at: now)
            return false
        }
        cells[cell].trace.learn(trace)
        cells[cell].seenSeconds = now
        let (state, since) = (cells[cell].state, cells[cell].stateSeconds)
        if isStop {
            cells[cell].state = .ended
            cells[cell].stateSeconds = now
        } else if state == .pending || state == .ended && SessionCell.age(since, now) > 5 {
            // A record that was repeated may come behind its session's Stop; one that comes much later tells that it goes on.
            cells[cell].state = .open
            cells[cell].stateSeconds = now
        } else if known == nil {
            cells[cell].stateSeconds = now
            return true
        }
        return false
    }

    /// What an Access-Accept foretold of a session that begins. Where the login or the record told no station, any may be meant.
    private func foretold(_ subscriber: Int64, _ trace: SessionTrace, at now: UInt32) -> Int? {
        find(subscriber) { $0.state == .pending && $0.trace.isSamePlace(as: trace) }
            ?? find(subscriber) { $0.isExpected && !$0.isLapsed(at: now) && $0.trace.isSamePlace(as: trace) }
            ?? find(subscriber) { $0.state == .pending && ($0.trace.station == 0 || trace.station == 0) }
    }

    /// A row of the database that is open.
    mutating func merge(
        _ subscriber: Int64, tenant: Int64, _ trace: SessionTrace, startedSeconds: UInt32, toldSeconds: UInt32, silence: UInt32,
        round: UInt32, at now: UInt32
    ) {
        guard let cell = find(subscriber, where: { $0.trace.session == trace.session }) else {
            let seen = SessionCell.seenSeconds(told: toldSeconds, silence: silence, at: now)
            var new = SessionCell(
                subscriber: subscriber, tenant: tenant, trace: trace, state: .open, stateSeconds: seen, startedSeconds: startedSeconds,
                seenSeconds: seen, silenceSeconds: silence)
            (new.toldSeconds, new.round) = (toldSeconds, round)
            return insert(new, at: now)
        }
        cells[cell].round = round
        var told = trace
        told.learn(cells[cell].trace)
        cells[cell].trace = told
        cells[cell].startedSeconds = min(cells[cell].startedSeconds, startedSeconds)
        cells[cell].hear(told: toldSeconds, at: now)
    }

    /// While there are no readings.
    mutating func forgetLapsed(at now: UInt32) {
        for subscriber in Array(heads.keys) { remove(of: subscriber) { $1.isLapsed(at: now) } }
    }

    /// After a reading of all.
    mutating func sweep(round: UInt32, began: UInt32) {
        for subscriber in Array(heads.keys) { remove(of: subscriber) { Self.isOver($1, round, began) } }
    }

    private static func isOver(_ cell: SessionCell, _ round: UInt32, _ began: UInt32) -> Bool {
        // The database had it and has it no more.
        cell.isLapsed(at: began) || cell.isBegun && cell.round != 0 && cell.round != round && cell.seenSeconds < began
    }

    private func find(_ subscriber: Int64, where matches: (SessionCell) -> Bool) -> Int? {
        var cell = heads[subscriber] ?? -1
        while cell >= 0 {
            if matches(cells[Int(cell)]) { return Int(cell) }
            cell = cells[Int(cell)].next
        }
        return nil
    }

    private mutating func insert(_ new: SessionCell, at now: UInt32) {
        makeRoom(new.subscriber, at: now)
        var new = new
        new.next = heads[new.subscriber] ?? -1
        if free >= 0 {
            let place = Int(free)
            free = cells[place].next
            cells[place] = new
            heads[new.subscriber] = Int32(place)
        } else {
            cells.append(new)
            heads[new.subscriber] = Int32(cells.count - 1)
        }
        count += 1
    }

    private mutating func makeRoom(_ subscriber: Int64, at now: UInt32) {
        guard held(by: subscriber) >= Self.cellsOfOne else { return }
        remove(of: subscriber) { $1.isLapsed(at: now) }
        guard held(by: subscriber) >= Self.cellsOfOne else { return }
        var spare = heads[subscriber] ?? -1
        var cell = spare
        while cell >= 0 {
            let (one, other) = (cells[Int(cell)], cells[Int(spare)])
            let isSparer = (one.state == .ended) == (other.state == .ended) ? one.seenSeconds < other.seenSeconds : one.state == .ended
            if isSparer { spare = cell }
            cell = one.next
        }
        remove(of: subscriber) { place, _ in place == spare }
    }

    private func held(by subscriber: Int64) -> Int {
        var (held, cell) = (0, heads[subscriber] ?? -1)
        while cell >= 0 {
            held += 1
            cell = cells[Int(cell)].next
        }
        return held
    }

    private mutating func remove(of subscriber: Int64, where isOver: (Int32, SessionCell) -> Bool) {
        var (kept, last): (Int32, Int32) = (-1, -1)
        var cell = heads[subscriber] ?? -1
        while cell >= 0 {
            let next = cells[Int(cell)].next
            if isOver(cell, cells[Int(cell)]) {
                cells[Int(cell)].next = free
                free = cell
                count -= 1
            } else {
                if last >= 0 { cells[Int(last)].next = cell } else { kept = cell }
                cells[Int(cell)].next = -1
                last = cell
            }
            cell = next
        }
        heads[subscriber] = kept >= 0 ? kept : nil
    }
}
