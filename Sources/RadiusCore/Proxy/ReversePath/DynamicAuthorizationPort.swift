internal import CLinux
import Glibc
import Synchronization

/// A UDP port that takes CoA-Requests and Disconnect-Requests of home servers, for sessions that they answer for (RFC 8559, RFC 5176).
///
/// One thread verifies; whoever is handed the requests looks for their sessions and says in the end what came of each. Dropped in
/// silence are packets from elsewhere, and those that do not verify or whose Event-Timestamp is off. All methods may be called from any
/// thread.
public final class DynamicAuthorizationPort: Sendable {
    /// Bounds.
    public struct Settings: Sendable {
        /// Requests in work at once: of one source address, and altogether. Further ones are refused.
        public var outstandingPerAddress = 256
        public var outstanding = 1024
        /// Answers that are kept for repetitions, at most, and for how long at least while there is room.
        public var remembered = 8192
        public var rememberSeconds = 30

        public init() {}
    }

    private let engine: DynamicAuthorizationEngine
    /// The port in use, also where the system chose.
    public let port: UInt16

    /// Opens the socket; nothing is received before `start`.
    ///
    /// - Parameters:
    ///   - address: to listen on.
    ///   - port: 0 lets the system choose.
    ///   - proxy: has the home servers, and counts by them.
    ///   - settings: bounds.
    /// - Throws: `ServerError` when the port is taken or not allowed.
    public init(address: IPAddress, port: UInt16, proxy: ProxyService, settings: Settings = Settings()) throws(ServerError) {
        let socket = lm_udp_open(address.octets, port, 0, 1 << 20)
        guard socket >= 0 else { throw Self.refusal(-socket, port) }
        let wake = lm_eventfd()
        guard wake >= 0 else {
            close(socket)
            throw Self.refusal(-wake, port)
        }
        self.port = UInt16(clamping: lm_bound_port(socket))
        engine = DynamicAuthorizationEngine(socket: socket, wake: wake, proxy: proxy.engine, settings: settings)
    }

    deinit { engine.stop() }

    private static func refusal(_ code: Int32, _ port: UInt16) -> ServerError {
        ServerError(
            description: "radius.coa_port: UDP port \(port) cannot be opened: \(String(cString: strerror(code))) (errno \(code)); "
                + "choose another, or 0 for none")
    }

    /// Starts the thread, which hands each request to `handler` once; that must not block. `answer` ends it.
    public func start(_ handler: @escaping @Sendable (RelayedRequest) -> Void) {
        Thread.start(name: "coa-port") { [engine] in
            ThreadPriority.giveWay()
            engine.run(handler)
        }
    }

    /// Answers a request that was handed out; called once for each.
    public func answer(_ request: RelayedRequest, _ outcome: RelayOutcome) { engine.answer(request, outcome) }

    /// Packets that came from no home server of ours.
    public var unknownSources: UInt64 { engine.unknownSources.load(ordering: .relaxed) }

    /// Receives no more; what was handed out can still be answered.
    public func stop() { engine.stop() }
}

/// What the port's thread and those who answer share.
final class DynamicAuthorizationEngine: Sendable {
    let unknownSources = Atomic<UInt64>(0)
    private let socket: Int32
    private let wake: Int32
    private let proxy: ProxyEngine
    private let memory: Mutex<RelayMemory>
    private let stopping = Atomic<Bool>(false)

    init(socket: Int32, wake: Int32, proxy: ProxyEngine, settings: DynamicAuthorizationPort.Settings) {
        self.socket = socket
        self.wake = wake
        self.proxy = proxy
        memory = Mutex(RelayMemory(settings))
    }

    deinit {
        close(socket)
        close(wake)
    }

    func stop() {
        stopping.store(true, ordering: .relaxed)
        lm_eventfd_signal(wake)
    }

    func run(_ handler: @Sendable (RelayedRequest) -> Void) {
        let arena = DatagramArena()
        let descriptors: InlineArray<2, Int32> = [socket, wake]
        while !stopping.load(ordering: .relaxed) {
            _ = descriptors.span.withUnsafeBufferPointer { lm_wait($0.baseAddress, 2, -1) }
            lm_eventfd_drain(wake)
            let count = Int(lm_receive(socket, arena.slots, UInt32(arena.capacity)))
            for position in 0..<max(0, count) {
                if let request = take(arena.slots[position]) { handler(request) }
            }
        }
    }

