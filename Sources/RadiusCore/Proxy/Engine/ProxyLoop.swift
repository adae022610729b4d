internal import CLinux
import Glibc
import Synchronization

/// The proxy's thread: takes orders in, chooses home servers, sends, repeats, reads replies, asks after those that fell silent.
final class ProxyLoop {
    /// One request on its way to one home server.
    final class Exchange {
        let serial: UInt64
        /// Nil: a Status-Server.
        let order: ProxyOrder?
        let code: PacketCode
        let lane: HomeServerLane
        let channel: HomeServerChannel
        let identifier: UInt8
        let request: ForwardedRequest
        let proxyState: ProxyState
        let sentAt: UInt64
        /// When the order came in.
        let beganAt: UInt64
        /// Servers that had their turn, this one included.
        let tried: [Int64]
        var isRepeated = false

        init(
            serial: UInt64, order: ProxyOrder?, code: PacketCode, lane: HomeServerLane, channel: HomeServerChannel, identifier: UInt8,
            request: ForwardedRequest, proxyState: ProxyState, sentAt: UInt64, beganAt: UInt64, tried: [Int64]
        ) {
            self.serial = serial
            self.order = order
            self.code = code
            self.lane = lane
            self.channel = channel
            self.identifier = identifier
            self.request = request
            self.proxyState = proxyState
            self.sentAt = sentAt
            self.beganAt = beganAt
            self.tried = tried
        }

        var port: UInt16 {
            let server = lane.server
            return server.transport == .udp && code == .accountingRequest ? server.accountingPort : server.accessPort
        }
    }

    let engine: ProxyEngine
    var lanes: [Int64: HomeServerLane] = [:]
    /// Of home servers that changed or went, until their requests have ended.
    private var retired: [HomeServerLane] = []
    var channels: [UInt64: (channel: HomeServerChannel, lane: HomeServerLane)] = [:]
    var exchanges: [UInt64: Exchange] = [:]
    private var deadlines = Deadlines()
    private var serial: UInt64 = 0
    private var nextKey: UInt64 = 0
    private var generation: UInt64 = 0
    private var tickedAt: UInt64 = 0
    var sticky: StickyServers
    let arena = DatagramArena()
    /// What the wake-up is watched under.
    private static let wakeKey = UInt64.max
    private static let tickNanoseconds: UInt64 = 100_000_000

    init(_ engine: ProxyEngine) {
        self.engine = engine
        sticky = StickyServers(limit: engine.settings.stickyEntries, keepSeconds: 300)
    }

    func run() {
        _ = lm_epoll_set(engine.epoll, engine.wake, Self.wakeKey, LM_READABLE)
        let ready = UnsafeMutablePointer<lm_ready>.allocate(capacity: 64)
        defer { ready.deallocate() }
        var isStopping = false
        while !isStopping {
            let count = lm_epoll_wait(engine.epoll, ready, 64, timeout)
            for place in 0..<max(0, Int(count)) {
                if ready[place].key == Self.wakeKey { lm_eventfd_drain(engine.wake) } else { attend(ready[place].key) }
            }
            let mail = engine.collect()
            // What arrived may know home servers that are not known here yet.
            reconcile()
            isStopping = mail.isStopping
            for order in mail.arrived { dispatch(order, tried: [], beganAt: lm_monotonic_nanoseconds()) }
            fireDeadlines()
            tick()
        }
        for exchange in exchanges.values { finish(exchange, .failed(.proxyNoServer, server: exchange.lane.server.id)) }
        for (channel, lane) in channels.values { drop(channel, lane) }
    }

    private var timeout: Int32 {
        let now = lm_monotonic_nanoseconds()
        let next = min(deadlines.first ?? .max, tickedAt &+ Self.tickNanoseconds)
        // A look at the snapshot now and then suffices while there is nothing to watch.
        if lanes.isEmpty, exchanges.isEmpty { return 500 }
        return next <= now ? 0 : Int32(clamping: (next - now) / 1_000_000 + 1)
    }

    /// Takes up the home servers of a new snapshot; those that changed begin anew, those that went end.
    private func reconcile() {
        let current = engine.store.generation.load(ordering: .acquiring)
        guard current != generation else { return }
        generation = current
        let now = lm_monotonic_nanoseconds()
        let snapshot = engine.store.snapshot
        let servers = snapshot.proxy?.servers ?? [:]
        for (channel, _) in channels.values { channel.stream?.negotiation?.dictionary = snapshot.dictionary }
        for (id, lane) in lanes where servers[id].map({ !$0.isSame(as: lane.server) }) ?? true {
            lanes[id] = nil
            lane.retire()
            retired.append(lane)
        }
        for server in servers.values {
            if let lane = lanes[server.id] { lane.update(to: server, at: now) } else { _ = open(server, at: now) }
        }
    }

    /// The home server of that number as the newest snapshot has it; nil when it is there no more. An order may be older, and its home
    /// servers with it: it never changes what is known of one.
    func lane(of id: Int64, at now: UInt64) -> HomeServerLane? {
        if let known = lanes[id] { return known }
        return engine.store.snapshot.proxy?.servers[id].map { open($0, at: now) }
    }

