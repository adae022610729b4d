import RadiusCore

/// A record as it left the journal, decoded as far as every record needs it. Plain numbers: its octets stand in its `RecordBatch`.
struct JournalledRecord {
    let sequence: UInt64
    let entry: JournalEntry
    let content: Content
    /// The place of its session's key among the batch's; -1 where it is about none.
    let key: Int
    /// The same for two records that say the same of who and where; see `NamingDigest`.
    let naming: UInt64
    fileprivate let start: Int
    fileprivate let count: Int

    enum Content {
        /// `RecordBatch.whole` has what says whose session it is.
        case record(AccountingProgress)
        /// The place of the reason among the batch's.
        case refused(Int)
    }
}

/// The records that are shipped together, with their packets and their sessions' keys. Filled anew for each batch.
///
/// One thread, and none of its calls calls back, so that the checks for overlapping access are left out.
final class RecordBatch {
    /// Octets that are kept from one batch to the next.
    private static let keptOctets = 8 << 20

    @exclusivity(unchecked) private(set) var records: [JournalledRecord] = []
    /// Of the sessions that the records are about, each once.
    @exclusivity(unchecked) private(set) var keys: [SessionKey] = []
    /// Why records could not be decoded.
    private(set) var reasons: [String] = []
    @exclusivity(unchecked) private var octets: [UInt8] = []
    @exclusivity(unchecked) private var places: [SessionKey: Int] = [:]
    @exclusivity(unchecked) private var index = AttributeIndex()

    func removeAll() {
        records.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        reasons.removeAll()
        places.removeAll(keepingCapacity: true)
        octets.removeAll(keepingCapacity: octets.capacity <= Self.keptOctets)
    }

    /// Decodes a record and copies what is needed of it.
    func append(_ record: borrowing JournalReader.Record) {
        let start = octets.count
        record.packet.withUnsafeBufferPointer { octets.append(contentsOf: $0) }
        var key = -1
        var naming: UInt64 = 0
        let content = decode(record, &key, &naming)
        records.append(
            JournalledRecord(
                sequence: record.sequence, entry: record.entry, content: content, key: key, naming: naming, start: start,
                count: octets.count - start))
    }

    private func decode(_ record: borrowing JournalReader.Record, _ key: inout Int, _ naming: inout UInt64) -> JournalledRecord.Content {
        let entry = record.entry
        guard entry.kind == JournalEntry.accountingRequest else { return refusal("unknown kind \(entry.kind) of journal record") }
        do throws(DecodeError) {
            let length = try PacketHeader.length(of: record.packet, limit: 65_535)
            let whole = record.packet.extracting(0..<length)
            try index.fill(from: whole)
            let progress = try AccountingProgress(packet: whole, index: index, receivedMicroseconds: entry.receivedMicroseconds)
            if progress.status.isAboutSession {
                key = place(of: SessionKey(packet: whole, index: index, nas: entry.nas, peer: entry.peer))
                naming = NamingDigest.of(whole, index, peer: entry.peer)
            }
            return .record(progress)
        } catch {
            return refusal("\(error)")
        }
    }

    private func refusal(_ reason: String) -> JournalledRecord.Content {
        reasons.append(reason)
        return .refused(reasons.count - 1)
    }

    private func place(of key: SessionKey) -> Int {
        let place = Self.value(&places[key, default: keys.count])
        if place == keys.count { keys.append(key) }
        return place
    }

    /// Of a place in a dictionary that is filled when it is looked at, so that the key is searched once.
    private static func value(_ place: inout Int) -> Int { place }

    /// As it came, padding included.
    func packet(of record: JournalledRecord) -> [UInt8] {
        Array(octets[record.start..<record.start + record.count])
    }

    /// The record with all of its values; nil when it does not decode.
    func whole(_ record: JournalledRecord) -> AccountingRecord? {
        guard case .record = record.content else { return nil }
        let octets = octets
        do throws(DecodeError) {
            let packet = octets.span.extracting(record.start..<record.start + record.count)
            let length = try PacketHeader.length(of: packet, limit: 65_535)
            let whole = packet.extracting(0..<length)
            try index.fill(from: whole)
            return try AccountingRecord(packet: whole, index: index, receivedMicroseconds: record.entry.receivedMicroseconds)
        } catch {
            return nil
        }
    }
}

