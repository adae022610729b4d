/// A packet as RADIUS/1.1 has it (RFC 9765 §4.1): a Token in place of identifier and authenticator.
enum TokenPacket {
    /// The Token of a packet of at least 20 octets.
    static func token(of packet: Span<UInt8>) -> UInt32 { (4..<8).reduce(0) { $0 << 8 | UInt32(packet[$1]) } }

    /// Makes one; what is reserved stays zero.
    static func octets(_ code: PacketCode, token: UInt32, attributes: [UInt8]) -> [UInt8] {
        let length = PacketHeader.count + attributes.count
        var octets: [UInt8] = [code.rawValue, 0, UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length)]
        octets.reserveCapacity(length)
        octets += number(token)
        octets += [UInt8](repeating: 0, count: 12)
        octets += attributes
        return octets
    }

    /// Says that a request is not processed, and why (RFC 9765 §6.1).
    ///
    /// - Parameters:
    ///   - token: of the request.
    ///   - cause: as Error-Cause.
    ///   - proxyStates: the request's Proxy-States, encoded, in order.
    /// - Returns: the packet.
    static func protocolError(token: UInt32, _ cause: ErrorCause, proxyStates: [UInt8] = []) -> [UInt8] {
        octets(.protocolError, token: token, attributes: errorCause(cause) + proxyStates)
    }

    /// What ends a connection on which the peer agrees to no version, and here RADIUS/1.1 is demanded (RFC 9765 §3.3.1).
    static let versionDemanded: [UInt8] = {
        let message = Array("RADIUS/1.1 is demanded here, and was not agreed on by ALPN".utf8)
        let attributes = [AttributeNumber.replyMessage, UInt8(message.count + 2)] + message
        return octets(.protocolError, token: 0, attributes: attributes + errorCause(.unsupportedExtension))
    }()

    private static func errorCause(_ cause: ErrorCause) -> [UInt8] { [AttributeNumber.errorCause, 6] + number(cause.rawValue) }

    private static func number(_ word: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { (shift: UInt32) in UInt8(truncatingIfNeeded: word >> shift) }
    }
}
