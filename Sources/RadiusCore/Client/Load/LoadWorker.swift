import CLinux
import Glibc

/// One thread of the load generator: its sockets, its lanes, one batch loop. Allocates nothing once it runs.
struct LoadWorker: ~Copyable {
    private let plan: LoadPlan
    private let share: Share
    private let meter: LoadMeter
    private var sockets: LoadSockets
    private var lanes: LoadLanes
    private var requests: LoadRequests
    private var sessions: LoadSessions
    private let prepared: PreparedRequests
    private var step = LoadTally()
    private(set) var histogram = LatencyHistogram()
    private var acknowledged: AcknowledgedLog
    private var begun = 0
    private var lastExpiry: UInt64 = 0
    private var isSettled = false
    private let run: [UInt8]

    /// The part of a plan that one thread does.
    struct Share {
        var index: Int
        var threads: Int
        var outstanding: Int
        /// Accounting sessions that are open at once.
        var open: Int
        /// Requests, in accounting mode sessions.
        var count: Int?
    }

    /// - Parameters:
    ///   - plan: the whole run.
    ///   - share: this worker's part of it.
    ///   - sockets: open and bound; the caller closes them.
    ///   - meter: what this thread counts into.
    init(_ plan: LoadPlan, _ share: Share, sockets: [Int32], meter: LoadMeter) {
        self.plan = plan
        self.share = share
        self.meter = meter
        self.sockets = LoadSockets(sockets, segments: plan.segments)
        lanes = LoadLanes(count: share.outstanding, sockets: sockets.count)
        sessions = LoadSessions(count: plan.mode == .accounting ? share.open : 0, interims: plan.interims)
        var requests = LoadRequests(plan)
        prepared = PreparedRequests(count: plan.prepared, sockets: sockets.count) { requests.writeAny($0, into: $1) }
        self.requests = requests
        acknowledged = AcknowledgedLog(fd: plan.acknowledgedFD ?? -1)
        run = Array(plan.run.utf8)
    }

    /// Sends until the plan is done or `isStopping` says so, then waits for what is in flight.
    mutating func run(isStopping: () -> Bool) {
        let start = lm_monotonic_nanoseconds()
        let end = plan.seconds.map { start + UInt64($0) * 1_000_000_000 } ?? .max
        while true {
            let now = lm_monotonic_nanoseconds()
            let isEnding = isStopping() || now >= end
            if isEnding { settle(min(now, end), start) }
            launch(now, start, isEnding)
            if isExhausted { settle(now, start) }
            sockets.flush()
            let arrived = receiveAll()
            expire(lm_monotonic_nanoseconds())
            meter.add(step)
            step = LoadTally()
            if lanes.flyingCount == 0, isEnding ? plan.leavesOpen || !hasOpenSessions : isExhausted && !hasOpenSessions { break }
            if !arrived, !plan.spins { rest(start) }
        }
        acknowledged.flush()
    }

    // MARK: sending

    /// Everything that the plan's count allows has begun.
    private var isExhausted: Bool { share.count.map { begun >= $0 } ?? false }

    private var hasOpenSessions: Bool { sessions.openCount > 0 }

    /// Requests that the rate has made due since `start`.
    private func due(_ now: UInt64, _ start: UInt64) -> UInt64 {
        let (high, low) = (now &- start).multipliedFullWidth(by: UInt64(plan.rate))
        let all = UInt64(1_000_000_000 * share.threads).dividingFullWidth((high, low)).quotient
        return all
    }

    /// Counts, once, what the rate had made due until the plan had nothing more to begin.
    private mutating func settle(_ moment: UInt64, _ start: UInt64) {
        guard plan.rate > 0, !isSettled else { return }
        isSettled = true
        // What is due at the very end has no time left.
        step.due = due(max(moment, start + 1) - 1, start)
        step.missed = step.due - min(step.due, launched)
    }

    private mutating func launch(_ now: UInt64, _ start: UInt64, _ isEnding: Bool) {
        var allowed = lanes.idleCount
        if plan.rate > 0, !isEnding { allowed = min(allowed, Int(clamping: due(now, start) &- launched)) }
        while allowed > 0 {
            allowed -= 1
            guard let lane = lanes.take() else { return }
            guard prepare(lane, isEnding) else {
                lanes.release(lane)
                return
            }
            send(lane, now, start)
        }
    }

    /// Requests begun so far, accounting records one by one.
    private var launched: UInt64 = 0

    /// Decides what the lane sends next; false when there is nothing more to send.
    private mutating func prepare(_ lane: Int, _ isEnding: Bool) -> Bool {
        if plan.mode == .accounting { return prepareRecord(lane, isEnding) }
        guard !isEnding, !isExhausted else { return false }
        lanes[lane].user = nextNumber() % plan.users.count
        return true
    }

    private mutating func prepareRecord(_ lane: Int, _ isEnding: Bool) -> Bool {
        if isEnding, plan.leavesOpen { return false }
        let permission = LoadSessions.Permission(begins: !isEnding && !isExhausted, ends: isEnding)
        let number = begun * share.threads + share.index
        guard let (place, record) = sessions.take(permission, begin: { UInt64(number) }) else { return false }
        if record.step == 0 { begun += 1 }
        lanes[lane].place = place
        lanes[lane].record = record
        lanes[lane].user = Int(record.session % UInt64(plan.users.count))
        return true
    }

    private mutating func nextNumber() -> Int {
        defer { begun += 1 }
        return begun * share.threads + share.index
    }