    private func open(_ server: HomeServer, at now: UInt64) -> HomeServerLane {
        let lane = HomeServerLane(server, meter: engine.meter(of: server.id), at: now)
        lanes[server.id] = lane
        return lane
    }

    func newKey() -> UInt64 {
        nextKey += 1
        return nextKey
    }

    func watch(_ channel: HomeServerChannel, _ lane: HomeServerLane) {
        channels[channel.key] = (channel, lane)
        rewatch(channel)
    }

    /// Says what a channel waits for now.
    func rewatch(_ channel: HomeServerChannel) {
        guard let stream = channel.stream else {
            _ = lm_epoll_set(engine.epoll, channel.fd, channel.key, LM_READABLE)
            return
        }
        guard stream.fd >= 0 else { return }
        _ = lm_epoll_set(
            engine.epoll, stream.fd, channel.key, (stream.wantsToRead ? LM_READABLE : 0) | (stream.wantsToWrite ? LM_WRITABLE : 0))
    }

    /// Begins an exchange that is to end by then.
    func begin(_ exchange: Exchange, until deadline: UInt64) {
        exchanges[exchange.serial] = exchange
        deadlines.insert(deadline, exchange.serial)
    }

    func newSerial() -> UInt64 {
        serial += 1
        return serial
    }

    private func fireDeadlines() {
        let now = lm_monotonic_nanoseconds()
        while let serial = deadlines.pop(notAfter: now) {
            guard let exchange = exchanges[serial] else { continue }
            if let next = expire(exchange, at: now) { deadlines.insert(next, serial) }
        }
    }

    private func tick() {
        let now = lm_monotonic_nanoseconds()
        guard now >= tickedAt &+ Self.tickNanoseconds else { return }
        tickedAt = now
        for lane in lanes.values {
            lane.connect(engine.tls, { engine.store.snapshot.dictionary }, at: now, newKey) { watch($0, lane) }
            tend(lane, at: now)
            if lane.liveness.tick(at: now) { probe(lane, at: now) }
            watchOver(lane, at: now)
            lane.report()
        }
        retired.removeAll { lane in
            tend(lane, at: now)
            guard lane.outstanding == 0 else { return false }
            for channel in lane.channels { drop(channel, lane) }
            lane.removeAll()
            return true
        }
    }

    /// Ends connections that take too long.
    private func tend(_ lane: HomeServerLane, at now: UInt64) {
        for channel in lane.channels {
            guard let stream = channel.stream else { continue }
            stream.tick(nowSeconds: HomeServerLane.seconds(now))
            countLosses(of: channel, lane, at: now)
            settle(channel, lane, at: now)
        }
        lane.prove(at: now)
    }

    /// Counts what a connection itself has dropped, and ends the requests whose replies it cannot bring.
    func countLosses(of channel: HomeServerChannel, _ lane: HomeServerLane, at now: UInt64) {
        guard let losses = channel.stream?.takeLosses() else { return }
        lane.meter.add(.noRecord, losses.passedOver)
        lane.meter.add(.sendFailures, losses.unsent)
        lane.meter.add(.unmatched, losses.unmatched)
        lane.meter.add(.malformed, losses.malformed)
        for identifier in losses.tooLong {
            guard let exchange = channel.serial(of: identifier).flatMap({ exchanges[$0] }) else { continue }
            lane.liveness.answered(at: now)
            finish(exchange, .failed(.proxyUnusable, server: lane.server.id))
        }
    }

    /// Asks over an association of DTLS that is silent, and ends one that stays so (RFC 7360 §5.2).
    private func watchOver(_ lane: HomeServerLane, at now: UInt64) {
        for channel in lane.channels {
            switch channel.look(at: now) {
            case .wait: break
            case .ask: if lane.server.usesStatusServer { probe(lane, at: now) }
            case .end:
                if channel.watch?.hasRequest == false { lane.liveness.probesIgnored() }
                channel.stream?.close(nowSeconds: HomeServerLane.seconds(now), because: .silent)
                settle(channel, lane, at: now)
            }
        }
    }

    /// Forgets a channel; a connection says goodbye.
    func drop(_ channel: HomeServerChannel, _ lane: HomeServerLane) {
        if let stream = channel.stream {
            let now = lm_monotonic_nanoseconds()
            stream.close(nowSeconds: HomeServerLane.seconds(now))
            countLosses(of: channel, lane, at: now)
        } else {
            lm_epoll_remove(engine.epoll, channel.fd)
        }
        channels[channel.key] = nil
        lane.remove(channel)
    }

    /// Ends an exchange and tells who waits for it.
    func finish(_ exchange: Exchange, _ outcome: ProxyOutcome) {
        forget(exchange)
        if let order = exchange.order { engine.finish(order, outcome) }
    }

    func forget(_ exchange: Exchange) {
        exchanges[exchange.serial] = nil
        exchange.channel.release(exchange.identifier, after: exchange.request)
    }
}
