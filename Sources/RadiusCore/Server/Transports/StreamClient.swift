internal import CLinux
internal import Glibc

/// A connection that we open to a RADIUS server, over TCP or TLS (RFC 6613, RFC 6614): for a home server, or a test.
///
/// It has no thread, clock or retries of its own. The owner waits until `fd` is ready for what `wantsToRead` and `wantsToWrite` say and calls
/// `attend`; it calls `tick` about once a second; and after an end it makes another, when it likes (`ReconnectDelay`). Identifiers, answers
/// and repetitions are the owner's: on one connection 256 requests can wait for their replies. Confined to one thread at a time.
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
        /// No version of RADIUS that is allowed here.
        case version(RadiusNegotiation.Fault)
        /// The peer sent a packet of an impossible length.
        case badLength(Int)
        /// No connection or no handshake within the time for it.
        case timeout
        /// The peer took nothing for too long.
        case stalled

        /// A sentence without its full stop.
        public var description: String {
            switch self {
            case .closed: "we closed it"
            case .byPeer: "the server closed the connection"
            case .system(let number): String(cString: strerror(number))
            case .tls(let failure): failure.description
            case .version(let fault): fault.description
            case .badLength(let length): "the server sent a packet of \(length) octets, where 20 to 4096 are possible"
            case .timeout: "no connection, or no TLS handshake, in time"
            case .stalled: "the server takes no more octets"
            }
        }
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

    /// Replies over RADIUS/1.1 that were dropped.
    public struct Dropped: Equatable, Sendable {
        /// Nothing waited for their Tokens.
        public var unmatched = 0
        public var malformed = 0
    }

    public private(set) var status = Status.connecting
    /// What is spoken; nil before there is a connection.
    public private(set) var version: RadiusVersions?
    /// To be waited for; -1 after the end.
    public private(set) var fd: Int32 = -1
    /// The server's certificate over TLS, once there is a connection.
    public var peer: CertificateDescription? { tls?.peer }
    private let tls: TLSConversation?
    private let negotiation: RadiusNegotiation?
    /// Of RADIUS/1.1.
    private var tokens: ClientTokens?
    private var dropped = Dropped()
    private let bounds: Bounds
    private let began: UInt32
    private var taken: UInt32
    private var framer = StreamFramer()
    private var packets = OutputQueue()
    private var wire = OutputQueue()
    private static let readOctets = 16_384

    /// Begins to connect.
    ///
    /// - Parameters:
    ///   - address: of the server.
    ///   - port: of the server; 2083 is usual over TLS.
    ///   - context: a client's, with a certificate, for TLS; nil for plain TCP.
    ///   - serverName: the DNS name or address that the server's certificate must have; nil takes any name that is trusted.
    ///   - negotiation: the versions of RADIUS that are offered over TLS; nil offers none, which is RADIUS/1.0.
    ///   - bounds: of time and memory.
    ///   - nowSeconds: any clock that never falls; the same for all calls.
    public init(
        to address: IPAddress, port: UInt16, _ context: TLSContext?, serverName: String? = nil, negotiation: RadiusNegotiation? = nil,
        bounds: Bounds = Bounds(), nowSeconds: UInt32
    ) {
        self.bounds = bounds
        self.negotiation = negotiation
        (began, taken) = (nowSeconds, nowSeconds)
        var failure: TLSFailure?
        var conversation: TLSConversation?
        do throws(TLSFailure) {
            let protocols = negotiation?.versions.applicationProtocols ?? []
            if let context { conversation = try TLSConversation(context, serverName: serverName, offering: protocols) }
        } catch {
            failure = error
        }
        tls = conversation
        if let failure {
            status = .ended(.tls(failure))
            return
        }
        var peer = address.datagramAddress(port: port)
        let opened = lm_tcp_connect(&peer)
        if opened < 0 { status = .ended(.system(-opened)) } else { fd = opened }
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
        guard status == .open, waitingOctets + packet.count <= max(8192, bounds.waitingOctets) else { return false }
        guard tokens != nil else {
            packets.append(packet)
            return true
        }
        guard let translated = tokens?.request(packet.span) else { return false }
        packets.append(translated)
        return true
    }

    /// What was dropped since the last call.
    public func takeDropped() -> Dropped {
        defer { dropped = Dropped() }
        return dropped
    }

    /// Goes on, when `fd` is ready or something is to be sent.
    ///
    /// - Returns: the packets that arrived, whole and of 20...4096 octets; what they say is not checked. There may be some also when the
    ///   connection has just ended. They are of RADIUS/1.0, whatever is spoken.
    public func attend(nowSeconds: UInt32) -> [[UInt8]] {
        if status == .connecting { finishConnecting(nowSeconds) }
        write(nowSeconds)
        guard wantsToRead else { return [] }
        let found = read()
        write(nowSeconds)
        return found
    }

    /// Ends what takes too long.
    public func tick(nowSeconds: UInt32) {
        switch status {
        case .connecting, .handshaking:
            if nowSeconds &- began >= UInt32(bounds.openSeconds) { end(.timeout) }
        case .open:
            if waitingOctets > 0, nowSeconds &- taken >= UInt32(bounds.stallSeconds) { end(.stalled) }
        case .ended: break
        }
    }

    /// Says goodbye and ends.
    public func close(nowSeconds: UInt32) {
        write(nowSeconds)
        tls?.close()
        write(nowSeconds)
        end(.closed)
    }

    /// Waits for `fd`, at most so long, and attends to it; for an owner that has nothing else to wait for.
    public func wait(milliseconds: Int32, nowSeconds: UInt32) -> [[UInt8]] {
        guard fd >= 0 else { return [] }
        var waiting = pollfd(fd: fd, events: 0, revents: 0)
        if wantsToRead { waiting.events |= Int16(POLLIN) }
        if wantsToWrite { waiting.events |= Int16(POLLOUT) }
        guard poll(&waiting, 1, milliseconds) > 0 else { return [] }
        return attend(nowSeconds: nowSeconds)
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

    private func settle(_ tls: TLSConversation) {
        switch tls.state {
        case .handshaking: break
        case .established: if status == .handshaking { agree(tls) }
        case .closed: end(.byPeer)
        case .failed(let failure):
            wire.append(tls.takeOutput())
            _ = wire.withOctets { lm_stream_send(fd, $0.baseAddress, $0.count) }
            end(.tls(failure))
        }
    }

    /// Takes up the version of RADIUS that the server chose, or ends; that is then told to the server (RFC 9765 §3.3.1).
    private func agree(_ tls: TLSConversation) {
        guard let negotiation else {
            (status, version) = (.open, .v10)
            return
        }
        do throws(RadiusNegotiation.Fault) {
            let agreed = try negotiation.agreed(tls.applicationProtocol, over: tls.protocolVersion)
            if agreed == .v11 { tokens = ClientTokens(negotiation) }
            (status, version) = (.open, agreed)
        } catch {
            tls.write(TokenPacket.versionDemanded)
            tls.close()
            wire.append(tls.takeOutput())
            _ = wire.withOctets { lm_stream_send(fd, $0.baseAddress, $0.count) }
            end(.version(error))
        }
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

    /// A reply as RADIUS/1.0 has it; nil when it is dropped.
    private func translated(_ packet: [UInt8]) -> [UInt8]? {
        guard tokens != nil else { return packet }
        do throws(ClientTokens.Refusal) {
            return try tokens?.reply(packet.span)
        } catch .unmatched {
            dropped.unmatched += 1
        } catch {
            dropped.malformed += 1
        }
        return nil
    }

    private func write(_ now: UInt32) {
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

    private func end(_ ending: Ending) {
        if case .ended = status { return }
        status = .ended(ending)
        if fd >= 0 { Glibc.close(fd) }
        fd = -1
        packets.removeAll()
        wire.removeAll()
    }
}
