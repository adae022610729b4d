import Glibc

/// Where one attribute's value lies in its packet.
public struct AttributeLocation: BitwiseCopyable, Sendable {
    /// The attribute's number (RFC 2865 §5).
    public let type: UInt8
    /// Offset of the value, behind type and length, from the packet's first octet.
    public let offset: Int
    /// Octets of the value, 0...253.
    public let count: Int

    public init(type: UInt8, offset: Int, count: Int) {
        self.type = type
        self.offset = offset
        self.count = count
    }

    /// Offset of the type octet.
    public var start: Int { offset - 2 }
    /// The value's octets as a range of the packet.
    public var range: Range<Int> { offset..<offset + count }
}

/// A table of where each attribute of one packet lies, made by one walk that does all length checks.
///
/// Its memory is allocated once and refilled for each packet; one thread at a time. Offsets are valid only for the packet of the last
/// `fill`.
public struct AttributeIndex: ~Copyable {
    /// Attributes that fit a packet of 4096 octets when each has the smallest length.
    static let capacity = (PacketHeader.maximumLength - PacketHeader.count) / 2

    /// offset << 16 | type << 8 | count
    private let entries: UnsafeMutablePointer<UInt32>
    /// For each attribute number, 1 + the index of its first entry, or 0.
    private let firsts: UnsafeMutablePointer<UInt16>
    /// Attributes found by the last `fill`.
    public private(set) var count = 0

    public init() {
        entries = .allocate(capacity: Self.capacity)
        firsts = .allocate(capacity: 256)
        firsts.initialize(repeating: 0, count: 256)
    }

    deinit {
        entries.deallocate()
        firsts.deallocate()
    }

    /// Indexes `packet`, whose length `PacketHeader.length` has checked (RFC 2865 §5).
    ///
    /// - Parameter packet: exactly the packet, without padding.
    /// - Throws: `attributeOverrun`, `attributeTooShort`, `tooManyAttributes`; the index then holds the attributes before the bad one.
    public mutating func fill(from packet: Span<UInt8>) throws(DecodeError) {
        for position in 0..<count { firsts[Int(entries[position] >> 8 & 0xff)] = 0 }
        count = 0
        var offset = PacketHeader.count
        let end = packet.count
        while offset < end {
            guard end - offset >= 2 else { throw .attributeOverrun }
            let type = packet[offset]
            let length = Int(packet[offset + 1])
            guard length >= 2 else { throw .attributeTooShort }
            guard length <= end - offset else { throw .attributeOverrun }
            guard count < Self.capacity else { throw .tooManyAttributes }
            entries[count] = UInt32(truncatingIfNeeded: (offset + 2) << 16) | UInt32(type) << 8 | UInt32(length - 2)
            if firsts[Int(type)] == 0 { firsts[Int(type)] = UInt16(truncatingIfNeeded: count + 1) }
            count += 1
            offset += length
        }
    }

    /// The attribute at `position`, 0..<count, in the packet's order.
    public subscript(position: Int) -> AttributeLocation {
        precondition(position >= 0 && position < count)
        let entry = entries[position]
        return AttributeLocation(type: UInt8(entry >> 8 & 0xff), offset: Int(entry >> 16), count: Int(entry & 0xff))
    }

    /// The first attribute with number `type`.
    public func first(_ type: UInt8) -> AttributeLocation? {
        let found = Int(firsts[Int(type)])
        return found == 0 ? nil : self[found - 1]
    }

    /// The position of the first attribute with number `type` at or after `position`.
    public func position(of type: UInt8, from position: Int = 0) -> Int? {
        let first = Int(firsts[Int(type)])
        guard first != 0 else { return nil }
        var candidate = max(position, first - 1)
        while candidate < count {
            if UInt8(entries[candidate] >> 8 & 0xff) == type { return candidate }
            candidate += 1
        }
        return nil
    }

    /// Whether `type` stands in the packet.
    public func contains(_ type: UInt8) -> Bool {
        firsts[Int(type)] != 0
    }
}
