internal import CLinux
import Glibc

/// One way to a home server with its own 256 identifiers: a UDP socket, or a connection. One thread.
final class HomeServerChannel {
    /// What it is watched under.
    let key: UInt64
    private(set) var fd: Int32
    let stream: StreamClient?
    /// Of an open association of DTLS.
    private(set) var watch: AssociationWatch?
    /// When the connection was opened; nil before.
    private(set) var openedAt: UInt64?
    private var identifiers: IdentifierSpace
    /// For each identifier the number of the exchange that uses it; 0 where none does.
    private var serials = [UInt64](repeating: 0, count: 256)

    /// A socket of any free port; nil when the system gives none.
    init?(datagramsUnder key: UInt64) {
        self.key = key
        stream = nil
        identifiers = IdentifierSpace(startingAt: .random(in: 0...255))
        fd = lm_udp_open(IPAddress(high: 0, low: 0).octets, 0, 0, 1 << 20)
        if fd < 0 { return nil }
    }

    init(_ stream: StreamClient, key: UInt64) {
        self.key = key
        self.stream = stream
        fd = stream.fd
        identifiers = IdentifierSpace(startingAt: .random(in: 0...255))
    }

    deinit { if stream == nil, fd >= 0 { Glibc.close(fd) } }

    /// Whether a request can be sent.
    var isOpen: Bool { stream.map { $0.status == .open } ?? true }
    var hasRoom: Bool { isOpen && !identifiers.isFull }
    var count: Int { identifiers.count }

    func claim(for serial: UInt64) -> UInt8? {
        guard let identifier = identifiers.claim() else { return nil }
        serials[Int(identifier)] = serial
        return identifier
    }

    func release(_ identifier: UInt8) {
        serials[Int(identifier)] = 0
        identifiers.release(identifier)
    }

    /// The exchange that uses `identifier`.
    func serial(of identifier: UInt8) -> UInt64? {
        let serial = serials[Int(identifier)]
        return serial == 0 ? nil : serial
    }

    /// All exchanges in hand.
    var all: [UInt64] { serials.filter { $0 != 0 } }

    /// The connection is open from now on.
    func opened(at now: UInt64, _ watch: AssociationWatch?) {
        openedAt = now
        self.watch = watch
    }

    /// Something came over the connection.
    func heard(at now: UInt64) { watch?.heard(at: now) }

    /// A Status-Server is on its way.
    func asked(at now: UInt64) { watch?.asked(at: now) }

    /// What is to be done about an association of DTLS that is silent.
    func look(at now: UInt64) -> AssociationWatch.Action { watch?.tick(at: now) ?? .wait }

    /// Sends a packet; false when the system, or the connection, refuses it.
    func send(_ packet: [UInt8], to address: IPAddress, port: UInt16, at now: UInt64) -> Bool {
        if let stream {
            // Also what the connection does not take any more finds no answer.
            watch?.sent(at: now)
            return stream.send(packet)
        }
        var packet = packet
        return packet.withUnsafeMutableBufferPointer { octets in
            var slot = lm_datagram()
            slot.bytes = octets.baseAddress
            slot.capacity = UInt32(octets.count)
            slot.count = UInt32(octets.count)
            slot.peer = address.datagramAddress(port: port)
            return lm_send(fd, &slot, 1) == 1
        }
    }
}
