internal import CLinux
import Glibc

/// One connection: its octets on their way in and out, and its deadlines. Confined to its worker's thread.
final class StreamConnection {
    let fd: Int32
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
    /// The handshake is not done.
    var isHandshaking: Bool
    /// Nothing more is read: too much waits for the peer.
    var isPaused = false
    /// It stands among those that have something to write.
    var isDirty = false
    /// What its epoll watches for.
    var interest: UInt32 = 0
    var framer = StreamFramer()
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
        fd: Int32, handle: ConnectionHandle, listener: StreamListener, peer: lm_address, client: UnsafePointer<ClientRow>,
        tls: TLSConversation?, now: UInt32
    ) {
        self.fd = fd
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

    /// Octets that wait for the peer.
    var outputCount: Int { replies.count + wire.count }
    /// Whether a packet has begun to arrive.
    var hasPartialPacket: Bool { framer.count > 0 }

    func reply(_ octets: UnsafeBufferPointer<UInt8>) { replies.append(octets) }

    /// What came of writing.
    enum Outcome {
        /// Everything is on its way.
        case done
        /// The socket takes no more now.
        case blocked
        case failed
    }

    /// Encrypts and sends what the socket takes, as many replies in one record as there are.
    ///
    /// - Returns: what came of it, and how many octets went.
    func write(now: UInt32) -> (outcome: Outcome, octets: Int) {
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
}
