import CLinux

extension IPAddress {
    /// Where a datagram is to go.
    func datagramAddress(port: UInt16) -> lm_address {
        var address = lm_address()
        withUnsafeMutableBytes(of: &address.octets) { octets in
            octets.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
            octets.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        address.port = port
        return address
    }
}
