import CLinux

/// One connection of one worker. A place that is used again has another generation, so what is late for a connection that is gone reaches
/// nobody.
struct ConnectionHandle: BitwiseCopyable, Hashable {
    let slot: UInt32
    /// Never 0.
    let generation: UInt32

    init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    init(number: UInt64) {
        slot = UInt32(truncatingIfNeeded: number)
        generation = UInt32(truncatingIfNeeded: number >> 32)
    }

    /// Both in one word.
    var number: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
}

/// Which connection a request came on. It travels in the request's slot, where a datagram has the address that it was sent to, and from
/// there into its reply, wherever that waits.
struct StreamOrigin: BitwiseCopyable {
    let connection: ConnectionHandle
    let transport: StreamTransport
    /// Of a connection that speaks RADIUS/1.1.
    let mark: RequestMark?

    init(connection: ConnectionHandle, transport: StreamTransport, mark: RequestMark? = nil) {
        self.connection = connection
        self.transport = transport
        self.mark = mark
    }

    private static let place = MemoryLayout<lm_datagram>.offset(of: \.local) ?? 0
    /// In the octet of the transport: there is a mark.
    private static let marked: UInt32 = 0x80

    /// Reads what `write` wrote.
    init(_ datagram: UnsafePointer<lm_datagram>) {
        let octets = UnsafeRawPointer(datagram) + Self.place
        connection = ConnectionHandle(number: octets.loadUnaligned(as: UInt64.self))
        let word = octets.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
        transport = StreamTransport(rawValue: Int(word & 0x7f)) ?? .tcp
        let token = octets.loadUnaligned(fromByteOffset: 12, as: UInt32.self)
        mark = word & Self.marked == 0 ? nil : RequestMark(token: token, fold: word >> 8)
    }

    func write(to datagram: UnsafeMutablePointer<lm_datagram>) {
        let octets = UnsafeMutableRawPointer(datagram) + Self.place
        octets.storeBytes(of: connection.number, as: UInt64.self)
        let word = UInt32(transport.rawValue) | (mark.map { Self.marked | $0.fold << 8 } ?? 0)
        octets.storeBytes(of: word, toByteOffset: 8, as: UInt32.self)
        octets.storeBytes(of: mark?.token ?? 0, toByteOffset: 12, as: UInt32.self)
        datagram.pointee.interface_index = 0
    }
}

/// A packet for which a connection must not go on.
struct StreamFault {
    let connection: ConnectionHandle
    let reason: DecodeError
}

extension DecodeError {
    /// A datagram is dropped and forgotten; a stream whose peer sends such a packet is out of step, or knows another secret (RFC 6613
    /// §2.6.4); over DTLS, too, such a packet ends the session (RFC 7360 §5.1.1). What a rule of ours refuses is dropped as over UDP.
    var endsConnection: Bool {
        switch self {
        case .shorterThanHeader, .lengthOutOfRange, .lengthBeyondDatagram, .attributeTooShort, .attributeOverrun, .tooManyAttributes,
            .messageAuthenticatorLength, .messageAuthenticatorRepeated, .messageAuthenticatorInvalid, .requestAuthenticatorInvalid,
            .tokenReused:
            true
        default: false
        }
    }
}
