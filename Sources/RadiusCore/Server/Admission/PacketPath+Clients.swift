import CLinux

/// Whose a packet is.
extension PacketPath {
    /// The client whose address the request came from, and where several share it, whose NAS-Identifier is in `packet`, nothing of which
    /// was checked; `datagram` says where it came from, its own octets may be gone. Over TCP, TLS and DTLS the address alone decides: a
    /// connection is one client's, as the client is there.
    @inline(__always)
    func client(of datagram: UnsafePointer<lm_datagram>, _ packet: UnsafePointer<UInt8>, _ count: Int) -> UnsafePointer<ClientRow>? {
        let rows = snapshot.clients.rows
        if isStream {
            return rows.find(Self.address(of: datagram)).map { rows.row($0, over: StreamOrigin(datagram).transport) }
        }
        guard let row = rows.first(Self.address(of: datagram)) else { return nil }
        return row.pointee.isShared ? Self.choose(row, rows, packet, count) : row
    }

    @inline(never)
    private static func choose(
        _ row: UnsafePointer<ClientRow>, _ rows: ClientRows, _ packet: UnsafePointer<UInt8>, _ count: Int
    ) -> UnsafePointer<ClientRow>? {
        rows.choose(row, identifier(in: packet, count))
    }

    /// The first NAS-Identifier (RFC 2865 §5.32) of a packet whose lengths nobody has checked; empty without one.
    static func identifier(in packet: UnsafePointer<UInt8>, _ count: Int) -> UnsafeRawBufferPointer {
        let nobody = UnsafeRawBufferPointer(start: nil, count: 0)
        guard count >= PacketHeader.count else { return nobody }
        let end = min(count, Int(packet[2]) &<< 8 | Int(packet[3]))
        var offset = PacketHeader.count
        while end &- offset >= 2 {
            let length = Int(packet[offset &+ 1])
            guard length >= 2, length <= end &- offset else { return nobody }
            if packet[offset] == AttributeNumber.nasIdentifier {
                return UnsafeRawBufferPointer(start: packet + (offset &+ 2), count: length &- 2)
            }
            offset &+= length
        }
        return nobody
    }

    /// Takes note of who is no client: of the address, or where others have it, of the NAS-Identifier there.
    ///
    /// The latter counts among those who want a part of an overloaded worker: else it would be taken from its neighbours that are clients.
    @inline(never)
    mutating func noteUnknown(_ datagram: UnsafePointer<lm_datagram>, _ packet: UnsafePointer<UInt8>, on service: Service) {
        let address = Self.address(of: datagram)
        guard !isStream, let row = snapshot.clients.rows.first(address) else { return environment.unknownClients.note(address) }
        let share = ClientRows.shareOfRest(row)
        _ = service == .authentication ? authenticationShare.admits(share) : accountingShare.admits(share)
        environment.unknownClients.note(address, Self.identifier(in: packet, Int(datagram.pointee.count)))
    }
}
