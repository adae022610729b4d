import CLinux
import Glibc
import Synchronization

/// The socket for CoA and Disconnect requests could not be opened.
public struct CoAClientError: Error, Sendable, CustomStringConvertible {
    /// An errno.
    public let code: Int32

    public var description: String {
        "the socket for CoA requests could not be opened: \(String(cString: strerror(code))) (errno \(code)); check the bind address"
    }
}

/// Sends CoA and Disconnect requests to many NAS at once (RFC 5176) and repeats them until answered (RFC 5080 §2.2.1).
///
/// One thread and one dual-stack UDP socket. Each NAS, by address and port, has its 256 identifiers; what exceeds them waits in
/// order. Replies count only from the address asked, with a code that answers the request, a true Response Authenticator and, where
/// present, a true Message-Authenticator; all others are counted and ignored. All methods may be called from any thread.
public final class CoAClient: Sendable {
    private let engine: CoAEngine

    /// Opens the socket and starts the thread.
    ///
    /// - Parameters:
    ///   - bindAddress: what requests leave from; the unspecified address lets the system choose for each NAS.
    ///   - port: the source port; 0 lets the system choose.
    ///   - timing: when to send again and when to give up.
    ///   - queueLimit: requests that may be in hand at once, waiting and sent; more are refused.
    ///   - outstandingPerNAS: requests that may await one NAS's answers, 1...256.
    /// - Throws: `CoAClientError` when the system gives no socket for that address and port.
    public init(
        bindAddress: IPAddress = IPAddress(high: 0, low: 0), port: UInt16 = 0, timing: CoARetransmission.Timing = .init(),
        queueLimit: Int = 65_536, outstandingPerNAS: Int = 256
    ) throws(CoAClientError) {
        let socket = lm_udp_open(bindAddress.octets, port, 0, 1 << 20)
        guard socket >= 0 else { throw CoAClientError(code: -socket) }
        let wakeUp = lm_eventfd()
        guard wakeUp >= 0 else {
            close(socket)
            throw CoAClientError(code: -wakeUp)
        }
        let engine = CoAEngine(socket: socket, wakeUp: wakeUp, queueLimit: queueLimit)
        self.engine = engine
        let limit = max(1, min(256, outstandingPerNAS))
        Thread.start(name: "coa-client") {
            var loop = CoALoop(engine: engine, timing: timing, outstandingPerNAS: limit)
            loop.run()
        }
    }

    deinit {
        engine.stop()
    }

    /// Sends `request` and calls `completion` once, on the client's thread (or here, when refused at once); it must not block.
    public func send(_ request: CoARequest, to peer: CoAPeer, completion: @Sendable @escaping (CoAOutcome) -> Void) {
        let submission = CoASubmission(request: request, peer: peer, completion: completion)
        if let refusal = engine.submit(submission) {
            engine.count { $0.refused += 1 }
            completion(.refused(refusal))
        }
    }

    /// Sends `request` and waits for its end, at most `timing.duration` after it left the queue. Cancellation does not stop it.
    public func send(_ request: CoARequest, to peer: CoAPeer) async -> CoAOutcome {
        await withCheckedContinuation { continuation in
            send(request, to: peer) { continuation.resume(returning: $0) }
        }
    }

    /// What happened so far.
    public var counters: CoACounters { engine.counters }

    /// Ends every request in hand with `refused(.shutDown)` and waits for that, unless called by a completion. May be called again.
    public func shutdown() {
        engine.stop()
        engine.awaitEnd()
    }
}

/// What the callers and the client's thread share.
final class CoAEngine: Sendable {
    private struct Mailbox {
        var arrived: [CoASubmission] = []
        var inHand = 0
        var isStopping = false
        var thread: pthread_t?
    }

    let socket: Int32
    let wakeUp: Int32
    private let queueLimit: Int
    private let mailbox = Mutex(Mailbox())
    private let tally = Mutex(CoACounters())
    private let ended = WaitFlag()

    init(socket: Int32, wakeUp: Int32, queueLimit: Int) {
        self.socket = socket
        self.wakeUp = wakeUp
        self.queueLimit = queueLimit
    }

    deinit {
        close(socket)
        close(wakeUp)
    }

    var counters: CoACounters { tally.withLock { $0 } }

    func count(_ change: (inout CoACounters) -> Void) {
        tally.withLock { change(&$0) }
    }

    /// Takes the request in, or says why not.
    func submit(_ submission: CoASubmission) -> CoARefusal? {
        let refusal = mailbox.withLock { mailbox -> CoARefusal? in
            if mailbox.isStopping { return .shutDown }
            if mailbox.inHand >= queueLimit { return .queueFull }
            mailbox.inHand += 1
            mailbox.arrived.append(submission)
            return nil
        }
        if refusal == nil { lm_eventfd_signal(wakeUp) }
        return refusal
    }

    /// Ends one request: room for another, then the caller's turn.
    func finish(_ submission: CoASubmission, _ outcome: CoAOutcome) {
        mailbox.withLock { $0.inHand -= 1 }
        submission.completion(outcome)
    }

    func stop() {
        mailbox.withLock { $0.isStopping = true }
        lm_eventfd_signal(wakeUp)
    }

    /// For the client's thread: what came in, and whether to end.
    func collect() -> (arrived: [CoASubmission], isStopping: Bool) {
        mailbox.withLock { mailbox in
            let arrived = mailbox.arrived
            mailbox.arrived = []
            return (arrived, mailbox.isStopping)
        }
    }

    func began() {
        let own = pthread_self()
        mailbox.withLock { $0.thread = own }
    }

    func end() { ended.signal() }

    func awaitEnd() {
        let thread = mailbox.withLock { $0.thread }
        if let thread, pthread_equal(thread, pthread_self()) != 0 { return }
        ended.wait()
        // The next caller need not wait either.
        ended.signal()
    }
}
