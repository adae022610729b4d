import CLinux
import Glibc
import Synchronization

/// What waits in the kernel for the workers, and what it lost.
public struct ReceiveQueue: Sendable, Equatable {
    /// Memory taken now, the kernel's overhead included.
    public var octets: UInt64 = 0
    /// Memory there is; `net.core.rmem_max` may grant less than was asked for.
    public var limit: UInt64 = 0
    /// Datagrams lost to a full queue since the start. No worker ever saw them.
    public var dropped: UInt64 = 0

    fileprivate mutating func add(_ state: lm_receive_queue) {
        octets += UInt64(state.octets)
        limit += UInt64(state.limit)
        dropped += UInt64(state.dropped)
    }
}

/// The sockets of all workers, each pair closed when its worker ends.
final class WorkerSockets: Sendable {
    struct Pair: Sendable {
        let authentication: Int32
        let accounting: Int32
    }

    let pairs: [Pair]
    /// By worker. The lock keeps a descriptor open while its state is read.
    private let isOpen: Mutex<[Bool]>

    init(_ opened: [(authentication: Int32, accounting: Int32)]) {
        pairs = opened.map { Pair(authentication: $0.authentication, accounting: $0.accounting) }
        isOpen = Mutex(Array(repeating: true, count: opened.count))
    }

    deinit {
        for position in pairs.indices { close(position) }
    }

    /// Closes a worker's sockets, once.
    func close(_ position: Int) {
        isOpen.withLock { isOpen in
            guard isOpen[position] else { return }
            isOpen[position] = false
            Glibc.close(pairs[position].authentication)
            Glibc.close(pairs[position].accounting)
        }
    }

    var receiveQueues: (authentication: ReceiveQueue, accounting: ReceiveQueue) {
        isOpen.withLock { isOpen in
            var queues = (authentication: ReceiveQueue(), accounting: ReceiveQueue())
            for (position, pair) in pairs.enumerated() where isOpen[position] {
                var state = lm_receive_queue()
                if lm_receive_queue_state(pair.authentication, &state) == 0 { queues.authentication.add(state) }
                if lm_receive_queue_state(pair.accounting, &state) == 0 { queues.accounting.add(state) }
            }
            return queues
        }
    }
}
