import CLinux
import Glibc
import Synchronization

/// Why the server could not open its ports.
public struct ServerError: Error, Sendable, CustomStringConvertible {
    public let description: String
}

/// The RADIUS ports and the workers behind them.
public final class RadiusServer: Sendable {
    /// Where to listen, and with how many threads.
    public struct Binding: Sendable {
        public var address: IPAddress
        /// 0 lets the system choose.
        public var authenticationPort: UInt16
        public var accountingPort: UInt16
        /// 1...256.
        public var workers: Int

        public init(address: IPAddress, authenticationPort: UInt16 = 1812, accountingPort: UInt16 = 1813, workers: Int = 1) {
            self.address = address
            self.authenticationPort = authenticationPort
            self.accountingPort = accountingPort
            self.workers = workers
        }
    }

    public let environment: ServerEnvironment
    public let counters: [WorkerCounters]
    /// One ring a worker; the authentication log drains them.
    public let authEvents: [AuthEventRing]
    /// The ports in use, also where the system chose.
    public let authenticationPort: UInt16
    public let accountingPort: UInt16
    /// How requests are spread over the workers.
    public let steering: SocketSteering
    private let sockets: WorkerSockets
    private let stopping = Atomic<Bool>(false)
    private let running = Atomic<Int>(0)
    private let wakeUps: [Int32]

    /// Opens the sockets; nothing is received before `start`.
    ///
    /// - Throws: `ServerError` that names the port and what to do, when one is taken or not allowed.
    public init(_ binding: Binding, environment: ServerEnvironment) throws(ServerError) {
        self.environment = environment
        let workers = max(1, min(256, binding.workers))
        var authenticationPort = binding.authenticationPort
        var accountingPort = binding.accountingPort
        let address = binding.address.octets
        try Self.ensureFree(address, authenticationPort, "radius.auth.port")
        try Self.ensureFree(address, accountingPort, "radius.acct.port")
        var opened: [(authentication: Int32, accounting: Int32)] = []
        for _ in 0..<workers {
            let buffer = environment.settings.receiveBufferOctets
            let authentication = try Self.open(address, &authenticationPort, "radius.auth.port", buffer)
            opened.append((authentication, try Self.open(address, &accountingPort, "radius.acct.port", buffer)))
        }
        sockets = WorkerSockets(opened)
        // Bound in the order of the workers: a socket's place in its group is its worker's number.
        let authenticationSteering = SocketSteering.steer(opened.map(\.authentication))
        let accountingSteering = SocketSteering.steer(opened.map(\.accounting))
        steering = authenticationSteering == accountingSteering ? authenticationSteering : .refused(ENOTSUP)
        self.authenticationPort = authenticationPort
        self.accountingPort = accountingPort
        counters = opened.map { _ in WorkerCounters() }
        authEvents = opened.map { _ in AuthEventRing(capacity: 1 << 24) }
        wakeUps = opened.map { _ in lm_eventfd() }
    }

    /// Starts the workers.
    public func start() {
        for position in counters.indices {
            running.add(1, ordering: .relaxed)
            Thread.start(name: "radius-\(position)") { [self] in
                let pair = sockets.pairs[position]
                var worker = UDPWorker(
                    authenticationFD: pair.authentication, accountingFD: pair.accounting, environment: environment,
                    counters: counters[position], events: authEvents[position],
                    completions: ParkedCompletions(eventFD: wakeUps[position]))
                worker.run { stopping.load(ordering: .relaxed) }
                // A NAS learns at once, by ICMP, that this server is gone, and turns to its next one.
                sockets.close(position)
                running.subtract(1, ordering: .releasing)
            }
        }
    }

    /// The receive queues of the two ports, all workers together.
    public var receiveQueues: (authentication: ReceiveQueue, accounting: ReceiveQueue) { sockets.receiveQueues }

    /// Whether the server was asked to end; it still answers what it has received.
    public var isStopping: Bool { stopping.load(ordering: .relaxed) }

    /// Whether workers still answer.
    public var isRunning: Bool { running.load(ordering: .acquiring) > 0 }

    /// Asks the workers to end; they answer first what they hold.
    public func stop() {
        stopping.store(true, ordering: .relaxed)
        wakeUps.forEach(lm_eventfd_signal)
    }

    private static func open(
        _ address: [UInt8], _ port: inout UInt16, _ key: String, _ buffer: Int
    ) throws(ServerError) -> Int32 {
        if port == 0 { port = try chosen(address, key) }
        let fd = lm_udp_open(address, port, 1, 0)
        guard fd >= 0 else { throw refusal(-fd, port, key) }
        _ = lm_receive_buffer(fd, Int32(buffer))
        return fd
    }

    /// A port that nobody has. With SO_REUSEPORT the system may choose one that another server of the same user already shares.
    private static func chosen(_ address: [UInt8], _ key: String) throws(ServerError) -> UInt16 {
        let probe = lm_udp_open(address, 0, 0, 0)
        guard probe >= 0 else { throw refusal(-probe, 0, key) }
        defer { close(probe) }
        return UInt16(clamping: lm_bound_port(probe))
    }

    /// SO_REUSEPORT would let a second daemon of the same user share the port and steal packets; only our own workers may.
    private static func ensureFree(_ address: [UInt8], _ port: UInt16, _ key: String) throws(ServerError) {
        guard port != 0 else { return }
        let probe = lm_udp_open(address, port, 0, 0)
        guard probe >= 0 else { throw refusal(-probe, port, key) }
        close(probe)
    }

    private static func refusal(_ code: Int32, _ port: UInt16, _ key: String) -> ServerError {
        let advice =
            switch code {
            case EADDRINUSE: "another program holds it; stop that program (`ss -lunp`), or choose another \(key)"
            case EACCES: "the system does not allow it to this user; choose a port above 1023, or grant CAP_NET_BIND_SERVICE"
            case EADDRNOTAVAIL: "this machine does not have that address; mend radius.address"
            default: String(cString: strerror(code))
            }
        return ServerError(description: "cannot listen on UDP port \(port) (\(key)): \(advice)")
    }
}
