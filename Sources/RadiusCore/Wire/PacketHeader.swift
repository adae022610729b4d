/// The fixed 20 octets in front of a RADIUS packet (RFC 2865 §3).
public enum PacketHeader {
    /// Octets of the header: code 1, identifier 1, length 2, authenticator 16.
    public static let count = 20
    /// Largest packet over UDP (RFC 2865 §3).
    public static let maximumLength = 4096

    /// The packet's own length, once it is shown to be honest.
    ///
    /// Octets beyond Length are padding and not part of the packet (RFC 2865 §3).
    ///
    /// - Parameters:
    ///   - datagram: what arrived, padding included.
    ///   - limit: the largest length that the transport allows; 4096 over UDP, 65535 over TCP (RFC 7930).
    /// - Returns: 20...limit, never more than `datagram.count`.
    /// - Throws: `shorterThanHeader`, `lengthOutOfRange`, `lengthBeyondDatagram`.
    public static func length(of datagram: Span<UInt8>, limit: Int = maximumLength) throws(DecodeError) -> Int {
        guard datagram.count >= count else { throw .shorterThanHeader }
        let length = Int(datagram[2]) << 8 | Int(datagram[3])
        guard length >= count, length <= limit else { throw .lengthOutOfRange }
        guard length <= datagram.count else { throw .lengthBeyondDatagram }
        return length
    }
}
