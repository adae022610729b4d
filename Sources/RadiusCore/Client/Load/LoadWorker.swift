import CLinux
import Glibc

/// One thread of the load generator: its sockets, its lanes, one batch loop. Allocates nothing once it runs.
struct LoadWorker: ~Copyable {
    private let plan: LoadPlan
    private let share: Share
    private let meter: LoadMeter
    private let sockets: [Int32]
    private let peer: lm_address
    private var lanes: LoadLanes
    private var requests: LoadRequests
    private let received = DatagramArena()
    /// What waits to be sent, `LM_BATCH` for each socket.
    private let outgoing: UnsafeMutablePointer<lm_datagram>
    private var outgoingCounts = InlineArray<8, Int>(repeating: 0)
    private var step = LoadTally()
    private(set) var histogram = LatencyHistogram()
    private var acknowledged: AcknowledgedLog
    private var begun = 0
    private var lastExpiry: UInt64 = 0
    private let run: [UInt8]

    /// The part of a plan that one thread does.
    struct Share {
        var index: Int
        var threads: Int
        var outstanding: Int
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
        self.sockets = sockets
        peer = plan.target.datagramAddress(port: plan.port)
        lanes = LoadLanes(count: share.outstanding, sockets: sockets.count)
        requests = LoadRequests(plan)
        outgoing = .allocate(capacity: sockets.count * Int(LM_BATCH))
        acknowledged = AcknowledgedLog(fd: plan.acknowledgedFD ?? -1)
        run = Array(plan.run.utf8)
    }

    deinit { outgoing.deallocate() }

    /// Sends until the plan is done or `isStopping` says so, then waits for what is in flight.
    mutating func run(isStopping: () -> Bool) {
        let start = lm_monotonic_nanoseconds()
        let end = plan.seconds.map { start + UInt64($0) * 1_000_000_000 } ?? .max
        while true {
            let now = lm_monotonic_nanoseconds()
            let isEnding = isStopping() || now >= end
            launch(now, start, isEnding)
            flushAll()
            let arrived = receiveAll()
            expire(lm_monotonic_nanoseconds())
            meter.add(step)
            step = LoadTally()
            if lanes.flyingCount == 0, isEnding ? !hasOpenSessions : isExhausted && !hasOpenSessions { break }
            if !arrived { rest(start) }
        }
        acknowledged.flush()
    }

    // MARK: sending

    /// Everything that the plan's count allows has begun.
    private var isExhausted: Bool { share.count.map { begun >= $0 } ?? false }

    private var hasOpenSessions: Bool {
        guard plan.mode == .accounting else { return false }
        for lane in 0..<lanes.count where lanes[lane].isOpen { return true }
        return false
    }

    /// Requests that the rate has made due since `start`.
    private func due(_ now: UInt64, _ start: UInt64) -> UInt64 {
        let (high, low) = (now &- start).multipliedFullWidth(by: UInt64(plan.rate))
        let all = UInt64(1_000_000_000 * share.threads).dividingFullWidth((high, low)).quotient
        return all
    }

    private mutating func launch(_ now: UInt64, _ start: UInt64, _ isEnding: Bool) {
        var allowed = lanes.idleCount
        if plan.rate > 0, !isEnding { allowed = min(allowed, Int(clamping: due(now, start) &- launched)) }
        while allowed > 0 {
            allowed -= 1
            guard let lane = lanes.take() else { return }
            guard prepare(lane, isEnding) else {
                lanes.release(lane)
                continue
            }
            send(lane, now, start)
        }
    }

    /// Requests begun so far, accounting records one by one.
    private var launched: UInt64 = 0

    /// Decides what the lane sends next; false when it has nothing more to do.
    private mutating func prepare(_ lane: Int, _ isEnding: Bool) -> Bool {
        var state = lanes[lane]
        if state.isOpen {
            state.step += 1
            state.isStopping = isEnding || Int(state.step) > plan.interims
        } else {
            guard !isEnding, !isExhausted else { return false }
            let number = begun * share.threads + share.index
            begun += 1
            state.user = number % plan.users.count
            state.session = UInt64(number)
            state.step = 0
            state.isStopping = false
            state.isOpen = plan.mode == .accounting
        }
        lanes[lane] = state
        return true
    }