    private mutating func send(_ lane: Int, _ now: UInt64, _ start: UInt64) {
        var state = lanes[lane]
        if prepared.isEmpty {
            // A session's records name one port, whichever lane carries them.
            let port = plan.mode == .accounting ? share.index * share.open + state.place : share.index * share.outstanding + lane
            state.length = UInt16(requests.write(state, port: port, into: lanes.packet(lane)))
        }
        state.sentAt = now
        // With a rate, the latency counts from when the request was due: a server that stalls delays those behind it, too.
        state.dueAt = plan.rate > 0 ? min(now, start + dueTime(launched)) : now
        lanes[lane] = state
        launched += 1
        step.sent += 1
        enqueue(lane)
    }

    private func dueTime(_ number: UInt64) -> UInt64 {
        let (high, low) = number.multipliedFullWidth(by: UInt64(1_000_000_000 * share.threads))
        return UInt64(plan.rate).dividingFullWidth((high % UInt64(plan.rate), low)).quotient
    }

    private mutating func enqueue(_ lane: Int) {
        sockets.enqueue(octets(of: lane), on: Int(lanes[lane].socket))
    }

    /// The lane's request.
    private func octets(of lane: Int) -> UnsafeMutableBufferPointer<UInt8> {
        let state = lanes[lane]
        if !prepared.isEmpty { return prepared.request(Int(state.socket), state.turn) }
        return UnsafeMutableBufferPointer(start: lanes.packet(lane).baseAddress, count: Int(state.length))
    }

    // MARK: receiving

    private mutating func receiveAll() -> Bool {
        var arrived = false
        for socket in 0..<sockets.count {
            while true {
                let count = sockets.receive(on: socket)
                guard count > 0 else { break }
                arrived = true
                let now = lm_monotonic_nanoseconds()
                for position in 0..<count { take(sockets.arrived(position), socket, now) }
                acknowledged.flush()
                if sockets.isLast(count) { break }
            }
        }
        return arrived
    }

    private mutating func take(_ datagram: UnsafeBufferPointer<UInt8>, _ socket: Int, _ now: UInt64) {
        guard datagram.count >= PacketHeader.count else {
            step.bad += 1
            return
        }
        guard let lane = lanes.owner(socket, datagram[1]) else {
            step.stray += 1
            return
        }
        guard let code = replyCode(datagram, lane) else {
            step.bad += 1
            return
        }
        let state = lanes[lane]
        step.answered += 1
        if code == .accessAccept || code == .accountingResponse { step.accepted += 1 } else { step.rejected += 1 }
        histogram.record(now &- state.dueAt)
        if plan.mode == .accounting, code == .accountingResponse {
            acknowledged.append(state.record, run: run)
            if state.record.isStop { step.sessions += 1 }
        }
        finish(lane)
    }

    /// The code of a datagram that may be the reply of the lane; nil when it is not.
    private func replyCode(_ datagram: UnsafeBufferPointer<UInt8>, _ lane: Int) -> PacketCode? {
        let packet = octets(of: lane)
        let request = PacketCode(rawValue: packet[0])
        if plan.mode == .echo { return isSame(datagram, packet) ? .accessAccept : nil }
        let state = lanes[lane]
        if plan.verifies, !prepared.isEmpty, prepared.hasVerified(datagram, Int(state.socket), state.turn) {
            return PacketCode(rawValue: datagram[0])
        }
        if plan.verifies || plan.mode == .accounting {
            let authenticator = Digest16 { packet[4 &+ $0] }
            let verdict = try? ReplyVerification.verify(
                datagram.span, code: request, identifier: packet[1], authenticator: authenticator, secret: plan.secret)
            if verdict != nil, !prepared.isEmpty { prepared.keep(datagram, Int(state.socket), state.turn) }
            return verdict?.code
        }
        let code = PacketCode(rawValue: datagram[0])
        return request.isAnswered(by: code) ? code : nil
    }

    private func isSame(_ datagram: UnsafeBufferPointer<UInt8>, _ packet: UnsafeMutableBufferPointer<UInt8>) -> Bool {
        guard datagram.count == packet.count, let came = datagram.baseAddress, let sent = packet.baseAddress else { return false }
        return memcmp(came, sent, packet.count) == 0
    }

    /// Ends the lane's request; a session that sent its Stop ends with it.
    private mutating func finish(_ lane: Int) {
        if plan.mode == .accounting { sessions.finish(lanes[lane].place, wasStop: lanes[lane].record.isStop) }
        lanes.release(lane)
    }

    // MARK: waiting

    /// Sends again what waits too long, and gives up what waited often enough.
    private mutating func expire(_ now: UInt64) {
        guard now &- lastExpiry >= 2_000_000 else { return }
        lastExpiry = now
        let timeout = UInt64(plan.timeoutMilliseconds) * 1_000_000
        for lane in 0..<lanes.count where lanes[lane].isFlying && now &- lanes[lane].sentAt >= timeout {
            if Int(lanes[lane].retries) < plan.retries {
                lanes[lane].retries += 1
                lanes[lane].sentAt = now
                step.retransmitted += 1
                enqueue(lane)
            } else {
                step.lost += 1
                finish(lane)
            }
        }
        sockets.flush()
    }

    /// Waits for a reply, unless a request is due before the shortest wait ends.
    private func rest(_ start: UInt64) {
        var milliseconds: Int32 = 2
        if plan.rate > 0, lanes.idleCount > 0, !isExhausted {
            let next = start + dueTime(launched)
            let now = lm_monotonic_nanoseconds()
            milliseconds = next <= now ? 0 : Int32(clamping: min(2, (next - now) / 1_000_000))
        }
        if milliseconds == 0 {
            sched_yield()
            return
        }
        sockets.wait(milliseconds: milliseconds)
    }
}
