import Glibc

@testable import RadiusCore

/// A stream server on free loopback ports, in clear and with TLS, with a snapshot made in the test.
final class StreamHost {
    let streams: StreamServer
    let environment: ServerEnvironment
    let client: NASClient
    private let folder = JournalFolder()
    var tcpAuthenticationPort: UInt16 { streams.ports[0] }
    var tcpAccountingPort: UInt16 { streams.ports[1] }
    var tlsPort: UInt16 { streams.ports[2] }
    /// Only with `datagrams`.
    var dtlsPort: UInt16 { streams.ports[3] }

    init(
        _ authority: TestAuthority? = nil, client: NASClient = TestServer.loopback(), others: [NASClient] = [],
        subscribers: [SubscriberEntry] = [TestServer.subscriber("nemo")], slowChecks: SlowChecks? = nil, rejectDelayMilliseconds: Int = 0,
        datagrams: Bool = false, datagramPort: UInt16 = 0, plan: ProxyPlan? = nil, bounds: (inout StreamSettings) -> Void = { _ in },
        tls: (inout TLSSettings) -> Void = { _ in }, homeServerTLS: @escaping HomeServerTLS = ProxyService.noTLS,
        eap: (SnapshotStore) -> EAPService? = { _ in nil }
    ) throws {
        self.client = client
        var limits = ServerSettings()
        limits.rejectDelayMilliseconds = rejectDelayMilliseconds
        let store = SnapshotStore(try TestServer.snapshot([client] + others, subscribers, [TestServer.plan()], AccessPolicy(), plan))
        environment = ServerEnvironment(
            settings: limits, store: store, journal: try Journal.open(directory: folder.path, segmentBytes: 1 << 20),
            slowChecks: slowChecks ?? SlowChecks(.init(threads: 1, deadlineMilliseconds: TestServer.deadlineMilliseconds)),
            eap: eap(store), proxy: plan == nil ? nil : try ProxyService(store: store, tls: homeServerTLS))
        let certificates = authority.map { authority in
            var settings = TLSSettings(role: .server)
            settings.certificatePath = "\(authority.path)/server.pem"
            settings.keyPath = "\(authority.path)/server.key"
            settings.authorityPath = "\(authority.path)/ca.pem"
            tls(&settings)
            return RadSecCertificates(settings, hasDatagrams: datagrams)
        }
        certificates?.refresh()
        var settings = StreamSettings()
        // A machine that stands still ends nothing, unless a test is about that.
        (settings.handshakeSeconds, settings.packetSeconds, settings.stallSeconds) = (60, 60, 60)
        bounds(&settings)
        let ports: [StreamServer.Port] = [
            .tcp(0, isAccounting: false, key: "auth"), .tcp(0, isAccounting: true, key: "acct"), .tls(0, key: "radsec.port"),
        ]
        streams = try StreamServer(
            ports + (datagrams ? [.dtls(datagramPort, key: "radsec.port")] : []),
            address: IPAddress(high: 0, low: 0), certificates: certificates, settings: settings, environment: environment)
        streams.start()
    }

    deinit {
        streams.stop()
        _ = eventually { !streams.isRunning }
        environment.slowChecks.shutdown()
        environment.eap?.shutdown()
        environment.proxy?.shutdown()
        environment.journal.close()
    }

    func count(_ counter: ServerCounter) -> UInt64 { streams.counters.reduce(0) { $0 + $1[counter] } }

    func drops(_ reason: DecodeError) -> UInt64 { streams.counters.reduce(0) { $0 + $1[reason] } }

    /// Connections that were refused, by reason.
    func refused(_ reason: String, _ transport: StreamTransport = .tls) -> UInt64 {
        streams.census.statistics.refused[transport]?[reason] ?? 0
    }

    var open: Int { streams.census.statistics.open.values.reduce(0, +) }

