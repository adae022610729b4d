import Glibc

/// Writes one packet, header first, into memory that it borrows.
///
/// A value that does not fit makes the writer `overflowed` and is left out whole, so that a packet is never cut inside an attribute.
/// One thread; no allocation.
public struct PacketWriter: ~Copyable, ~Escapable {
    private var out: MutableSpan<UInt8>
    /// Octets written so far, the header included.
    public private(set) var count: Int
    /// Largest packet that may be made.
    private let limit: Int
    /// At least one attribute did not fit.
    public private(set) var overflowed = false
    /// Offset of the Message-Authenticator's type octet, once it was reserved.
    public private(set) var messageAuthenticatorOffset: Int?

    /// - Parameters:
    ///   - out: at least 20 octets; at most `limit` of them are used.
    ///   - code: of the packet.
    ///   - identifier: the request's, or in a request one that is free.
    ///   - limit: largest packet in octets.
    @_lifetime(copy out)
    public init(_ out: consuming MutableSpan<UInt8>, code: PacketCode, identifier: UInt8, limit: Int = PacketHeader.maximumLength) {
        self.limit = min(limit, out.count)
        precondition(self.limit >= PacketHeader.count)
        self.out = out
        self.out[0] = code.rawValue
        self.out[1] = identifier
        count = PacketHeader.count
        store(UInt16(0), at: 2)
        store(UInt64(0), at: 4)
        store(UInt64(0), at: 12)
    }

    /// Changes the code of a packet already begun.
    @_lifetime(self: copy self)
    public mutating func setCode(_ code: PacketCode) {
        out[0] = code.rawValue
    }

    /// Puts `authenticator` into octets 4..<20.
    @_lifetime(self: copy self)
    public mutating func setAuthenticator(_ authenticator: borrowing InlineArray<16, UInt8>) {
        copy(authenticator.span, to: 4)
    }

    /// Reserves a zeroed Message-Authenticator (RFC 3579 §3.2) here; the signer fills it in.
    @_lifetime(self: copy self)
    public mutating func reserveMessageAuthenticator() {
        guard room(for: 18) else { return }
        messageAuthenticatorOffset = count
        out[count] = 80
        out[count + 1] = 18
        store(UInt64(0), at: count + 2)
        store(UInt64(0), at: count + 10)
        count += 18
    }

    /// Appends one attribute of at most 253 octets.
    @_lifetime(self: copy self)
    public mutating func append(_ type: UInt8, _ value: Span<UInt8>) {
        guard value.count <= 253, room(for: value.count + 2) else {
            overflowed = true
            return
        }
        out[count] = type
        out[count + 1] = UInt8(value.count + 2)
        copy(value, to: count + 2)
        count += value.count + 2
    }

    /// Appends a 32-bit value in network order.
    @_lifetime(self: copy self)
    public mutating func append(_ type: UInt8, _ value: UInt32) {
        guard room(for: 6) else { return }
        out[count] = type
        out[count + 1] = 6
        store(value, at: count + 2)
        count += 6
    }

    /// Appends attributes that are encoded already, all or none.
    @_lifetime(self: copy self)
    public mutating func append(encoded attributes: Span<UInt8>) {
        guard room(for: attributes.count) else { return }
        copy(attributes, to: count)
        count += attributes.count
    }

    /// Appends a vendor's attribute of the format 1,1 (RFC 2865 §5.26).
    @_lifetime(self: copy self)
    public mutating func append(vendor: UInt32, _ type: UInt8, _ value: Span<UInt8>) {
        guard value.count <= 247, room(for: value.count + 8) else {
            overflowed = true
            return
        }
        out[count] = 26
        out[count + 1] = UInt8(value.count + 8)
        store(vendor, at: count + 2)
        out[count + 6] = type
        out[count + 7] = UInt8(value.count + 2)
        copy(value, to: count + 8)
        count += value.count + 8
    }

    /// Drops everything behind `position`, which an earlier `count` gave.
    @_lifetime(self: copy self)
    public mutating func truncate(to position: Int) {
        precondition(position >= PacketHeader.count && position <= count)
        count = position
    }

    /// Takes out the attributes for which `isMeant` says so, which is told each one's first octet and its length.
    ///
    /// - Parameters:
    ///   - position: where the attributes begin that are looked at; an earlier `count` gave it.
    ///   - isMeant: whether an attribute goes.
    @_lifetime(self: copy self)
    mutating func remove(from position: Int, where isMeant: (UnsafePointer<UInt8>, Int) -> Bool) {
        precondition(position >= PacketHeader.count && position <= count)
        let end = count
        count = out.withUnsafeMutableBufferPointer { octets in
            guard let start = octets.baseAddress else { return end }
            var (kept, next) = (position, position)
            while next < end {
                let length = Int(start[next + 1])
                if !isMeant(start + next, length) {
                    if kept != next { memmove(start + kept, start + next, length) }
                    kept += length
                }
                next += length
            }
            return kept
        }
    }

    /// Whether an attribute of `type` stands at `position`, which an earlier `count` gave, or behind it.
    func contains(_ type: UInt8, from position: Int) -> Bool {
        var next = position
        while next < count {
            if out[next] == type { return true }
            next += max(2, Int(out[next + 1]))
        }
        return false
    }

    /// Writes the Length field and lets go of the memory, so that the packet can be signed in place.
    public consuming func finish() -> Finished {
        out[2] = UInt8(truncatingIfNeeded: count >> 8)
        out[3] = UInt8(truncatingIfNeeded: count)
        return Finished(count: count, messageAuthenticatorOffset: messageAuthenticatorOffset)
    }

    /// What a signer needs to know of a written packet.
    public struct Finished: BitwiseCopyable, Sendable {
        /// Octets of the packet.
        public let count: Int
        /// Offset of the Message-Authenticator's type octet, if there is one.
        public let messageAuthenticatorOffset: Int?
    }

    @_lifetime(self: copy self)
    private mutating func room(for octets: Int) -> Bool {
        if limit - count >= octets { return true }
        overflowed = true
        return false
    }

    /// Copies into memory that `room` has shown to be there.
    @_lifetime(self: copy self)
    private mutating func copy(_ value: Span<UInt8>, to offset: Int) {
        precondition(offset >= 0 && offset <= limit &- value.count)
        value.withUnsafeBytes { source in
            out.withUnsafeMutableBytes { target in
                if let start = target.baseAddress, let first = source.baseAddress { memcpy(start + offset, first, source.count) }
            }
        }
    }

    /// Writes a word in network order, unaligned, into memory that `room` has shown to be there.
    @_lifetime(self: copy self)
    private mutating func store<Word: FixedWidthInteger & BitwiseCopyable>(_ word: Word, at offset: Int) {
        precondition(offset >= 0 && offset <= limit &- MemoryLayout<Word>.size)
        out.withUnsafeMutableBytes { $0.storeBytes(of: word.bigEndian, toByteOffset: offset, as: Word.self) }
    }
}