    /// A request to hand out; nil when it is dropped, or answered here.
    private func take(_ slot: lm_datagram) -> RelayedRequest? {
        let address = withUnsafeBytes(of: slot.peer.octets) { IPAddress(octets: $0) }
        let servers = proxy.store.snapshot.proxy?.dynamicAuthorizationClients(at: address) ?? []
        guard let first = servers.first else {
            unknownSources.add(1, ordering: .relaxed)
            return nil
        }
        guard slot.truncated == 0, let bytes = slot.bytes else {
            proxy.meter(of: first.id).add(.coaMalformed)
            return nil
        }
        let datagram = Span(_unsafeElements: UnsafeBufferPointer(start: bytes, count: Int(slot.count)))
        guard let (signers, request) = verified(datagram, servers) else { return nil }
        let path = RelayedRequest.ReturnPath(
            peer: address, port: slot.peer.port, scope: slot.peer.scope,
            local: withUnsafeBytes(of: slot.local) { IPAddress(octets: $0) }, interface: slot.interface_index)
        return admit(
            RelayedRequest(servers: signers, request: request, returnPath: path, identifiers: proxy.settings.operatorNAS))
    }

    /// The request, and which of `servers` it may be of; nil, and counted, when it is nobody's.
    private func verified(_ datagram: Span<UInt8>, _ servers: [HomeServer]) -> ([HomeServer], DynamicAuthorizationServer.Request)? {
        let now = UInt32(truncatingIfNeeded: lm_realtime_nanoseconds() / 1_000_000_000)
        var signers: [HomeServer] = []
        var request: DynamicAuthorizationServer.Request?
        var refusal: HomeServerCounter?
        for server in servers {
            do throws(DynamicAuthorizationError) {
                let desk = DynamicAuthorizationServer(
                    secret: server.secret, requiresMessageAuthenticator: server.requiresMessageAuthenticator)
                request = try desk.verify(datagram, now: now)
                signers.append(server)
            } catch {
                refusal = refusal ?? error.counter
            }
        }
        guard let request else {
            if let refusal { proxy.meter(of: servers[0].id).add(refusal) }
            return nil
        }
        return (signers, request)
    }

    private func admit(_ request: RelayedRequest) -> RelayedRequest? {
        let meter = proxy.meter(of: request.servers[0].id)
        switch memory.withLock({ $0.admit(request.key, at: lm_monotonic_nanoseconds()) }) {
        case .new:
            meter.add(request.kind == .coa ? .coaRequests : .disconnectRequests)
            return request
        case .inWork: meter.add(.coaRepetitions)
        case .answered(let reply):
            meter.add(.coaRepetitions)
            send(reply, by: request.returnPath)
        case .full:
            meter.add(RelayOutcome.refused(.resourcesUnavailable).counter)
            send(RelayOutcome.refused(.resourcesUnavailable).reply(to: request.request, by: request.desk), by: request.returnPath)
        }
        return nil
    }

    func answer(_ request: RelayedRequest, _ outcome: RelayOutcome) {
        proxy.meter(of: request.servers[0].id).add(outcome.counter)
        let reply = outcome.reply(to: request.request, by: request.desk)
        memory.withLock { $0.conclude(request.key, reply, at: lm_monotonic_nanoseconds()) }
        send(reply, by: request.returnPath)
    }

    private func send(_ packet: [UInt8], by path: RelayedRequest.ReturnPath) {
        var packet = packet
        packet.withUnsafeMutableBufferPointer { octets in
            var slot = lm_datagram()
            slot.bytes = octets.baseAddress
            slot.capacity = UInt32(octets.count)
            slot.count = UInt32(octets.count)
            slot.peer = path.peer.datagramAddress(port: path.port)
            slot.peer.scope = path.scope
            withUnsafeMutableBytes(of: &slot.local) { $0.copyBytes(from: path.local.octets) }
            slot.interface_index = path.interface
            // Lost like any datagram: the home server asks again, and gets the answer that is kept.
            _ = lm_send(socket, &slot, 1)
        }
    }
}

extension RelayedRequest {
    var key: RelayMemory.Key {
        RelayMemory.Key(
            address: returnPath.peer, port: returnPath.port, identifier: request.identifier, authenticator: request.authenticator)
    }

    /// What signs its answer.
    var desk: DynamicAuthorizationServer { DynamicAuthorizationServer(secret: servers[0].secret) }
}

extension DynamicAuthorizationError {
    /// As what a home server's packet is counted that is dropped for this.
    fileprivate var counter: HomeServerCounter {
        switch self {
        case .staleTimestamp: .coaStale
        case .packet(.requestAuthenticatorInvalid), .packet(.messageAuthenticatorInvalid): .coaBadAuthenticator
        case .packet(.messageAuthenticatorMissing): .coaMessageAuthenticatorMissing
        case .packet: .coaMalformed
        }
    }
}
