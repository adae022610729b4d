import CLinux
import Synchronization

/// What a parked request waits for.
enum ParkedWork {
    /// A slow password check.
    case password([UInt8], hash: [UInt8])
    /// A step of an EAP conversation.
    case eap(EAPArrival)
    /// The home servers of a realm.
    case proxied(Realm)
}

/// What came of it.
enum ParkedOutcome {
    case password(PasswordHash.Outcome)
    case eap(EAPOutcome)
    case proxied(ProxyOutcome)
}

/// A request that waits for work that takes its time; its reply leaves through the worker that parked it.
final class ParkedRequest: @unchecked Sendable {
    // Guard: the worker fills it before it is submitted; the pool's lock orders `parkedNanoseconds` and `isExpired`; one thread of the pool
    // writes `outcome`; the worker reads after completion.
    let client: Int64
    let octets: UnsafeMutablePointer<UInt8>
    let count: Int
    let datagram: lm_datagram
    let token: ReplyToken
    let work: ParkedWork
    var parkedNanoseconds: UInt64 = 0
    var outcome = ParkedOutcome.password(.differs)
    /// It waited so long that nobody expects an answer; nothing was done.
    var isExpired = false

    /// Copies the `count` octets of `packet`.
    init(
        client: Int64, packet: UnsafePointer<UInt8>, count: Int, datagram: lm_datagram, token: ReplyToken, work: ParkedWork
    ) {
        self.client = client
        octets = .allocate(capacity: count)
        octets.initialize(from: packet, count: count)
        self.count = count
        self.datagram = datagram
        self.token = token
        self.work = work
    }

    deinit { octets.deallocate() }
}

/// Where a worker finds what it parked, done.
final class ParkedCompletions: Sendable {
    private let finished = Mutex<[ParkedRequest]>([])
    private let expected = Atomic<Int>(0)
    let eventFD: Int32

    init(eventFD: Int32) {
        self.eventFD = eventFD
    }

    /// Whether checks were submitted whose outcome was not drained yet.
    var isExpecting: Bool { expected.load(ordering: .acquiring) > 0 }

    func expect() { expected.add(1, ordering: .relaxed) }
    func expectNoMore() { expected.subtract(1, ordering: .relaxed) }

    func add(_ request: ParkedRequest) {
        finished.withLock { $0.append(request) }
        lm_eventfd_signal(eventFD)
    }

    func drain() -> [ParkedRequest] {
        let taken = finished.withLock { requests in
            let taken = requests
            requests = []
            return taken
        }
        expected.subtract(taken.count, ordering: .releasing)
        return taken
    }
}
