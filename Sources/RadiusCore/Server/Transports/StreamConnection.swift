internal import CLinux
import Glibc

/// One connection: its octets on their way in and out, and its deadlines. Confined to its worker's thread.
final class StreamConnection {
    let carrier: StreamCarrier
    let handle: ConnectionHandle
    let transport: StreamTransport
    /// The kind of packets that its port takes; nil takes all.
    let service: Service?
    let peer: lm_address
    let source: IPAddress
    let client: Int64
    let clientName: String
    /// Nil over TCP.
    let tls: TLSConversation?
    /// Where RADIUS/1.1 is spoken.
    var tokens: ServerTokens?
    /// What waits for answers of the NAS; nil until it was asked something.
    var reverse: ReverseExchanges?
    /// The handshake is not done.
    var isHandshaking: Bool
    /// Nothing more is read: too much waits for the peer.
    var isPaused = false
    /// It stands among those that have something to write.
    var isDirty = false
    /// What its epoll watches for.
    var interest: UInt32 = 0
    var framer = StreamFramer()
    /// That came over datagrams.
    var records: UInt64 = 0
    /// Datagrams that wait for time for handshakes.
    var waitingDatagrams = 0
    /// Replies in clear.
    private(set) var replies = OutputQueue()
    /// What the socket gets next.
    private var wire = OutputQueue()

    // Monotonic seconds.
    let began: UInt32
    var lastPacket: UInt32
    /// When the packet began of which not all is there.
    var packetBegan: UInt32?
    /// When the peer last took something, or had nothing to take.
    private(set) var lastTaken: UInt32

    init(
        _ carrier: StreamCarrier, handle: ConnectionHandle, listener: StreamListener, peer: lm_address, client: UnsafePointer<ClientRow>,
        tls: TLSConversation?, now: UInt32
    ) {
        self.carrier = carrier
        self.handle = handle
        transport = listener.transport
        service = listener.service
        self.peer = peer
        var address = peer
        source = withUnsafeBytes(of: &address.octets) { IPAddress(octets: $0) }
        self.client = client.pointee.id
        clientName = client.pointee.client.name
        self.tls = tls
        isHandshaking = tls != nil
        (began, lastPacket, lastTaken) = (now, now, now)
    }

    /// Of its own socket; -1 where it shares a port.
    var fd: Int32 { if case .socket(let fd) = carrier { fd } else { -1 } }

    /// Octets that wait for the peer.
    var outputCount: Int { replies.count + wire.count }
    /// Whether a packet has begun to arrive.
    var hasPartialPacket: Bool { framer.count > 0 }

    func reply(_ octets: UnsafeBufferPointer<UInt8>) { replies.append(octets) }

    func reply(_ octets: [UInt8]) { replies.append(octets) }

    /// What came of writing.
    enum Outcome {
        /// Everything is on its way.
        case done
        /// The socket takes no more now.
        case blocked
        case failed
    }

    /// Encrypts and sends what the socket takes, as many replies in one record as there are; over datagrams each in its own.
    ///
    /// - Returns: what came of it, and how many octets went.
    func write(now: UInt32) -> (outcome: Outcome, octets: Int) {
        if case .datagrams(let port, let peer) = carrier {
            lastTaken = now
            return (.done, writeDatagrams(to: port, peer))
        }
        var sent = 0
        while true {
            if wire.isEmpty { refill() }
            guard !wire.isEmpty else {
                lastTaken = now
                return (.done, sent)
            }
            let count = wire.withOctets { lm_stream_send(fd, $0.baseAddress, $0.count) }
            if count == -Int(EAGAIN) { return (.blocked, sent) }
            guard count > 0 else { return (.failed, sent) }
            wire.removeFirst(count)
            sent += count
            lastTaken = now
        }
    }

    /// Octets of one TLS record at most.
    private static let recordOctets = 16_384

    private func refill() {
        guard let tls else {
            swap(&wire, &replies)
            return
        }
        if tls.outputCount == 0, !isHandshaking, !replies.isEmpty { tls.write(replies.take(limit: Self.recordOctets)) }
        wire.append(tls.takeOutput())
    }

    /// Sends what TLS has by itself, then each reply (RFC 7360 §2.1). What the kernel does not take is lost, as over UDP.
    private func writeDatagrams(to port: DTLSPort, _ address: DTLSPeer) -> Int {
        guard let tls else { return 0 }
        var sent = port.send(tls, to: peer, address)
        guard !isHandshaking else { return sent }
        while !replies.isEmpty {
            let length = replies.withOctets { Int($0[2]) << 8 | Int($0[3]) }
            // A conversation that has ended takes none; nor does anybody wait for them.
            guard tls.write(replies.take(limit: length)) else {
                replies.removeAll()
                break
            }
            sent += port.send(tls, to: peer, address)
        }
        return sent
    }
}
