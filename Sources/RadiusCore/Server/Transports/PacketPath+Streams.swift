import CLinux

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
}
