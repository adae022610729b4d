internal import CLinux
import Glibc
import Synchronization

/// A client's context for connections to home servers: of DTLS when it is told so, else of TLS. Throws why there is none.
public typealias HomeServerTLS = @Sendable (_ isDatagram: Bool) throws(TLSFileFailure) -> TLSContext

/// Forwards requests to home servers and brings their replies back: one thread, with its sockets and connections (RFC 2865 §2.3).
public final class ProxyService: Sendable {
    /// What the proxy may take.
    public struct Settings: Sendable {
        /// Requests that may be on their way at once.
        public var outstanding = 65_536
        /// From a request's arrival until nobody expects its answer any more, however many home servers are left.
        public var totalMilliseconds = 20_000
        /// Conversations whose home server is remembered.
        public var stickyEntries = 131_072
        /// Tells home servers of each NAS, so that their CoA finds back; nil: nothing is said.
        public var operatorNAS: OperatorNASIdentifiers?

        public init() {}
    }

    /// How one home server does.
    public struct HomeServerReport: Sendable {
        public let server: HomeServer
        public let meter: HomeServerMeter
    }

    let engine: ProxyEngine

    /// Opens nothing yet but the wake-up; home servers are those of the snapshot in force.
    ///
    /// - Parameters:
    ///   - settings: bounds.
    ///   - store: where the snapshot in force stands.
    ///   - tls: a client's context, asked for at each connection; without one home servers over TLS and DTLS are unreachable.
    /// - Throws: `ServerError` when the system gives no descriptors.
    public init(
        _ settings: Settings = Settings(), store: SnapshotStore, tls: @escaping HomeServerTLS = ProxyService.noTLS
    ) throws(ServerError) {
        let (epoll, wake) = (lm_epoll(), lm_eventfd())
        guard epoll >= 0, wake >= 0 else {
            throw ServerError(description: "the proxy gets no descriptors: \(String(cString: strerror(-min(epoll, wake))))")
        }
        let engine = ProxyEngine(settings: settings, store: store, epoll: epoll, wake: wake, tls: tls)
        self.engine = engine
        Thread.start(name: "proxy") {
            ThreadPriority.giveWay()
            ProxyLoop(engine).run()
            engine.end()
        }
    }

    deinit { engine.stop() }

    /// Where there are no certificates.
    public static let noTLS: HomeServerTLS = { _ throws(TLSFileFailure) in
        throw TLSFileFailure(path: "radsec.certificate", reason: "it names none, and home servers over TLS and DTLS want to see one")
    }

    /// Marks our Proxy-States.
    var mark: UInt64 { engine.mark }

    /// What home servers are told of a NAS, encoded; nil: nothing.
    func operatorNAS(tenant: Int64, nas: Int64) -> [UInt8]? { engine.settings.operatorNAS?.attribute(tenant: tenant, nas: nas) }

    /// Takes a request in; false, and nobody is called, when as many are on their way as may be.
    func submit(_ order: ProxyOrder) -> Bool { engine.submit(order) }

    /// How each home server of the snapshot in force does, by number.
    public var reports: [HomeServerReport] {
        let servers = engine.store.snapshot.proxy?.servers ?? [:]
        return servers.values.sorted { $0.id < $1.id }.map { HomeServerReport(server: $0, meter: engine.meter(of: $0.id)) }
    }

    /// Requests refused because as many were on their way as may be.
    public var refused: UInt64 { engine.refused.load(ordering: .relaxed) }

    /// Ends the thread; what is on its way ends without an answer.
    public func shutdown() { engine.stop() }
}

/// What the packet path and the proxy's thread share.
final class ProxyEngine: Sendable {
    private struct Mailbox {
        var arrived: [ProxyOrder] = []
        var inHand = 0
        var isStopping = false
    }

    let settings: ProxyService.Settings
    let store: SnapshotStore
    let epoll: Int32
    let wake: Int32
    let mark = UInt64.random(in: 1...UInt64.max)
    let tls: HomeServerTLS
    let refused = Atomic<UInt64>(0)
    private let mailbox = Mutex(Mailbox())
    private let meters = Mutex<[Int64: HomeServerMeter]>([:])

    init(
        settings: ProxyService.Settings, store: SnapshotStore, epoll: Int32, wake: Int32, tls: @escaping HomeServerTLS
    ) {
        self.settings = settings
        self.store = store
        self.epoll = epoll
        self.wake = wake
        self.tls = tls
    }

    deinit {
        close(epoll)
        close(wake)
    }

    func submit(_ order: ProxyOrder) -> Bool {
        let isTaken = mailbox.withLock { mailbox in
            guard !mailbox.isStopping, mailbox.inHand < settings.outstanding else { return false }
            mailbox.inHand += 1
            mailbox.arrived.append(order)
            return true
        }
        if isTaken { lm_eventfd_signal(wake) } else { refused.add(1, ordering: .relaxed) }
        return isTaken
    }

    /// For the proxy's thread: what came in, and whether to end.
    func collect() -> (arrived: [ProxyOrder], isStopping: Bool) {
        mailbox.withLock { mailbox in
            let arrived = mailbox.arrived
            mailbox.arrived = []
            return (arrived, mailbox.isStopping)
        }
    }

    func finish(_ order: ProxyOrder, _ outcome: ProxyOutcome) {
        mailbox.withLock { $0.inHand -= 1 }
        order.completion(outcome)
    }

    func stop() {
        mailbox.withLock { $0.isStopping = true }
        lm_eventfd_signal(wake)
    }

    /// After the thread's last look nobody may be left waiting.
    func end() { for order in collect().arrived { finish(order, .failed(.proxyNoServer, server: 0)) } }

    func meter(of server: Int64) -> HomeServerMeter {
        meters.withLock { meters in
            if let known = meters[server] { return known }
            let meter = HomeServerMeter()
            meters[server] = meter
            return meter
        }
    }
}
