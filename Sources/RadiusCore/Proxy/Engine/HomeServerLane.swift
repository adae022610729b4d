internal import CLinux

/// What the proxy's thread knows of one home server: its channels, its liveness, its time to a reply.
final class HomeServerLane {
    private(set) var server: HomeServer
    let meter: HomeServerMeter
    var liveness: HomeServerLiveness
    private(set) var channels: [HomeServerChannel] = []
    private(set) var latencyMicroseconds: UInt64 = 0
    private var reconnect = ReconnectDelay()
    private var reconnectAt: UInt64 = 0
    /// Over the connection that stands now came a reply that counts, or it has stood for long.
    private var isProven = false
    private var generator = SystemRandomNumberGenerator()
    /// Another has its place, and its meter.
    private var isRetired = false
    /// A UDP home server is asked from up to so many ports, any other over so many connections.
    private static let channelLimit = 8
    private static let streamLimit = 1
    private static let second: UInt64 = 1_000_000_000
    /// A connection that stands so long is a good one, even if nothing was asked on it.
    private static let goodSeconds = UInt64(ReconnectDelay.longest)

    init(_ server: HomeServer, meter: HomeServerMeter, at now: UInt64) {
        self.server = server
        self.meter = meter
        meter.setConnectionFailure(nil)
        liveness = HomeServerLiveness(server.timing, probes: server.usesStatusServer, at: now)
    }

    /// Takes up an edit that leaves it where it is; other times, or another way to ask, begin anew.
    func update(to newer: HomeServer, at now: UInt64) {
        guard newer !== server else { return }
        let isTimed = newer.timing == server.timing && newer.usesStatusServer == server.usesStatusServer
        server = newer
        if !isTimed { liveness = HomeServerLiveness(newer.timing, probes: newer.usesStatusServer, at: now) }
    }

    /// Ends what it says of the home server: only its counts go on.
    func retire() { isRetired = true }

    private func setConnectionFailure(_ reason: String?) {
        if !isRetired { meter.setConnectionFailure(reason) }
    }

    var outstanding: Int { channels.reduce(0) { $0 + $1.count } }

    var candidate: PoolChoice.Candidate {
        let outstanding = outstanding
        let canGrow = server.transport == .udp && channels.count < Self.channelLimit
        let isFull = outstanding >= server.outstandingLimit || !(canGrow || channels.contains { $0.hasRoom })
        // Without a connection there is nobody to ask, whatever was known.
        let isReachable = server.transport == .udp || channels.contains { $0.isOpen }
        return .init(
            id: server.id, state: isReachable ? liveness.state : .dead, latencyMicroseconds: latencyMicroseconds,
            outstanding: outstanding, isFull: isFull)
    }

    /// A channel with a free identifier; `make` gives the number and watches what is new.
    func channel(_ nextKey: () -> UInt64, watch: (HomeServerChannel) -> Void) -> HomeServerChannel? {
        if let found = channels.first(where: { $0.hasRoom }) { return found }
        guard server.transport == .udp, channels.count < Self.channelLimit,
            let opened = HomeServerChannel(datagramsUnder: nextKey())
        else { return nil }
        channels.append(opened)
        watch(opened)
        return opened
    }

    /// Opens the connection of a home server that is not asked over UDP, where there is none and the time for it has come.
    func connect(
        _ context: HomeServerTLS, _ dictionary: () -> RadiusDictionary, at now: UInt64, _ nextKey: () -> UInt64,
        watch: (HomeServerChannel) -> Void
    ) {
        guard server.transport != .udp, channels.count < Self.streamLimit, now >= reconnectAt else { return }
        var tls: TLSContext?
        do throws(TLSFileFailure) {
            if server.transport.isProtected { tls = try context(server.transport == .dtls) }
        } catch {
            return failed(because: error.description, at: now)
        }
        let stream = StreamClient(
            to: server.address, port: server.accessPort, tls, serverName: server.tlsName ?? server.address.text,
            negotiation: RadiusNegotiation(server.versions, secret: server.secret, dictionary: dictionary()), nowSeconds: Self.seconds(now))
        if case .ended(let ending) = stream.status { return failed(because: ending.description, at: now) }
        let channel = HomeServerChannel(stream, key: nextKey())
        channels.append(channel)
        watch(channel)
    }

    /// A connection is open now.
    func opened(_ channel: HomeServerChannel, at now: UInt64) {
        let isWatched = server.transport == .dtls
        channel.opened(
            at: now, isWatched ? AssociationWatch(server.timing, asks: server.usesStatusServer, at: now, &generator) : nil)
        setConnectionFailure(nil)
    }

    /// A reply came that counts: the next failure of the connection is the first. A handshake alone says less: a server may end the
    /// connection right behind it.
    func proven() {
        isProven = true
        reconnect.succeeded()
    }

    /// The same for a connection that has stood for long.
    func prove(at now: UInt64) {
        if channels.contains(where: { $0.openedAt.map { now >= $0 + Self.goodSeconds * Self.second } ?? false }) { proven() }
    }

    /// The connection ended.
    ///
    /// A server may end one that nobody uses; then nothing is wrong with it, and it gets the next one at once.
    func ended(_ ending: StreamClient.Ending, wasIdle: Bool, at now: UInt64) {
        defer { isProven = false }
        if isProven, wasIdle, ending == .byPeer { reconnectAt = now } else { failed(because: ending.description, at: now) }
    }

    /// No connection could be made, or one was lost, for that reason.
    func failed(because reason: String, at now: UInt64) {
        meter.add(.connectionFailures)
        setConnectionFailure(reason)
        liveness.unreachable(at: now)
        reconnectAt = now + UInt64(reconnect.failed(&generator)) * Self.second
    }

    func remove(_ channel: HomeServerChannel) { channels.removeAll { $0 === channel } }
    func removeAll() { channels = [] }

    /// Takes a reply's time into account: an eighth of what is new.
    func measured(nanoseconds: UInt64) {
        let sample = max(1, nanoseconds / 1000)
        latencyMicroseconds = latencyMicroseconds == 0 ? sample : (latencyMicroseconds * 7 + sample) / 8
    }

    func report() {
        let version = channels.first { $0.isOpen }?.stream?.version
        meter.set(liveness.state, latencyMicroseconds: latencyMicroseconds, outstanding: outstanding, version)
    }

    static func seconds(_ now: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: now / second) }
}
