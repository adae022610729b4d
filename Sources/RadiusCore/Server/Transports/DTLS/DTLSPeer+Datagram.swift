import CLinux

extension DTLSPeer {
    init(_ datagram: UnsafePointer<lm_datagram>) {
        var octets = datagram.pointee.local
        self.init(
            address: PacketPath.address(of: datagram), local: withUnsafeBytes(of: &octets) { IPAddress(octets: $0) },
            port: datagram.pointee.peer.port, scope: datagram.pointee.peer.scope, localInterface: datagram.pointee.interface_index)
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
