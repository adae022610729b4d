internal import CLinux
internal import Glibc

/// A connection that we open to a RADIUS server, over TCP, TLS or DTLS (RFC 6613, RFC 6614, RFC 7360): for a home server, or a test.
///
/// It has no thread, clock or retries of its own. The owner waits until `fd` is ready for what `wantsToRead` and `wantsToWrite` say and calls
/// `attend`; it calls `tick` about once a second; and after an end it makes another, when it likes (`ReconnectDelay`). Identifiers, answers
/// and repetitions are the owner's: on one connection 256 requests can wait for their replies. Confined to one thread at a time.
///
/// Over DTLS the handshake repeats what gets lost of it, and nothing else does. A server that is gone is not seen: the owner asks after it,
/// and ends the connection when nothing comes.
public final class StreamClient {
    public enum Status: Equatable, Sendable {
        case connecting, handshaking
        /// Packets can be sent.
        case open
        case ended(Ending)
    }

    /// Why a connection is no more.
    public enum Ending: Equatable, Sendable, CustomStringConvertible {
        case closed
        case byPeer
        /// An errno of the system: refused, unreachable, reset.
        case system(Int32)
        case tls(TLSFailure)
        /// The server refused our certificate, which has not the usage of a client's.
        case ownCertificate(TLSFailure)
        /// No version of RADIUS that is allowed here.
        case version(RadiusNegotiation.Fault)
        /// The peer sent a packet of an impossible length.
        case badLength(Int)
        /// The peer sent so many octets of a packet that says it has more; over DTLS no more come.
        case cutPacket(Int)
        /// What the peer sent is no answer to what it was asked: the owner's finding.
        case badPacket
        /// No connection or no handshake within the time for it.
        case timeout
        /// The peer took nothing for too long.
        case stalled
        /// The peer said nothing for too long: the owner's finding.
        case silent

        /// A sentence without its full stop.
        public var description: String {
            switch self {
            case .closed: "we closed it"
            case .byPeer: "the server closed the connection"
            case .system(let number): String(cString: strerror(number))
            case .tls(let failure): failure.description
            case .ownCertificate(let failure):
                "our own certificate has not the usage clientAuth: `lastmile pki issue radsec` makes one that has; \(failure)"
            case .version(let fault): fault.description
            case .badLength(let length): "the server sent a packet of \(length) octets, where 20 to 4096 are possible"
            case .cutPacket(let octets): "the server sent \(octets) octets of a packet that has more"
            case .badPacket: "the server's packets are malformed, or their authenticators wrong: its shared secret is another"
            case .timeout: "no connection, or no TLS handshake, in time"
            case .stalled: "the server takes no more octets"
            case .silent: "the server answers nothing any more"
            }
        }
    }

    /// What came or went for nothing.
    public struct Losses: Sendable, Equatable {
        /// Datagrams of DTLS of which nothing came for the open connection: damaged, repeated, too long, or of another one.
        public var passedOver = 0
        /// Datagrams of DTLS that the system did not take.
        public var unsent = 0
        /// Replies over RADIUS/1.1 for whose Tokens nothing waited.
        public var unmatched = 0
        /// Others over RADIUS/1.1 whose attributes lie about their lengths.
        public var malformed = 0
        /// Identifiers of requests whose replies over RADIUS/1.1 are longer than those of RADIUS/1.0 can be. They wait no more.
        public var tooLong: [UInt8] = []
    }

    /// What one connection may take.
    public struct Bounds: Sendable {
        /// From the start to the end of the handshake.
        public var openSeconds = 10
        /// In which the server takes none of the octets that wait for it.
        public var stallSeconds = 30
        /// Octets that may wait for the server, at least 8192.
        public var waitingOctets = 65_536

        public init() {}
    }

    public internal(set) var status = Status.connecting
    /// What is spoken; nil before there is a connection.
    public internal(set) var version: RadiusVersions?
    /// To be waited for; -1 after the end.
    public private(set) var fd: Int32 = -1
    /// The server's certificate over TLS, once there is a connection.
    public var peer: CertificateDescription? { tls?.peer }
    var losses = Losses()
    let tls: TLSConversation?
    /// Over DTLS: what goes and comes is whole datagrams.
    let isDatagram: Bool
    /// Its dictionary is the owner's to renew.
    var negotiation: RadiusNegotiation?
    /// Of RADIUS/1.1.
    var tokens: ClientTokens?
    private let bounds: Bounds
    private let began: UInt32
    var taken: UInt32
    private var framer = StreamFramer()
    var packets = OutputQueue()
    /// What the socket gets next; over DTLS one datagram.
    var wire = OutputQueue()
    private static let readOctets = 16_384

