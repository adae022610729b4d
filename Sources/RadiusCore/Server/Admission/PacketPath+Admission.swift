import CLinux
import Synchronization

/// Whether a known client's datagram is worked on at all. Stands before every check that costs something.
extension PacketPath {
    /// - Parameters:
    ///   - client: whose the datagram is, by what it says.
    ///   - datagram: as it arrived.
    ///   - service: the port it came to.
    /// - Returns: false when it is to be dropped; that is counted.
    mutating func admits(_ client: UnsafePointer<ClientRow>, _ datagram: UnsafePointer<lm_datagram>, on service: Service) -> Bool {
        let share = client.pointee.share
        let isFair = service == .authentication ? authenticationShare.admits(share) : accountingShare.admits(share)
        guard isFair else {
            counters.add(.shed)
            client.pointee.withClient { _ = $0.observation.shed.add(1, ordering: .relaxed) }
            return false
        }
        let limit = client.pointee.rateLimitPerSecond
        guard limit > 0, service == .authentication else { return true }
        guard datagram.pointee.count > 0, datagram.pointee.bytes[0] == PacketCode.accessRequest.rawValue else { return true }
        let now = nowNanoseconds
        let isAllowed = client.pointee.withClient { $0.observation.tokens.take(perSecond: limit, nowNanoseconds: now) }
        guard isAllowed else {
            counters.add(.rateLimited)
            let seconds = nowMicroseconds / 1_000_000
            client.pointee.withClient {
                _ = $0.observation.rateLimited.add(1, ordering: .relaxed)
                $0.observation.rateLimitedSeconds.store(seconds, ordering: .relaxed)
            }
            return false
        }
        return true
    }

    /// Takes note of a batch before it is handled: a full one may mean that more arrives than is answered.
    ///
    /// - Parameters:
    ///   - count: datagrams in the batch.
    ///   - fd: the socket they came from.
    ///   - service: of the socket.
    mutating func received(_ count: Int, from fd: Int32, on service: Service) {
        guard count >= Int(LM_BATCH) else {
            if service == .authentication { authenticationShare.observeEmpty() } else { accountingShare.observeEmpty() }
            return
        }
        // A client that is alone cannot crowd out another.
        guard snapshot.clients.clients.count > 1 else { return }
        var queue = lm_receive_queue()
        guard lm_receive_queue_state(fd, &queue) == 0 else { return }
        if service == .authentication {
            authenticationShare.observe(octets: queue.octets, limit: queue.limit)
        } else {
            accountingShare.observe(octets: queue.octets, limit: queue.limit)
        }
    }
}
