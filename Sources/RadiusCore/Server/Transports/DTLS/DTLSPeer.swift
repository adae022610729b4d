import CLinux

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

    init(_ datagram: UnsafePointer<lm_datagram>) {
        address = PacketPath.address(of: datagram)
        port = datagram.pointee.peer.port
        scope = datagram.pointee.peer.scope
        localInterface = datagram.pointee.interface_index
        var octets = datagram.pointee.local
        local = withUnsafeBytes(of: &octets) { IPAddress(octets: $0) }
    }

    /// Has a datagram leave from the address that the peer sends to.
    func writeLocal(to datagram: UnsafeMutablePointer<lm_datagram>) {
        withUnsafeMutableBytes(of: &datagram.pointee.local) { octets in
            octets.storeBytes(of: local.high.bigEndian, as: UInt64.self)
            octets.storeBytes(of: local.low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        datagram.pointee.interface_index = localInterface
    }
}

/// What carries a connection's octets.
enum StreamCarrier {
    /// A socket of its own.
    case socket(Int32)
    /// A port that many peers share.
    case datagrams(DTLSPort, DTLSPeer)
}