    /// Begins to connect.
    ///
    /// - Parameters:
    ///   - address: of the server.
    ///   - port: of the server; 2083 is usual over TLS and DTLS.
    ///   - context: a client's, with a certificate, for TLS, or for DTLS when it is for datagrams; nil for plain TCP.
    ///   - serverName: the DNS name or address that the server's certificate must have; nil takes any name that is trusted.
    ///   - negotiation: the versions of RADIUS that are offered over TLS, and must have 1.0 among them over DTLS; nil offers none, which is
    ///     RADIUS/1.0.
    ///   - bounds: of time and memory.
    ///   - nowSeconds: any clock that never falls; the same for all calls.
    public init(
        to address: IPAddress, port: UInt16, _ context: TLSContext?, serverName: String? = nil, negotiation: RadiusNegotiation? = nil,
        bounds: Bounds = Bounds(), nowSeconds: UInt32
    ) {
        self.bounds = bounds
        self.negotiation = negotiation
        (began, taken) = (nowSeconds, nowSeconds)
        isDatagram = context?.settings.isDatagram == true
        var failure: TLSFailure?
        var conversation: TLSConversation?
        do throws(TLSFailure) {
            let offered = negotiation?.versions.applicationProtocols ?? []
            let protocols = ApplicationProtocols.possible(offered, over: isDatagram ? .tls12 : .tls13)
            if let context { conversation = try TLSConversation(context, serverName: serverName, offering: protocols) }
        } catch {
            failure = error
        }
        tls = conversation
        if let failure {
            status = .ended(.tls(failure))
            return
        }
        if isDatagram, let negotiation, !negotiation.versions.contains(.v10) {
            status = .ended(.version(.overDatagrams))
            return
        }
        var peer = address.datagramAddress(port: port)
        let opened = isDatagram ? lm_udp_connect(&peer, Self.datagramBufferOctets) : lm_tcp_connect(&peer)
        guard opened >= 0 else {
            status = .ended(.system(-opened))
            return
        }
        fd = opened
        if isDatagram { shakeHands() }
    }

    deinit { if fd >= 0 { Glibc.close(fd) } }

    public var wantsToRead: Bool { status == .open || status == .handshaking }
    public var wantsToWrite: Bool { status == .connecting || !wire.isEmpty || !packets.isEmpty || (tls?.outputCount ?? 0) > 0 }
    /// Octets that wait for the server.
    public var waitingOctets: Int { packets.count + wire.count }

    /// Lets `packet`, a whole RADIUS packet, go to the server at the next `attend`. It is one of RADIUS/1.0, whatever is spoken, with the
    /// secret of `negotiation`; over RADIUS/1.1 its identifier and authenticator stay here, for the reply.
    ///
    /// - Returns: false when the connection is not open, or too much waits already, or the packet is none that can be sent.
    public func send(_ packet: [UInt8]) -> Bool {
        precondition(!isDatagram || packet.count >= 20 && packet.count == Int(packet[2]) << 8 | Int(packet[3]), "not one whole packet")
        guard status == .open, waitingOctets + packet.count <= max(8192, bounds.waitingOctets) else { return false }
        guard tokens != nil, let negotiation else {
            packets.append(packet)
            return true
        }
        guard let translated = tokens?.request(packet.span, negotiation.dictionary) else { return false }
        packets.append(translated)
        return true
    }

    /// Goes on, when `fd` is ready or something is to be sent.
    ///
    /// - Returns: the packets that arrived, whole and of 20...4096 octets; what they say is not checked. There may be some also when the
    ///   connection has just ended. They are of RADIUS/1.0, whatever is spoken.
    public func attend(nowSeconds: UInt32) -> [[UInt8]] {
        if status == .connecting { finishConnecting(nowSeconds) }
        write(nowSeconds)
        guard wantsToRead else { return [] }
        let found = isDatagram ? receiveDatagrams() : read()
        write(nowSeconds)
        return found
    }

    /// Ends what takes too long, and repeats what a handshake of DTLS lost.
    public func tick(nowSeconds: UInt32) {
        repeatFlight()
        switch status {
        case .connecting, .handshaking:
            if nowSeconds &- began >= UInt32(bounds.openSeconds) { end(.timeout) }
        case .open:
            if waitingOctets > 0, nowSeconds &- taken >= UInt32(bounds.stallSeconds) { end(.stalled) }
        case .ended: break
        }
    }

    /// Says goodbye and ends, by itself or because of what the owner has found.
    public func close(nowSeconds: UInt32, because ending: Ending = .closed) {
        write(nowSeconds)
        tls?.close()
        write(nowSeconds)
        end(ending)
    }

