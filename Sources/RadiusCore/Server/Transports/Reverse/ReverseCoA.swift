internal import CLinux
import Synchronization

/// CoA and Disconnect over the connections of TLS and DTLS that NAS have opened to us, which reach those behind a firewall or an address
/// translator (draft-ietf-radext-reverse-coa).
///
/// Knows the connections of this node and hands each request to the thread that has its connection. All methods may be called from any
/// thread.
public final class ReverseCoA: Sendable {
    /// A connection that requests can go over.
    public struct Connection: Sendable {
        public let transport: StreamTransport
        let source: IPAddress
        let worker: Int
        let handle: ConnectionHandle

        /// What signs and hides on it.
        public var secret: SharedSecret { transport == .dtls ? .ofDTLS : .ofTLS }
    }

    private struct State {
        /// By `aaa.nas.id`, the newest last.
        var connections: [Int64: [Connection]] = [:]
        /// By thread.
        var mail: [[ReverseRequest]]
        var isStopped: [Bool]
        var inHand = 0
    }

    /// Requests that may be in hand at once; more are refused.
    private static let limit = 65_536
    private let state: Mutex<State>
    private let tally = Mutex(CoACounters())
    /// Requests that no thread has taken yet.
    private let waiting = Atomic<Int>(0)
    private let wakeUps: [Int32]
    let timing: ReverseTiming

    /// - Parameters:
    ///   - wakeUps: what wakes each thread; open for ever.
    ///   - timing: when to give up.
    init(wakeUps: [Int32], timing: ReverseTiming) {
        self.wakeUps = wakeUps
        self.timing = timing
        state = Mutex(State(mail: wakeUps.map { _ in [] }, isStopped: wakeUps.map { _ in false }))
    }

    /// The newest connection of the NAS to this node, from `source` where that is given; nil while there is none.
    public func connection(of nas: Int64, from source: IPAddress? = nil) -> Connection? {
        state.withLock { $0.connections[nas]?.last { source == nil || $0.source == source } }
    }

    /// Sends `request` over `connection`; calls `completion` once, on the connection's thread or here, and it must not block.
    ///
    /// - Parameters:
    ///   - request: what to send.
    ///   - connection: of the NAS.
    ///   - signed: with Message-Authenticator.
    ///   - completion: hears of the end.
    public func send(
        _ request: CoARequest, over connection: Connection, signed: Bool = true, completion: @Sendable @escaping (CoAOutcome) -> Void
    ) {
        let order = ReverseRequest(
            request: request, connection: connection.handle, secret: connection.secret, isSigned: signed, completion: completion)
        let refusal = state.withLock { state -> CoARefusal? in
            if state.isStopped[connection.worker] { return .shutDown }
            if state.inHand >= Self.limit { return .queueFull }
            state.inHand += 1
            // Before the request is there: whoever takes it out has been counted for.
            waiting.add(1, ordering: .releasing)
            state.mail[connection.worker].append(order)
            return nil
        }
        if let refusal {
            tally.withLock { $0.refused += 1 }
            return completion(.refused(refusal))
        }
        lm_eventfd_signal(wakeUps[connection.worker])
    }

    /// The same, and waits for the end. Cancellation does not stop it.
    public func send(_ request: CoARequest, over connection: Connection, signed: Bool = true) async -> CoAOutcome {
        await withCheckedContinuation { continuation in
            send(request, over: connection, signed: signed) { continuation.resume(returning: $0) }
        }
    }

    /// What happened so far.
    public var counters: CoACounters { tally.withLock { $0 } }

    func count(_ change: (inout CoACounters) -> Void) { tally.withLock { change(&$0) } }

    /// A thread has another connection of a NAS.
    func add(_ connection: Connection, of nas: Int64) { state.withLock { $0.connections[nas, default: []].append(connection) } }

    /// It is gone.
    func remove(_ handle: ConnectionHandle, of nas: Int64, worker: Int) {
        state.withLock { state in
            state.connections[nas]?.removeAll { $0.handle == handle && $0.worker == worker }
            if state.connections[nas]?.isEmpty == true { state.connections[nas] = nil }
        }
    }

    /// What was handed in for the thread since the last call.
    func collect(_ worker: Int) -> [ReverseRequest] {
        waiting.load(ordering: .acquiring) > 0 ? empty(worker, stopping: false) : []
    }

    /// The thread takes nothing more: what it had not taken ends here.
    func stop(_ worker: Int) {
        for request in empty(worker, stopping: true) { finish(request, .refused(.shutDown)) }
    }

    private func empty(_ worker: Int, stopping: Bool) -> [ReverseRequest] {
        let mail = state.withLock { state in
            let mail = state.mail[worker]
            state.mail[worker] = []
            if stopping { state.isStopped[worker] = true }
            return mail
        }
        if !mail.isEmpty { waiting.subtract(mail.count, ordering: .relaxed) }
        return mail
    }

    /// Ends one request: room for another, then the caller's turn.
    func finish(_ request: ReverseRequest, _ outcome: CoAOutcome) {
        state.withLock { $0.inHand -= 1 }
        count { counters in
            switch outcome {
            case .ack: counters.acks += 1
            case .nak: counters.naks += 1
            case .timeout: counters.timeouts += 1
            case .refused: counters.refused += 1
            }
        }
        request.completion(outcome)
    }
}

/// A request as it was handed in.
struct ReverseRequest: Sendable {
    let request: CoARequest
    let connection: ConnectionHandle
    let secret: SharedSecret
    /// With Message-Authenticator.
    let isSigned: Bool
    let completion: @Sendable (CoAOutcome) -> Void
}

/// How long answers on a connection are waited for.
struct ReverseTiming: Sendable {
    /// Over TLS nothing gets lost, and nothing is sent twice (RFC 6613 §2.6.1).
    var streams = CoARetransmission.Timing(initial: 30_000_000_000, longest: 30_000_000_000, attempts: 1)
    var datagrams = CoARetransmission.Timing()
}