    /// A client at another loopback address, 127.0.0.`last`.
    static func client(_ last: UInt32, identities: [String] = []) -> NASClient {
        NASClient(
            id: Int64(100 + last), tenant: 1, name: "nas\(last)", network: IPAddress(ipv4: 0x7f00_0000 | last), prefixLength: 128,
            secret: TestServer.secret, vendor: .generic,
            tlsIdentities: identities.isEmpty ? nil : identities.compactMap { TLSIdentity(text: $0) })
    }
}

/// The other end of a connection, in the test's own thread.
final class StreamPeer {
    static let radsec = SharedSecret(Array("radsec".utf8))
    let fd: Int32
    let tls: TLSConversation?
    private var framer = StreamFramer()
    /// The server has ended the connection.
    private(set) var isEnded = false

    /// - Parameters:
    ///   - port: of the server.
    ///   - source: 127.0.0.`source`.
    ///   - context: for TLS; nil talks in clear.
    ///   - receiveOctets: what the kernel may hold for it; 0 for the usual.
    /// - Throws: `TLSFailure` when OpenSSL has no memory.
    init(to port: UInt16, from source: UInt32 = 1, _ context: TLSContext? = nil, receiveOctets: Int32 = 0) throws {
        fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        tls = try context.map { try TLSConversation($0) }
        var timeout = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        if receiveOctets > 0 {
            var octets = receiveOctets
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, socklen_t(MemoryLayout<Int32>.size))
        }
        var own = sockaddr_in(host: 0x7f00_0000 | source, port: 0)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafePointer(to: &own) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(fd, $0, size) } }
        var peer = sockaddr_in(host: 0x7f00_0001, port: port)
        let connected = withUnsafePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(fd, $0, size) }
        }
        isEnded = bound != 0 || connected != 0
    }

    deinit { close(fd) }

    /// Shakes hands; whether it ended well on this side. In TLS 1.3 the server may refuse a certificate after that.
    func handshake() -> Bool {
        guard let tls else { return !isEnded }
        tls.start()
        repeat { flush() } while tls.state == .handshaking && !isEnded && pull()
        flush()
        return tls.state == .established
    }

    func send(_ octets: [UInt8]) {
        guard let tls else { return sendRaw(octets) }
        tls.write(octets)
        flush()
    }

    /// Past TLS.
    func sendRaw(_ octets: [UInt8]) {
        var sent = 0
        while sent < octets.count {
            let count = octets.withUnsafeBytes {
                Glibc.send(fd, $0.baseAddress?.advanced(by: sent), octets.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    func flush() {
        if let output = tls?.takeOutput(), !output.isEmpty { sendRaw(output) }
    }

    /// The next packet; empty when the connection ends, or none comes within a minute.
    func receive() -> [UInt8] {
        while true {
            if let length = try? framer.next() {
                var packet = [UInt8](repeating: 0, count: length)
                packet.withUnsafeMutableBufferPointer { buffer in
                    if let start = buffer.baseAddress { framer.take(length, into: start) }
                }
                return packet
            }
            guard !isEnded, pull() else { return [] }
        }
    }

    func exchange(_ packet: [UInt8]) -> [UInt8] {
        send(packet)
        return receive()
    }

    /// Waits until the server ends the connection; false when it does not.
    func ends() -> Bool {
        while !isEnded, pull() {}
        return isEnded
    }

    @discardableResult
    private func pull() -> Bool {
        var octets = [UInt8](repeating: 0, count: 16_384)
        var count = recv(fd, &octets, octets.count, 0)
        // So it ends with its limit of time when the process was frozen meanwhile.
        while count < 0 && errno == EINTR { count = recv(fd, &octets, octets.count, 0) }
        if count == 0 || count < 0 && errno == ECONNRESET { isEnded = true }
        guard count > 0 else { return false }
        guard let tls else {
            framer.append(octets.span.extracting(0..<count))
            return true
        }
        tls.receive(octets.span.extracting(0..<count))
        framer.append(tls.read().span)
        flush()
        return true
    }
}

extension sockaddr_in {
    /// An address and a port as numbers.
    init(host: UInt32, port: UInt16) {
        self.init()
        sin_family = sa_family_t(AF_INET)
        sin_port = port.bigEndian
        sin_addr.s_addr = host.bigEndian
    }
}
