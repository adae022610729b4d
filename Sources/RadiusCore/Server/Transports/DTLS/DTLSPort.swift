import CLinux
import Glibc

/// One worker's socket of DTLS: what arrives, what leaves, and whose datagrams belong to which connection. Confined to its thread.
final class DTLSPort {
    /// A connection, and the random of the ClientHello that it began with.
    struct Session {
        let handle: ConnectionHandle
        let random: SIMD32<UInt8>
    }

    /// A peer's session stays until its new attempt has proven itself (RFC 6347 §4.2.8).
    struct Sessions {
        var established: Session?
        var handshaking: Session?
        fileprivate var isEmpty: Bool { established == nil && handshaking == nil }
    }

    let listener: StreamListener
    private let cookies: DTLSCookies
    private let counters: WorkerCounters
    private var sessions: [DTLSPeer: Sessions] = [:]
    private let arrivals = DatagramSlots(capacity: 32, octets: DTLSPort.arrivalOctets)
    private var departures = DatagramSlots(capacity: Int(LM_BATCH), octets: DTLSPort.departureOctets)
    /// Datagrams of handshakes, in the order of their coming, from `nextWaiting` on.
    private var waiting: [(handle: ConnectionHandle, octets: [UInt8])] = []
    private var nextWaiting = 0

    /// A record of the greatest length and its header.
    static let arrivalOctets = 13 + 16_384 + 256
    /// A packet of 4,096 octets with all that DTLS adds to it.
    static let departureOctets = 4_096 + 256
    /// Datagrams of handshakes that may wait: some for each of the usual bound of handshakes.
    private static let waitingLimit = 2048
    /// Of them, one connection's: a flight has fewer.
    private static let waitingLimitOfOne = 32

    init(_ listener: StreamListener, cookies: DTLSCookies, counters: WorkerCounters) {
        self.listener = listener
        self.cookies = cookies
        self.counters = counters
    }

    // MARK: Arrivals

    /// Takes a few datagrams from the kernel; they stay in their places until the next call.
    func receive() -> UnsafeBufferPointer<lm_datagram> {
        let count = lm_receive(listener.fd, arrivals.slots, UInt32(arrivals.capacity))
        return UnsafeBufferPointer(start: UnsafePointer(arrivals.slots), count: Int(max(0, count)))
    }

    subscript(peer: DTLSPeer) -> Sessions {
        get { sessions[peer] ?? Sessions() }
        set { sessions[peer] = newValue.isEmpty ? nil : newValue }
    }

    /// Peers that have a session or a handshake.
    var peerCount: Int { sessions.count }

    /// Whatever `peer` has with that connection is over.
    func forget(_ handle: ConnectionHandle, of peer: DTLSPeer) {
        var mine = self[peer]
        if mine.established?.handle == handle { mine.established = nil }
        if mine.handshaking?.handle == handle { mine.handshaking = nil }
        self[peer] = mine
    }

    /// The handshake of `peer` has ended well: it is its session from now on.
    ///
    /// - Returns: the connection that it had before.
    func establish(_ handle: ConnectionHandle, of peer: DTLSPeer) -> ConnectionHandle? {
        var mine = self[peer]
        guard let session = mine.handshaking, session.handle == handle else { return nil }
        let before = mine.established?.handle
        mine.established = session
        mine.handshaking = nil
        self[peer] = mine
        return before
    }

    // MARK: Handshakes

    /// Whether the ClientHello has the cookie that its sender was given.
    func accepts(_ hello: DTLSClientHello, from peer: DTLSPeer, nowSeconds: UInt32) -> Bool {
        cookies.accepts(hello, from: peer, nowSeconds: nowSeconds)
    }

    /// Asks the sender of a ClientHello for a cookie; nothing of it is kept.
    ///
    /// - Returns: octets that were sent.
    func ask(_ hello: DTLSClientHello, of peer: DTLSPeer, at address: lm_address, nowSeconds: UInt32) -> Int {
        let request = hello.verifyRequest(cookie: cookies.cookie(for: peer, hello, nowSeconds: nowSeconds))
        return send(to: address, peer) { place in
            guard let start = place.baseAddress else { return 0 }
            request.withUnsafeBufferPointer { octets in
                if let from = octets.baseAddress { start.update(from: from, count: octets.count) }
            }
            return request.count
        }
    }

    var hasWaiting: Bool { nextWaiting < waiting.count }
    /// Whether one more datagram can wait.
    var canWait: Bool { waiting.count - nextWaiting < Self.waitingLimit }

    /// Keeps a datagram until there is time for handshakes.
    ///
    /// - Returns: false when too many wait, or too many of that connection.
    func wait(_ octets: Span<UInt8>, of connection: StreamConnection) -> Bool {
        guard canWait, connection.waitingDatagrams < Self.waitingLimitOfOne else { return false }
        connection.waitingDatagrams += 1
        waiting.append((connection.handle, octets.withUnsafeBufferPointer { Array($0) }))
        return true
    }

    /// The datagram that has waited longest.
    func takeWaiting() -> (handle: ConnectionHandle, octets: [UInt8])? {
        guard hasWaiting else { return nil }
        let taken = waiting[nextWaiting]
        nextWaiting += 1
        if !hasWaiting {
            waiting.removeAll(keepingCapacity: waiting.capacity <= 64)
            nextWaiting = 0
        } else if nextWaiting >= 1024 {
            waiting.removeFirst(nextWaiting)
            nextWaiting = 0
        }
        return taken
    }

    // MARK: Departures

    /// Sends all that `tls` has for a peer.
    ///
    /// - Returns: octets.
    func send(_ tls: TLSConversation, to address: lm_address, _ peer: DTLSPeer) -> Int {
        var octets = 0
        while true {
            let count = send(to: address, peer) { tls.takeDatagram(into: $0) }
            guard count > 0 else { return octets }
            octets += count
        }
    }

    /// Lets a datagram that `fill` writes leave with the next `flush`; one of 0 octets does not.
    private func send(to address: lm_address, _ peer: DTLSPeer, _ fill: (UnsafeMutableBufferPointer<UInt8>) -> Int) -> Int {
        if departures.isFull { flush() }
        let slot = departures.slots + departures.count
        let count = fill(UnsafeMutableBufferPointer(start: slot.pointee.bytes, count: Int(slot.pointee.capacity)))
        guard count > 0 else { return 0 }
        slot.pointee.count = UInt32(count)
        slot.pointee.peer = address
        peer.writeLocal(to: slot)
        departures.count += 1
        return count
    }

    /// Hands what has gathered to the kernel.
    func flush() {
        guard departures.count > 0 else { return }
        let sent = lm_send(listener.fd, departures.slots, UInt32(departures.count))
        let lost = departures.count - Int(max(0, sent))
        if lost > 0 { counters.add(.sendFailures, UInt64(lost)) }
        departures.count = 0
    }
}
