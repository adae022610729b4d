/// Who speaks on a port of DTLS: both ends of a datagram (RFC 7360 §5.1).
struct DTLSPeer: Hashable, BitwiseCopyable {
    let address: IPAddress
    /// Ours, where the port takes all addresses; else zeros.
    let local: IPAddress
    let port: UInt16
    /// Interface of a link-local address, else 0.
    let scope: UInt32
    /// Interface of a link-local address of ours, else 0.
    let localInterface: UInt32
}
