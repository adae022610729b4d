import CLinux
import Glibc

@testable import RadiusCore

/// A server on free loopback ports with a snapshot made in the test.
final class TestServer {
    static let secret = SharedSecret(Array("xyzzy5461-long-enough".utf8))
    let server: RadiusServer
    let store: SnapshotStore
    let client: NASClient
    let folder = JournalFolder()

    init(
        client: NASClient = TestServer.loopback(), subscribers: [SubscriberEntry], profiles: [ReplyProfile] = [TestServer.plan()],
        rejectDelayMilliseconds: Int = 0, policy: AccessPolicy = AccessPolicy(), others: [NASClient] = [], workers: Int = 1,
        address: IPAddress = IPAddress(ipv4: 0x7f00_0001), slowChecks: SlowChecks? = nil, started: Bool = true,
        eap: EAPService.Settings? = EAPService.Settings(), certificates: EAPCertificates? = nil,
        recorder: FlightRecorder = FlightRecorder(memoryOctets: 0, workers: 1), plan: ProxyPlan? = nil,
        proxy: ProxyService.Settings = ProxyService.Settings(), adjust: (inout ServerSettings) -> Void = { _ in },
        homeServerTLS: @escaping HomeServerTLS = ProxyService.noTLS
    ) throws {
        self.client = client
        let store = SnapshotStore(try Self.snapshot([client] + others, subscribers, profiles, policy, plan))
        self.store = store
        var settings = ServerSettings()
        settings.rejectDelayMilliseconds = rejectDelayMilliseconds
        adjust(&settings)
        let environment = ServerEnvironment(
            settings: settings, store: store, journal: try Journal.open(directory: folder.path, segmentBytes: 1 << 20),
            slowChecks: slowChecks ?? SlowChecks(.init(threads: 1, deadlineMilliseconds: TestServer.deadlineMilliseconds)),
            eap: eap.map { EAPService(TestServer.patient($0), store: store, certificates: certificates) }, recorder: recorder,
            proxy: plan == nil ? nil : try ProxyService(proxy, store: store, tls: homeServerTLS))
        server = try Self.bound {
            try RadiusServer(
                .init(address: address, authenticationPort: 0, accountingPort: 0, workers: workers), environment: environment)
        }
        if started { server.start() }
    }

    /// A caller that sends a request once waits for ever when it is dropped for having waited while the machine stood still.
    static let deadlineMilliseconds = 60_000

    private static func patient(_ settings: EAPService.Settings) -> EAPService.Settings {
        var patient = settings
        patient.deadlineMilliseconds = deadlineMilliseconds
        return patient
    }

    /// Between finding a free port and taking it, a program of another test may take it.
    private static func bound(_ make: () throws -> RadiusServer) throws -> RadiusServer {
        for _ in 0..<8 { if let server = try? make() { return server } }
        return try make()
    }

    /// What a server answers from.
    static func snapshot(
        _ clients: [NASClient], _ subscribers: [SubscriberEntry], _ profiles: [ReplyProfile] = [TestServer.plan()],
        _ policy: AccessPolicy = AccessPolicy(), _ plan: ProxyPlan? = nil
    ) throws -> Snapshot {
        var builder = SubscriberIndexBuilder()
        for subscriber in subscribers { builder.add(subscriber) }
        return Snapshot(
            clients: ClientTable(clients), subscribers: SubscriberTable(builder.build()),
            profiles: [Int64: ReplyProfile](uniqueKeysWithValues: profiles.map { ($0.id, $0) }), policies: [1: policy],
            proxy: plan, dictionary: try ShippedDictionaries.loaded.get())
    }

    deinit {
        server.stop()
        _ = eventually { !server.isRunning }
        server.environment.slowChecks.shutdown()
        server.environment.eap?.shutdown()
        server.environment.proxy?.shutdown()
        server.environment.journal.close()
    }

    /// The sum of a counter over the workers.
    func count(_ counter: ServerCounter) -> UInt64 { server.counters.reduce(0) { $0 + $1[counter] } }
    func count(_ drop: DecodeError) -> UInt64 { server.counters.reduce(0) { $0 + $1[drop] } }
    func count(_ reason: AccessReason) -> UInt64 { server.counters.reduce(0) { $0 + $1[reason] } }

    static func loopback(
        require: TriState = .auto, limit: TriState = .auto, vendor: NASVendor = .mikrotik
    ) -> NASClient {
        NASClient(
            id: 7, tenant: 1, name: "loopback", network: IPAddress(ipv4: 0x7f00_0001), prefixLength: 128, secret: secret,
            vendor: vendor, requireMessageAuthenticator: require, limitProxyState: limit)
    }

