import CLinux

/// A request over RADIUS/1.1 that is not processed, and why (RFC 9765 §6.1).
struct UnservedRequest {
    let connection: ConnectionHandle
    let token: UInt32
    let cause: ErrorCause
    /// Encoded, in order.
    let proxyStates: [UInt8]
}

/// What a connection for all kinds of packets brings besides those of a server.
extension PacketPath {
    /// Error-Cause (RFC 5176 §3.5) and its value Unsupported Extension.
    private static let errorCause: UInt8 = 101
    private static let unsupportedExtension: UInt32 = 406

    /// Answers a CoA-Request or Disconnect-Request, which a server does not take, with its NAK (RFC 6614 §2.5).
    mutating func decline(_ work: PacketWork, _ reply: UnsafeMutablePointer<lm_datagram>) {
        let isDisconnect = work.packet[0] == PacketCode.disconnectRequest.rawValue
        var writer = Self.begin(isDisconnect ? .disconnectNAK : .coaNAK, answering: work.packet, in: reply)
        writer.reserveMessageAuthenticator()
        writer.append(Self.errorCause, Self.unsupportedExtension)
        echoProxyState(work.attributes, &writer)
        finish(writer, to: work.client, reply)
    }

    /// Takes note of a request that nobody answers. Its peer is told where it speaks RADIUS/1.1, which alone has a word for that.
    ///
    /// - Parameters:
    ///   - datagram: says which connection it came on.
    ///   - packet: the request.
    ///   - count: of its octets.
    ///   - cause: why.
    @inline(never)
    mutating func noteUnserved(
        _ datagram: UnsafePointer<lm_datagram>, _ packet: UnsafePointer<UInt8>, _ count: Int, _ cause: ErrorCause = .resourcesUnavailable
    ) {
        let origin = StreamOrigin(datagram)
        guard let mark = origin.mark else { return }
        noteUnserved(Span(_unsafeStart: packet, count: count), token: mark.token, on: origin.connection, cause)
    }

    /// The same of a request that is still in its slot.
    mutating func noteUnserved(_ datagram: UnsafePointer<lm_datagram>, _ cause: ErrorCause = .resourcesUnavailable) {
        guard let packet = datagram.pointee.bytes else { return }
        noteUnserved(datagram, packet, Int(datagram.pointee.count), cause)
    }

    /// The same of a log-in.
    mutating func noteUnserved(_ attempt: Attempt, _ cause: ErrorCause = .resourcesUnavailable) {
        let work = attempt.work
        noteUnserved(work.pointee.datagram, work.pointee.packet, work.pointee.attributes.count, cause)
    }

    /// The same of a request that is still as its connection brought it.
    mutating func noteUnserved(_ packet: Span<UInt8>, token: UInt32, on connection: ConnectionHandle, _ cause: ErrorCause) {
        let code = PacketCode(rawValue: packet[0])
        guard code == .accessRequest || code == .accountingRequest else { return }
        var states = AttributeRun()
        var cursor = AttributeCursor(PacketHeader.count..<packet.count)
        while let attribute = cursor.next(in: packet) {
            guard attribute.type == UInt32(AttributeNumber.proxyState) else { continue }
            states.append(AttributeNumber.proxyState, VendorPassage.copy(attribute.range, of: packet))
        }
        unserved.append(UnservedRequest(connection: connection, token: token, cause: cause, proxyStates: states.octets))
    }

    /// Counts a packet that its version of RADIUS keeps from the packet path.
    mutating func dropUntranslated(_ reason: DecodeError, of source: IPAddress) {
        counters.add(reason)
        guard let client = snapshot.clients.rows.find(source) else { return }
        tally.add(client) { $0.drops &+= 1 }
        client.pointee.withClient { $0.observation.refusals.add(reason) }
    }
}

extension DecodeError {
    /// What the sender of a request that is dropped for it is told over RADIUS/1.1 (RFC 9765 §6.1).
    var errorCause: ErrorCause {
        switch self {
        case .accountingIncomplete, .chapChallengeMissing: .missingAttribute
        case .conflictingCredentials: .invalidRequest
        default: .resourcesUnavailable
        }
    }
}
