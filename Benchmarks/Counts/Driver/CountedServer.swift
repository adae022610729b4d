import Glibc
import RadiusCore

/// The server under count: one worker on loopback, 10,000 subscribers, a plan whose Accept has eight attributes besides its signature.
final class CountedServer {
    static let secret = SharedSecret(Array("counted-in-instructions".utf8))
    static let password = "correct horse 17"
    static let subscribers = 10_000
    /// Long enough that a whole batch is held at a time, short enough not to be waited for.
    private static let rejectDelayMilliseconds = 20
    private let server: RadiusServer

    /// - Parameters:
    ///   - journal: a folder that does not exist yet, for the accounting journal.
    ///   - dictionary: the root dictionary.
    /// - Throws: `CountFault`, or whatever journal, dictionary or sockets say.
    init(journal: String, dictionary: String) throws {
        var settings = ServerSettings()
        settings.rejectDelayMilliseconds = Self.rejectDelayMilliseconds
        let environment = ServerEnvironment(
            settings: settings, store: SnapshotStore(try Self.snapshot(dictionary)),
            journal: try Journal.open(directory: journal, segmentBytes: 64 << 20), slowChecks: SlowChecks(SlowChecks.Limits(threads: 1)),
            recorder: FlightRecorder(memoryOctets: 64 << 20, workers: 1))
        server = try RadiusServer(
            .init(address: IPAddress(ipv4: 0x7f00_0001), authenticationPort: 0, accountingPort: 0, workers: 1), environment: environment)
        server.start()
    }

    /// A socket that is connected to the port for `kind`, and gives up on a reply after a minute.
    func connect(for kind: CountedCase) throws -> Int32 {
        let fd = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var timeout = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var peer = sockaddr_in()
        peer.sin_family = sa_family_t(AF_INET)
        peer.sin_port = (kind.isAccounting ? server.accountingPort : server.authenticationPort).bigEndian
        peer.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard status == 0 else { throw CountFault("no socket to the server: \(String(cString: strerror(errno)))") }
        return fd
    }

    /// Puts in force what `kind` needs.
    func prepare(for kind: CountedCase) throws {
        guard kind == .policy else { return }
        let now = server.environment.store.snapshot
        let (program, faults) = PolicyCompiler.compile(CountedRules.all, dictionary: now.dictionary)
        guard let program, faults.isEmpty else { throw CountFault("the policy rules do not compile: \(faults)") }
        server.environment.store.publish(
            Snapshot(
                clients: now.clients, subscribers: now.subscribers, profiles: now.profiles, policies: now.policies, programs: [1: program],
                dictionary: now.dictionary))
    }

    /// Ends the workers and the journal.
    func stop() {
        server.stop()
        while server.isRunning { sched_yield() }
        server.environment.slowChecks.shutdown()
        server.environment.journal.close()
    }

    /// The name of subscriber `number`.
    static func userName(_ number: Int) -> [UInt8] { Array("subscriber\(10_000 + number)@example.net".utf8) }

    private static func snapshot(_ dictionary: String) throws -> Snapshot {
        var builder = SubscriberIndexBuilder()
        for number in 0..<subscribers { builder.add(subscriber(number)) }
        return Snapshot(
            clients: ClientTable([gateway()]), subscribers: SubscriberTable(builder.build()), profiles: [1: plan()],
            policies: [1: AccessPolicy()], dictionary: try RadiusDictionary.load(path: dictionary))
    }

    private static func gateway() -> NASClient {
        NASClient(
            id: 1, tenant: 1, name: "gateway", network: IPAddress(ipv4: 0x7f00_0001), prefixLength: 128, secret: secret,
            vendor: .mikrotik)
    }

    private static func subscriber(_ number: Int) -> SubscriberEntry {
        var entry = SubscriberEntry()
        entry.id = Int64(number + 1)
        entry.tenant = 1
        entry.profile = 1
        entry.name = userName(number)
        entry.credentialKind = .clearText
        entry.credential = Array(password.utf8)
        entry.identity = attribute(AttributeNumber.framedIPAddress, number: 0x0a00_0000 + UInt32(number))
        return entry
    }

    /// With the address, Service-Type and Framed-Protocol: rate, timeouts, interval, Filter-Id, Framed-MTU.
    private static func plan() -> ReplyProfile {
        ReplyProfile(
            id: 1, tenant: 1, name: "home50", rate: BandwidthRate(downloadBitsPerSecond: 50_000_000, uploadBitsPerSecond: 10_000_000),
            sessionTimeoutSeconds: 86_400, idleTimeoutSeconds: 600, interimSeconds: 300,
            filters: attribute(AttributeNumber.filterID, Array("home".utf8)),
            free: { _ in attribute(AttributeNumber.framedMTU, number: 1492) }, keyed: { _ in [] })
    }
}
