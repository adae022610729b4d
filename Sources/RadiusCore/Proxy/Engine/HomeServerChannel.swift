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
    /// For each identifier the last requests that had it before, the newest last.
    private var former = [[FormerRequest]](repeating: [], count: 256)
    /// A server that is slow for long, and asked as much as it can be, answers what is several uses of an identifier ago.
    private static let formerLimit = 4

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

    /// Frees an identifier; what else comes as a reply to `request`, which was sent with it, is known from then on.
    func release(_ identifier: UInt8, after request: ForwardedRequest? = nil) {
        serials[Int(identifier)] = 0
        identifiers.release(identifier)
        guard let request else { return }
        if former[Int(identifier)].count == Self.formerLimit { former[Int(identifier)].removeFirst() }
        former[Int(identifier)].append(FormerRequest(request))
    }

    /// Whether a packet of at least 20 octets is the reply to a request that had its identifier before: late, or a second one.
    func isLate(_ packet: [UInt8], secret: SharedSecret) -> Bool {
        former[Int(packet[1])].contains { $0.isAnswered(by: packet, secret: secret) }
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

    /// A request is on its way.
    func requested(at now: UInt64) { watch?.sent(at: now) }

    /// A Status-Server is on its way, to a server that has answered such or not.
    func asked(at now: UInt64, isAnswered: Bool) { watch?.asked(at: now, isAnswered: isAnswered) }

    /// What is to be done about an association of DTLS that is silent.
    func look(at now: UInt64) -> AssociationWatch.Action { watch?.tick(at: now) ?? .wait }

    /// Sends a packet; false when the system, or the connection, refuses it.
    func send(_ packet: [UInt8], to address: IPAddress, port: UInt16) -> Bool {
        if let stream { return stream.send(packet) }
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

/// By which a reply to a request that waits no more is known.
private struct FormerRequest {
    private let code: PacketCode
    private let authenticator: Digest16

    init(_ request: ForwardedRequest) {
        code = PacketCode(rawValue: request.octets[0])
        authenticator = request.authenticator
    }

    func isAnswered(by packet: [UInt8], secret: SharedSecret) -> Bool {
        let verdict = try? ReplyVerification.verify(
            packet.span, code: code, identifier: packet[1], authenticator: authenticator, secret: secret)
        return verdict != nil
    }
}
