internal import CLinux
import Glibc

/// Subscribers by (tenant, user name): packed records and an open-addressing table of 32-bit offsets.
///
/// Immutable and shared by all threads once built. A look-up touches one slot of the table and one record.
public final class SubscriberIndex: @unchecked Sendable {
    // Guard: written only by the builder, before the index is handed out.
    private let records: UnsafeMutableRawPointer
    private let recordOctets: Int
    /// Offset / 8 + 1 of a record, or 0.
    private let slots: UnsafeMutablePointer<UInt32>
    private let mask: Int
    public let count: Int

    /// Octets that records and table take.
    public var memoryOctets: Int { recordOctets + (mask + 1) * 4 }

    fileprivate init(records: UnsafeMutableRawPointer, octets: Int, offsets: [UInt32]) {
        self.records = records
        recordOctets = octets
        count = offsets.count
        var size = 16
        while size < offsets.count + offsets.count / 2 { size *= 2 }
        mask = size - 1
        slots = .allocate(capacity: size)
        slots.initialize(repeating: 0, count: size)
        for offset in offsets { place(offset) }
    }

    deinit {
        records.deallocate()
        slots.deallocate()
    }

    private func place(_ offset: UInt32) {
        let record = SubscriberRecord(base: records + Int(offset) * 8)
        var slot = Int(truncatingIfNeeded: Self.hash(tenant: record.tenant, record.name)) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = offset + 1
    }

    /// The record of `name` in `tenant`; a removed one is found too.
    func find(tenant: Int64, _ name: UnsafeRawBufferPointer) -> SubscriberRecord? {
        find(hash: Self.hash(tenant: tenant, name), tenant: tenant, name)
    }

    func prefetchSlot(_ hash: UInt64) { lm_prefetch(slots + (Int(truncatingIfNeeded: hash) & mask)) }

    func prefetchRecord(_ hash: UInt64) {
        let slot = slots[Int(truncatingIfNeeded: hash) & mask]
        guard slot != 0 else { return }
        lm_prefetch(records + Int(slot - 1) * 8)
        lm_prefetch(records + Int(slot - 1) * 8 + 64)
    }

    func find(hash: UInt64, tenant: Int64, _ name: UnsafeRawBufferPointer) -> SubscriberRecord? {
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            let record = SubscriberRecord(base: records + Int(slots[slot] - 1) * 8)
            if record.tenant == tenant, Self.equal(record.name, name) { return record }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// Every record, in the order of insertion.
    func forEach(_ body: (SubscriberRecord) -> Void) {
        var offset = 0
        while offset < recordOctets {
            let record = SubscriberRecord(base: records + offset)
            body(record)
            offset += Self.octets(of: record.fixed)
        }
    }

    /// Octets of a record, rounded up so that the next one is aligned.
    fileprivate static func octets(of fixed: SubscriberRecord.Fixed) -> Int {
        let exact =
            SubscriberRecord.fixedCount + Int(fixed.nameCount) + Int(fixed.credentialCount) + Int(fixed.identityCount)
            + Int(fixed.serviceCount)
        return (exact + 7) & ~7
    }

    private static func equal(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        guard let first = left.baseAddress, let second = right.baseAddress else { return true }
        return memcmp(first, second, left.count) == 0
    }

    /// Mixes eight octets at a time; the names come from our own tables, so no key is needed against chosen collisions.
    static func hash(tenant: Int64, _ name: UnsafeRawBufferPointer) -> UInt64 {
        var state = UInt64(bitPattern: tenant) &* 0x9e37_79b9_7f4a_7c15 ^ UInt64(name.count)
        var offset = 0
        while offset + 8 <= name.count {
            state = mix(state ^ name.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        var tail: UInt64 = 0
        if name.count >= 8 {
            // The last eight, some of them for the second time.
            if offset < name.count { tail = name.loadUnaligned(fromByteOffset: name.count - 8, as: UInt64.self) }
        } else {
            while offset < name.count {
                tail = tail << 8 | UInt64(name[offset])
                offset += 1
            }
        }
        return mix(state ^ tail)
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed ^= mixed >> 32
        mixed = mixed &* 0xd6e8_feb8_6659_fd93
        mixed ^= mixed >> 32
        mixed = mixed &* 0xd6e8_feb8_6659_fd93
        return mixed ^ mixed >> 32
    }
}

/// Packs subscribers into an index. One thread.
public struct SubscriberIndexBuilder: ~Copyable {
    private var records: UnsafeMutableRawPointer
    private var capacity: Int
    private var used = 0
    private var offsets: [UInt32] = []

    /// Largest total of packed records: 32-bit offsets in steps of eight octets.
    public static let maximumOctets = Int(UInt32.max - 1) * 8

    public init(expecting subscribers: Int = 0) {
        capacity = max(4096, subscribers * 128)
        records = .allocate(byteCount: capacity, alignment: 8)
        offsets.reserveCapacity(subscribers)
    }

    deinit { records.deallocate() }

    /// Adds one subscriber; the same (tenant, name) must not be added twice.
    ///
    /// - Returns: false when the name or a part has a length that no record can hold.
    @discardableResult
    public mutating func add(_ entry: SubscriberEntry) -> Bool {
        guard entry.isStorable else { return false }
        let fixed = entry.fixed
        let size = SubscriberIndex.octets(of: fixed)
        guard used + size <= Self.maximumOctets else { return false }
        reserve(size)
        records.storeBytes(of: fixed, toByteOffset: used, as: SubscriberRecord.Fixed.self)
        var offset = used + SubscriberRecord.fixedCount
        for part in [entry.name, entry.credential, entry.identity, entry.service] {
            part.withUnsafeBytes { if let start = $0.baseAddress { memcpy(records + offset, start, $0.count) } }
            offset += part.count
        }
        offsets.append(UInt32(used / 8))
        used += size
        return true
    }

    /// Copies a record of another index.
    mutating func add(_ record: SubscriberRecord) {
        let size = SubscriberIndex.octets(of: record.fixed)
        reserve(size)
        memcpy(records + used, record.base, size)
        offsets.append(UInt32(used / 8))
        used += size
    }

    public consuming func build() -> SubscriberIndex {
        let packed = UnsafeMutableRawPointer.allocate(byteCount: max(used, 8), alignment: 8)
        memcpy(packed, records, used)
        return SubscriberIndex(records: packed, octets: used, offsets: offsets)
    }

    private mutating func reserve(_ octets: Int) {
        guard used + octets > capacity else { return }
        capacity = max(capacity * 2, used + octets)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
        memcpy(larger, records, used)
        records.deallocate()
        records = larger
    }
}