    static func plan(id: Int64 = 1) -> ReplyProfile {
        ReplyProfile(
            id: id, tenant: 1, name: "home50",
            rate: BandwidthRate(downloadBitsPerSecond: 50_000_000, uploadBitsPerSecond: 10_000_000), sessionTimeoutSeconds: 0,
            idleTimeoutSeconds: 0, interimSeconds: 0, filters: [], free: { _ in [] }, keyed: { _ in [] })
    }

    static func subscriber(
        _ name: String, password: String? = "arctangent", kind: CredentialKind = .clearText, status: SubscriberStatus = .active
    ) -> SubscriberEntry {
        var entry = SubscriberEntry()
        entry.id = 42
        entry.tenant = 1
        entry.profile = 1
        entry.name = Array(name.utf8)
        entry.status = status
        if let password {
            entry.credentialKind = kind
            entry.credential = Array(password.utf8)
        }
        return entry
    }
}

/// A NAS of the tests: one socket, one request at a time.
final class TestNAS {
    let fd: Int32
    private let port: UInt16

    init(to port: UInt16) throws {
        self.port = port
        fd = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var timeout = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var peer = sockaddr_in()
        peer.sin_family = sa_family_t(AF_INET)
        peer.sin_port = port.bigEndian
        peer.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        _ = withUnsafePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    deinit { close(fd) }

    func send(_ packet: [UInt8]) {
        _ = Glibc.send(fd, packet, packet.count, 0)
    }

    /// The next datagram; empty when none comes within a minute.
    func receive() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var count = recv(fd, &buffer, buffer.count, 0)
        // So it ends with its limit of time when the process was frozen meanwhile.
        while count < 0 && errno == EINTR { count = recv(fd, &buffer, buffer.count, 0) }
        return count > 0 ? Array(buffer[..<count]) : []
    }

    func exchange(_ packet: [UInt8]) -> [UInt8] {
        send(packet)
        return receive()
    }
}

/// Packets as a NAS makes them.
enum TestPacket {
    static let authenticator = Digest16 { UInt8($0 * 7 + 1) }

    /// An Access-Request; `sign` puts a Message-Authenticator in front.
    static func access(
        _ identifier: UInt8 = 1, user: String = "nemo", password: String? = "arctangent", extra: [UInt8] = [], sign: Bool = true,
        secret: SharedSecret = TestServer.secret
    ) -> [UInt8] {
        build(.accessRequest, identifier, sign: sign, secret: secret) { writer in
            writer.append(AttributeNumber.userName, Array(user.utf8).span)
            if let password {
                var hidden = [UInt8](repeating: 0, count: 128)
                var out = hidden.mutableSpan
                let count = UserPassword.hide(
                    Array(password.utf8).span, requestAuthenticator: authenticator, secret: secret, into: &out)
                writer.append(AttributeNumber.userPassword, hidden.span.extracting(0..<count))
            }
            writer.append(encoded: extra.span)
        }
    }

    static func status(sign: Bool = true, secret: SharedSecret = TestServer.secret) -> [UInt8] {
        build(.statusServer, 9, sign: sign, secret: secret) { _ in }
    }

    static func accounting(
        _ identifier: UInt8, status: UInt32, session: String, user: String = "nemo", secret: SharedSecret = TestServer.secret
    ) -> [UInt8] {
        var packet = build(.accountingRequest, identifier, sign: false) { writer in
            writer.append(AttributeNumber.acctStatusType, status)
            writer.append(AttributeNumber.userName, Array(user.utf8).span)
            if !session.isEmpty { writer.append(AttributeNumber.acctSessionID, Array(session.utf8).span) }
        }
        var span = packet.mutableSpan
        RequestAuthenticator.sign(&span, secret: secret)
        return packet
    }

    static func build(
        _ code: PacketCode, _ identifier: UInt8, sign: Bool, secret: SharedSecret = TestServer.secret, _ body: (inout PacketWriter) -> Void
    ) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: 4096)
        var writer = PacketWriter(octets.mutableSpan, code: code, identifier: identifier)
        writer.setAuthenticator(authenticator)
        if sign { writer.reserveMessageAuthenticator() }
        body(&writer)
        let finished = writer.finish()
        octets.removeLast(octets.count - finished.count)
        if let offset = finished.messageAuthenticatorOffset {
            var span = octets.mutableSpan
            MessageAuthenticator.sign(&span, attributeOffset: offset, authenticator: authenticator, secret: secret)
        }
        return octets
    }

    /// Whether `reply` answers a request of this file and is signed: Response Authenticator, and Message-Authenticator in front.
    static func isSigned(_ reply: [UInt8], first: Bool = true, secret: SharedSecret = TestServer.secret) -> Bool {
        guard reply.count >= 38 else { return false }
        let verified = ResponseAuthenticator.verify(reply.span, requestAuthenticator: authenticator, secret: secret)
        let code = MessageAuthenticator.verify(
            reply.span, attributeOffset: 20, authenticator: authenticator, secret: secret)
        return verified && reply[20] == 80 && code
    }
}