/// Tells records that name the same things from others, without comparing each value. Only within one process.
enum NamingDigest {
    private static let seed = UInt64.random(in: 1...(.max))
    private static let factor: UInt64 = 0x9e37_79b9_7f4a_7c15

    /// The attributes that `SessionNaming` keeps, as bits of 64 attribute numbers each.
    private static let members: (UInt64, UInt64, UInt64, UInt64) = {
        let numbers = [
            AttributeNumber.userName, AttributeNumber.acctSessionID, AttributeNumber.acctMultiSessionID, AttributeNumber.nasIdentifier,
            AttributeNumber.nasIPAddress, AttributeNumber.nasIPv6Address, AttributeNumber.nasPort, AttributeNumber.nasPortID,
            AttributeNumber.nasPortType, AttributeNumber.callingStationID, AttributeNumber.calledStationID,
            AttributeNumber.framedIPAddress, AttributeNumber.framedIPv6Address, AttributeNumber.framedIPv6Prefix,
            AttributeNumber.delegatedIPv6Prefix, AttributeNumber.framedInterfaceID, AttributeNumber.classAttribute,
            AttributeNumber.extendedAttribute1,
        ]
        func bits(_ word: Int) -> UInt64 { numbers.filter { Int($0) >> 6 == word }.reduce(0) { $0 | 1 << UInt64($1 & 63) } }
        return (bits(0), bits(1), bits(2), bits(3))
    }()

    static func of(_ packet: Span<UInt8>, _ index: borrowing AttributeIndex, peer: InlineArray<16, UInt8>) -> UInt64 {
        let members = members
        var digest = seed
        for position in 0..<index.count {
            let location = index[position]
            let word =
                location.type < 64 ? members.0 : location.type < 128 ? members.1 : location.type < 192 ? members.2 : members.3
            guard word >> UInt64(location.type & 63) & 1 == 1 else { continue }
            mix(UInt64(location.type) << 8 | UInt64(location.count), &digest)
            packet.extracting(location.range).withUnsafeBytes { mix($0, &digest) }
        }
        peer.span.withUnsafeBytes { mix($0, &digest) }
        return digest
    }

    private static func mix(_ octets: UnsafeRawBufferPointer, _ digest: inout UInt64) {
        var offset = 0
        while octets.count - offset >= 8 {
            mix(octets.loadUnaligned(fromByteOffset: offset, as: UInt64.self), &digest)
            offset += 8
        }
        var rest: UInt64 = 0
        while offset < octets.count {
            rest = rest << 8 | UInt64(octets[offset])
            offset += 1
        }
        mix(rest, &digest)
    }

    private static func mix(_ value: UInt64, _ digest: inout UInt64) {
        let (high, low) = (digest ^ value).multipliedFullWidth(by: factor)
        digest = (high ^ low) &+ seed
    }
}

/// What a part of a batch is about: its sessions, numbered by their first records, its routers and its times.
struct BatchSessions {
    private(set) var keys: [SessionKey] = []
    /// For each record of the part the number of its session; -1 where it is about none.
    private(set) var numbers: [Int] = []
    /// The tenant of each router.
    private(set) var owners: [Int64: Int64] = [:]
    /// Where days must be known for the records' usage.
    private(set) var slots: Set<UsageSlot> = []
    /// The first arrival.
    private(set) var receivedMicroseconds = Int64.max

    init(_ batch: RecordBatch, _ part: Range<Int>) {
        numbers.reserveCapacity(part.count)
        var known = [Int](repeating: -1, count: batch.keys.count)
        var router: Int64?
        var slot: UsageSlot?
        for position in part {
            let entry = batch.records[position].entry
            receivedMicroseconds = min(receivedMicroseconds, entry.receivedMicroseconds)
            if entry.nas != router || owners[entry.nas] != entry.tenant { owners[entry.nas] = entry.tenant }
            router = entry.nas
            let key = batch.records[position].key
            guard case .record(let record) = batch.records[position].content, key >= 0 else {
                numbers.append(-1)
                continue
            }
            if known[key] < 0 {
                known[key] = keys.count
                keys.append(batch.keys[key])
            }
            numbers.append(known[key])
            let place = UsageSlot(tenant: entry.tenant, before: record.time.microseconds)
            if place != slot { slots.insert(place) }
            slot = place
        }
    }
}
