import CLinux
import Glibc
import Synchronization

/// RADIUS over TCP, TLS and DTLS: the ports and the threads behind them. Packets go the way of `RadiusServer`'s.
public final class StreamServer: Sendable {
    /// A port to listen on.
    public struct Port: Sendable {
        let transport: StreamTransport
        let service: Service?
        let number: UInt16
        let key: String

        /// RADIUS/TLS for all kinds of packets. 0 lets the system choose.
        public static func tls(_ number: UInt16, key: String) -> Port { Port(transport: .tls, service: nil, number: number, key: key) }

        /// RADIUS/DTLS for all kinds of packets. 0 lets the system choose.
        public static func dtls(_ number: UInt16, key: String) -> Port { Port(transport: .dtls, service: nil, number: number, key: key) }

        /// RADIUS/TCP, for authentication or for accounting. 0 lets the system choose.
        public static func tcp(_ number: UInt16, isAccounting: Bool, key: String) -> Port {
            Port(transport: .tcp, service: isAccounting ? .accounting : .authentication, number: number, key: key)
        }
    }

    public let counters: [WorkerCounters]
    /// One ring a thread; the authentication log drains them.
    public let authEvents: [AuthEventRing]
    public let census: StreamCensus
    public let certificates: RadSecCertificates?
    /// CoA and Disconnect over the connections.
    public let reverse: ReverseCoA
    /// In the order in which they were asked for, also where the system chose.
    public let ports: [UInt16]
    /// Files that this process may have open; fewer than the connections that it may have are a reason for a warning.
    public let fileLimit: Int
    /// Whether one of the ports is of DTLS.
    public let servesDatagrams: Bool
    private let environment: ServerEnvironment
    private let settings: StreamSettings
    /// By thread.
    private let listeners: [[StreamListener]]
    private let wakeUps: [Int32]
    private let cookies = DTLSCookies()
    private let stopping = Atomic<Bool>(false)
    private let running = Atomic<Int>(0)

    /// Binds the ports; nothing is accepted before `start`, and over TLS and DTLS not before there are certificates.
    ///
    /// - Parameters:
    ///   - ports: to listen on.
    ///   - address: to listen on.
    ///   - certificates: for TLS and DTLS.
    ///   - settings: bounds.
    ///   - environment: what the threads share with those of UDP.
    /// - Throws: `ServerError` that names the port and what to do, when one is taken or not allowed.
    public init(
        _ ports: [Port], address: IPAddress, certificates: RadSecCertificates?, settings: StreamSettings, environment: ServerEnvironment
    ) throws(ServerError) {
        var settings = settings
        settings.threads = max(1, min(64, settings.threads))
        self.settings = settings
        self.environment = environment
        self.certificates = certificates
        var bound: [[StreamListener]] = []
        do throws(ServerError) {
            for port in ports {
                bound.append(
                    try StreamListener.bind(
                        address, port: port.number, transport: port.transport, service: port.service, key: port.key,
                        workers: settings.threads))
            }
        } catch {
            bound.joined().forEach { close($0.fd) }
            throw error
        }
        servesDatagrams = ports.contains { $0.transport == .dtls }
        self.ports = bound.compactMap { $0.first?.port }
        let byPort = bound
        listeners = (0..<settings.threads).map { thread in byPort.map { $0[thread] } }
        census = StreamCensus(settings)
        counters = listeners.map { _ in WorkerCounters() }
        authEvents = listeners.map { _ in AuthEventRing(capacity: 1 << 22) }
        wakeUps = listeners.map { _ in lm_eventfd() }
        reverse = ReverseCoA(wakeUps: wakeUps, timing: settings.reverse)
        // Journal segments, databases, HTTP and the other sockets need some, too.
        fileLimit = Int(lm_raise_file_limit(settings.connections + 1024))
    }

    /// Starts the threads. Who connects from here on is served.
    public func start() {
        listen()
        for position in listeners.indices {
            running.add(1, ordering: .relaxed)
            Thread.start(name: "radius-tcp-\(position)") { [self] in
                var worker = StreamWorker(
                    listeners: listeners[position], environment: environment, settings: settings, census: census,
                    certificates: certificates, cookies: cookies, counters: counters[position], events: authEvents[position],
                    completions: ParkedCompletions(eventFD: wakeUps[position]), reverse: reverse, number: position)
                worker.run { stopping.load(ordering: .relaxed) }
                running.subtract(1, ordering: .releasing)
            }
        }
    }

    /// What can be listened to is listened to from here on; the threads notice within a second.
    private func listen() {
        for listener in listeners.joined() where listener.transport == .tcp || listener.transport == .tls && certificates?.current != nil {
            _ = listener.listen()
        }
    }

    /// Whether threads still answer.
    public var isRunning: Bool { running.load(ordering: .acquiring) > 0 }

    /// Asks the threads to end; they answer first what they hold.
    public func stop() {
        stopping.store(true, ordering: .relaxed)
        wakeUps.forEach(lm_eventfd_signal)
    }

    /// Looks at the certificates' files; new ones are good for new connections. Blocks on the disk.
    @discardableResult
    public func refreshCertificates() -> RadSecCertificates.Outcome {
        let outcome = certificates?.refresh() ?? .unchanged
        if case .ready = outcome, isRunning, !stopping.load(ordering: .relaxed) { listen() }
        return outcome
    }
}
