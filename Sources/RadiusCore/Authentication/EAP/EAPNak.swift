/// What a peer would rather do than the method that was proposed.
enum EAPNak {
    /// The types that a Nak (RFC 3748 §5.3.1) or an Expanded Nak (§5.3.2) names, in the peer's order.
    ///
    /// A Nak may name 0, no alternative, and 254, that the peer reads Expanded Types; neither is a method. An Expanded Nak is a list of
    /// eight octets each; what does not complete one is ignored.
    static func desired(_ packet: EAPPacket) -> [EAPType] {
        guard packet.isExpanded else {
            return packet.data.filter { $0 != 0 && $0 != EAPType.expanded }.map { EAPType(UInt32($0)) }
        }
        let size = EAPPacket.expandedCount
        return stride(from: 0, to: packet.data.count - packet.data.count % size, by: size).compactMap { start in
            guard packet.data[start] == EAPType.expanded else { return nil }
            let type = EAPPacket.expandedType(packet.data[start..<start + size])
            return type == EAPType(0) ? nil : type
        }
    }
}