    private mutating func send(_ lane: Int, _ now: UInt64, _ start: UInt64) {
        let port = share.index * share.outstanding + lane
        let length = requests.write(lanes[lane], port: port, into: lanes.packet(lane))
        var state = lanes[lane]
        state.length = UInt16(length)
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
        let socket = Int(lanes[lane].socket)
        if outgoingCounts[socket] == Int(LM_BATCH) { flush(socket) }
        var datagram = lm_datagram()
        datagram.bytes = lanes.packet(lane).baseAddress
        datagram.capacity = UInt32(LoadLanes.packetCapacity)
        datagram.count = UInt32(lanes[lane].length)
        datagram.peer = peer
        outgoing[socket * Int(LM_BATCH) + outgoingCounts[socket]] = datagram
        outgoingCounts[socket] += 1
    }

    private mutating func flush(_ socket: Int) {
        guard outgoingCounts[socket] > 0 else { return }
        // What the kernel refuses is as good as lost on the way: the timeout sends it again.
        _ = lm_send(sockets[socket], outgoing + socket * Int(LM_BATCH), UInt32(outgoingCounts[socket]))
        outgoingCounts[socket] = 0
    }

    private mutating func flushAll() {
        for socket in 0..<sockets.count { flush(socket) }
    }

    // MARK: receiving

    private mutating func receiveAll() -> Bool {
        var arrived = false
        for socket in 0..<sockets.count {
            while true {
                let count = lm_receive(sockets[socket], received.slots, UInt32(LM_BATCH))
                guard count > 0 else { break }
                arrived = true
                let now = lm_monotonic_nanoseconds()
                for position in 0..<Int(count) { take(received.slots[position], socket, now) }
                acknowledged.flush()
                if count < LM_BATCH { break }
            }
        }
        return arrived
    }

    private mutating func take(_ datagram: lm_datagram, _ socket: Int, _ now: UInt64) {
        guard datagram.count >= PacketHeader.count, let bytes = datagram.bytes else {
            step.bad += 1
            return
        }
        guard let lane = lanes.owner(socket, bytes[1]) else {
            step.stray += 1
            return
        }
        guard let code = replyCode(UnsafeBufferPointer(start: bytes, count: Int(datagram.count)), lane) else {
            step.bad += 1
            return
        }
        let state = lanes[lane]
        step.answered += 1
        if code == .accessAccept || code == .accountingResponse { step.accepted += 1 } else { step.rejected += 1 }
        histogram.record(now &- state.dueAt)
        if plan.mode == .accounting, code == .accountingResponse {
            acknowledged.append(LoadRecord(session: state.session, step: state.step, isStop: state.isStopping), run: run)
            if state.isStopping { step.sessions += 1 }
        }
        finish(lane)
    }

    /// The code of a datagram that may be the reply of the lane; nil when it is not.
    private func replyCode(_ datagram: UnsafeBufferPointer<UInt8>, _ lane: Int) -> PacketCode? {
        let packet = lanes.packet(lane)
        let request = PacketCode(rawValue: packet[0])
        if plan.verifies || plan.mode == .accounting {
            let authenticator = Digest16 { packet[4 &+ $0] }
            let verdict = try? ReplyVerification.verify(
                datagram.span, code: request, identifier: packet[1], authenticator: authenticator, secret: plan.secret)
            return verdict?.code
        }
        let code = PacketCode(rawValue: datagram[0])
        return request.isAnswered(by: code) ? code : nil
    }

    /// Ends the lane's request; a session that sent its Stop ends with it.
    private mutating func finish(_ lane: Int) {
        if lanes[lane].isStopping { lanes[lane].isOpen = false }
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
        flushAll()
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
        _ = sockets.withUnsafeBufferPointer { lm_wait($0.baseAddress, UInt32($0.count), milliseconds) }
    }
}
