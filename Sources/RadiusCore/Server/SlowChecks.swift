import CLinux
import Glibc
public import Synchronization

/// A request that waits for a slow password check; its reply leaves through the worker that parked it.
final class ParkedRequest: @unchecked Sendable {
    // Guard: the worker fills it before it is submitted; one checking thread writes `outcome`; the worker reads it after completion.
    let octets: UnsafeMutablePointer<UInt8>
    let count: Int
    let datagram: lm_datagram
    let token: ReplyToken
    let password: [UInt8]
    let hash: [UInt8]
    var outcome: PasswordHash.Outcome = .differs

    /// Copies the `count` octets of `packet`.
    init(
        packet: UnsafePointer<UInt8>, count: Int, datagram: lm_datagram, token: ReplyToken, password: [UInt8], hash: [UInt8]
    ) {
        octets = .allocate(capacity: count)
        octets.initialize(from: packet, count: count)
        self.count = count
        self.datagram = datagram
        self.token = token
        self.password = password
        self.hash = hash
    }

    deinit { octets.deallocate() }
}

/// Where a worker finds its finished checks.
final class ParkedCompletions: Sendable {
    private let finished = Mutex<[ParkedRequest]>([])
    let eventFD: Int32

    init(eventFD: Int32) {
        self.eventFD = eventFD
    }

    func add(_ request: ParkedRequest) {
        finished.withLock { $0.append(request) }
        lm_eventfd_signal(eventFD)
    }

    func drain() -> [ParkedRequest] {
        finished.withLock { requests in
            let taken = requests
            requests = []
            return taken
        }
    }
}

/// A bounded pool of threads for password hashes that are slow by design; the packet path never waits for it.
public final class SlowChecks: Sendable {
    private let pending = Mutex<[(ParkedRequest, ParkedCompletions)]>([])
    private let wake = WaitFlag()
    private let limit: Int
    private let stopping = Atomic<Bool>(false)
    public let completed = Atomic<UInt64>(0)
    public let refused = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - threads: 1...64.
    ///   - limit: checks that may wait; more are refused.
    public init(threads: Int, limit: Int = 1024) {
        self.limit = limit
        for number in 0..<max(1, min(64, threads)) {
            Thread.start(name: "slow-check-\(number)") { [self] in work() }
        }
    }

    /// Checks that wait now.
    public var queueDepth: Int { pending.withLock { $0.count } }

    func submit(_ request: ParkedRequest, to completions: ParkedCompletions) -> Bool {
        let taken = pending.withLock { queue in
            guard queue.count < limit else { return false }
            queue.append((request, completions))
            return true
        }
        if taken { wake.signal() } else { refused.add(1, ordering: .relaxed) }
        return taken
    }

    /// Ends the threads once they finished what they do.
    public func shutdown() {
        stopping.store(true, ordering: .releasing)
        wake.signal()
    }

    private func work() {
        while !stopping.load(ordering: .acquiring) {
            guard let (request, completions) = pending.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else {
                wake.wait()
                continue
            }
            let (password, hash) = (request.password, request.hash)
            request.outcome = PasswordHash.verify(password.span, against: hash.span)
            completed.add(1, ordering: .relaxed)
            completions.add(request)
        }
        wake.signal()
    }
}
