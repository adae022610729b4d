internal import CLinux
import Glibc

/// The journal's octets on disk. Little-endian throughout.
///
/// A segment is a header of 32 octets and records back to back. A record is a header of 80 octets and the packet; its CRC-32C covers
/// everything behind the checksum, so that a reader that lost its place finds the next record by magic and checksum alone. The
/// segment that is being written has zeros behind its records. Records of the former kind, without a profile, are read as well.
enum JournalFormat {
    static let segmentMagic: UInt64 = 0x314c_4e52_4a4d_4c00
    static let segmentHeaderCount = 32
    /// The two kinds of record begin with the same octet on disk, by which a scan finds them.
    static let recordMagic: UInt32 = 0xa51d_4a4d
    static let recordHeaderCount = 80
    static let formerMagic: UInt32 = 0xa51c_4a4d
    static let formerHeaderCount = 72
    /// Longest packet over any RADIUS transport (RFC 7930).
    static let longestPacket = 65_535

    /// Writes a segment's header to `out`.
    static func writeSegmentHeader(_ out: UnsafeMutableRawPointer, firstSequence: UInt64) {
        memset(out, 0, segmentHeaderCount)
        store(segmentMagic, out, 0)
        store(firstSequence, out, 8)
        store(checksum(UnsafeRawPointer(out), 16), out, 16)
    }

    /// The first sequence number that a segment promises, or nil when its header is damaged.
    static func firstSequence(_ header: UnsafeRawPointer) -> UInt64? {
        guard load(header, 0, as: UInt64.self) == segmentMagic else { return nil }
        guard load(header, 16, as: UInt32.self) == checksum(header, 16) else { return nil }
        return load(header, 8, as: UInt64.self)
    }

    /// Writes a record without its checksum, which `seal` adds later.
    static func write(_ entry: JournalEntry, sequence: UInt64, packet: Span<UInt8>, to out: UnsafeMutableRawPointer) {
        store(recordMagic, out, 0)
        store(UInt32(0), out, 4)
        store(UInt32(truncatingIfNeeded: packet.count), out, 8)
        store(UInt32(entry.kind), out, 12)
        store(sequence, out, 16)
        store(entry.receivedMicroseconds, out, 24)
        store(entry.tenant, out, 32)
        store(entry.nas, out, 40)
        store(entry.subscriber, out, 48)
        out.storeBytes(of: entry.peer, toByteOffset: 56, as: InlineArray<16, UInt8>.self)
        store(entry.profile, out, 72)
        packet.withUnsafeBufferPointer { bytes in
            if let base = bytes.baseAddress { memcpy(out + recordHeaderCount, base, bytes.count) }
        }
    }

    /// Adds the checksums of all records in `bytes`.
    static func seal(_ bytes: UnsafeMutableRawPointer, count: Int) {
        var offset = 0
        while offset < count {
            let record = bytes + offset
            let size = recordHeaderCount + Int(load(UnsafeRawPointer(record), 8, as: UInt32.self))
            store(checksum(UnsafeRawPointer(record) + 8, size - 8), record, 4)
            offset += size
        }
    }

    /// What stands at one place of a segment.
    enum Found {
        case record(JournalRecordLocation)
        /// Perhaps a record, but the octets end before it does.
        case incomplete
        case garbage
    }

    /// Looks for a whole record with a right checksum at `bytes`.
    static func examine(_ bytes: UnsafeRawPointer, available: Int) -> Found {
        guard available >= 4 else { return .incomplete }
        guard let header = headerCount(bytes) else { return .garbage }
        guard available >= header else { return .incomplete }
        let length = Int(load(bytes, 8, as: UInt32.self))
        guard length <= longestPacket else { return .garbage }
        let size = header + length
        guard available >= size else { return .incomplete }
        guard load(bytes, 4, as: UInt32.self) == checksum(bytes + 8, size - 8) else { return .garbage }
        return .record(JournalRecordLocation(sequence: load(bytes, 16, as: UInt64.self), headerCount: header, size: size))
    }

    /// Octets of the header that begins here, or nil when none does. Four octets are there.
    private static func headerCount(_ bytes: UnsafeRawPointer) -> Int? {
        switch load(bytes, 0, as: UInt32.self) {
        case recordMagic: recordHeaderCount
        case formerMagic: formerHeaderCount
        default: nil
        }
    }

    /// The entry of a record that `examine` found.
    static func entry(_ record: UnsafeRawPointer) -> JournalEntry {
        let peer = record.loadUnaligned(fromByteOffset: 56, as: InlineArray<16, UInt8>.self)
        return JournalEntry(
            receivedMicroseconds: load(record, 24, as: Int64.self), tenant: load(record, 32, as: Int64.self),
            nas: load(record, 40, as: Int64.self), subscriber: load(record, 48, as: Int64.self),
            profile: headerCount(record) == recordHeaderCount ? load(record, 72, as: Int64.self) : 0, peer: peer,
            kind: UInt8(truncatingIfNeeded: load(record, 12, as: UInt32.self)))
    }

    private static func checksum(_ bytes: UnsafeRawPointer, _ count: Int) -> UInt32 {
        lm_crc32c(0, bytes.assumingMemoryBound(to: UInt8.self), count)
    }

    private static func store<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, _ out: UnsafeMutableRawPointer, _ offset: Int) {
        out.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
    }

    private static func load<Value: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawPointer, _ offset: Int, as type: Value.Type
    ) -> Value {
        Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
    }
}

/// A whole record inside a run of octets.
struct JournalRecordLocation {
    let sequence: UInt64
    let headerCount: Int
    /// Octets, header included.
    let size: Int
}