    /// What was for nothing since the last call.
    public func takeLosses() -> Losses {
        defer { losses = Losses() }
        return losses
    }

    /// Waits for `fd`, at most so long, and attends to it; for an owner that has nothing else to wait for.
    public func wait(milliseconds: Int32, nowSeconds: UInt32) -> [[UInt8]] {
        guard fd >= 0 else { return [] }
        var waiting = pollfd(fd: fd, events: 0, revents: 0)
        if wantsToRead { waiting.events |= Int16(POLLIN) }
        if wantsToWrite { waiting.events |= Int16(POLLOUT) }
        let isShaking = isDatagram && status == .handshaking
        let isReady = poll(&waiting, 1, isShaking ? min(milliseconds, Self.flightMilliseconds) : milliseconds) > 0
        repeatFlight()
        return isReady ? attend(nowSeconds: nowSeconds) : []
    }

    private func finishConnecting(_ now: UInt32) {
        var waiting = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
        guard poll(&waiting, 1, 0) > 0 else { return }
        let problem = lm_socket_error(fd)
        guard problem == 0 else { return end(.system(-problem)) }
        taken = now
        guard let tls else {
            (status, version) = (.open, .v10)
            return
        }
        status = .handshaking
        tls.start()
        settle(tls)
    }

    private func read() -> [[UInt8]] {
        var octets = [UInt8](repeating: 0, count: Self.readOctets)
        let count = lm_stream_receive(fd, &octets, octets.count)
        if count == -Int(EAGAIN) { return [] }
        guard count > 0 else {
            end(count == 0 ? .byPeer : .system(Int32(-count)))
            return []
        }
        guard let tls else {
            framer.append(octets.span.extracting(0..<count))
            return takePackets()
        }
        tls.receive(octets.span.extracting(0..<count))
        let clear = tls.read()
        framer.append(clear.span)
        if status == .handshaking, tls.state == .established { agree(tls) }
        let found = takePackets()
        settle(tls)
        return found
    }

    /// Sees what has become of TLS.
    func settle(_ tls: TLSConversation) {
        switch tls.state {
        case .handshaking: break
        case .established: if status == .handshaking { agree(tls) }
        case .closed:
            // A goodbye is answered by one (RFC 5246 §7.2.1).
            tls.close()
            sendLast(tls)
            end(.byPeer)
        case .failed(let failure):
            sendLast(tls)
            end(Self.isAboutUsage(failure, tls) ? .ownCertificate(failure) : .tls(failure))
        }
    }

    private static func isAboutUsage(_ failure: TLSFailure, _ tls: TLSConversation) -> Bool {
        guard case .alert(let number) = failure, TLSAlert.mayBeAboutUsage(number) else { return false }
        return tls.context.certificates.first?.isForClients == false
    }

    /// Sends what TLS has to say at the end, as far as the socket takes it.
    func sendLast(_ tls: TLSConversation) {
        wire.append(tls.takeOutput())
        guard fd >= 0, !wire.isEmpty else { return }
        _ = wire.withOctets { lm_stream_send(fd, $0.baseAddress, $0.count) }
    }

    private func takePackets() -> [[UInt8]] {
        var found: [[UInt8]] = []
        guard version != nil else { return found }
        do throws(StreamFramer.BadLength) {
            while let length = try framer.next() {
                var packet = [UInt8](repeating: 0, count: length)
                packet.withUnsafeMutableBufferPointer { buffer in
                    if let start = buffer.baseAddress { framer.take(length, into: start) }
                }
                if let packet = translated(packet) { found.append(packet) }
            }
        } catch {
            end(.badLength(error.length))
        }
        return found
    }

    private func write(_ now: UInt32) {
        if isDatagram { return writeDatagrams(now) }
        while status == .handshaking || status == .open {
            if wire.isEmpty { refill() }
            guard !wire.isEmpty else {
                taken = now
                return
            }
            let count = wire.withOctets { lm_stream_send(fd, $0.baseAddress, $0.count) }
            if count == -Int(EAGAIN) { return }
            guard count > 0 else { return end(.system(Int32(-count))) }
            wire.removeFirst(count)
            taken = now
        }
    }

    private func refill() {
        guard let tls else {
            swap(&wire, &packets)
            return
        }
        if tls.outputCount == 0, status == .open, !packets.isEmpty { tls.write(packets.take(limit: Self.readOctets)) }
        wire.append(tls.takeOutput())
    }

    func end(_ ending: Ending) {
        if case .ended = status { return }
        status = .ended(ending)
        if fd >= 0 { Glibc.close(fd) }
        fd = -1
        packets.removeAll()
        wire.removeAll()
    }
}
