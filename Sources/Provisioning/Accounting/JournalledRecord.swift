import RadiusCore

/// A record as it left the journal: decoded as far as every record needs it, or with the reason why it could not be.
struct JournalledRecord {
    let sequence: UInt64
    let entry: JournalEntry
    /// As it came, padding included.
    let packet: [UInt8]
    let content: Content
    /// Of a record that is about a session.
    let key: SessionKey?
    /// The same for two records that say the same of who and where; see `NamingDigest`.
    let naming: UInt64

    enum Content {
        /// `whole` has what says whose session it is.
        case record(AccountingProgress)
        case refused(String)
    }

    /// - Parameters:
    ///   - record: lives until this returns; what is needed of it is copied.
    ///   - index: scratch memory of the thread.
    init(_ record: borrowing JournalReader.Record, index: inout AttributeIndex) {
        sequence = record.sequence
        entry = record.entry
        packet = record.packet.withUnsafeBufferPointer { [UInt8]($0) }
        guard record.entry.kind == JournalEntry.accountingRequest else {
            (content, key, naming) = (.refused("unknown kind \(record.entry.kind) of journal record"), nil, 0)
            return
        }
        do throws(DecodeError) {
            let length = try PacketHeader.length(of: record.packet, limit: 65_535)
            let whole = record.packet.extracting(0..<length)
            try index.fill(from: whole)
            let progress = try AccountingProgress(packet: whole, index: index, receivedMicroseconds: entry.receivedMicroseconds)
            content = .record(progress)
            guard progress.status.isAboutSession else {
                (key, naming) = (nil, 0)
                return
            }
            key = SessionKey(packet: whole, index: index, nas: entry.nas, peer: entry.peer)
            naming = NamingDigest.of(whole, index, peer: entry.peer)
        } catch {
            (content, key, naming) = (.refused("\(error)"), nil, 0)
        }
    }

    /// The record with all of its values; nil when it does not decode.
    func whole(_ scratch: DecodingScratch) -> AccountingRecord? {
        guard case .record = content else { return nil }
        do throws(DecodeError) {
            let length = try PacketHeader.length(of: packet.span, limit: 65_535)
            let octets = packet.span.extracting(0..<length)
            try scratch.index.fill(from: octets)
            return try AccountingRecord(packet: octets, index: scratch.index, receivedMicroseconds: entry.receivedMicroseconds)
        } catch {
            return nil
        }
    }
}

/// An index to decode with, owned by the shipper's thread.
final class DecodingScratch {
    var index = AttributeIndex()
}

/// Tells records that name the same things from others, without comparing each value. Only within one process.
enum NamingDigest {
    private static let seed = UInt64.random(in: 1...(.max))
    private static let factor: UInt64 = 0x9e37_79b9_7f4a_7c15

    /// The attributes that `SessionNaming` keeps, as bits of 64 attribute numbers each.
    private static let members: (UInt64, UInt64, UInt64) = {
        let numbers = [
            AttributeNumber.userName, AttributeNumber.acctSessionID, AttributeNumber.acctMultiSessionID, AttributeNumber.nasIdentifier,
            AttributeNumber.nasIPAddress, AttributeNumber.nasIPv6Address, AttributeNumber.nasPort, AttributeNumber.nasPortID,
            AttributeNumber.nasPortType, AttributeNumber.callingStationID, AttributeNumber.calledStationID,
            AttributeNumber.framedIPAddress, AttributeNumber.framedIPv6Address, AttributeNumber.framedIPv6Prefix,
            AttributeNumber.delegatedIPv6Prefix, AttributeNumber.framedInterfaceID, AttributeNumber.classAttribute,
        ]
        func bits(_ word: Int) -> UInt64 { numbers.filter { Int($0) >> 6 == word }.reduce(0) { $0 | 1 << UInt64($1 & 63) } }
        return (bits(0), bits(1), bits(2))
    }()

    static func of(_ packet: Span<UInt8>, _ index: borrowing AttributeIndex, peer: InlineArray<16, UInt8>) -> UInt64 {
        let members = members
        var digest = seed
        for position in 0..<index.count {
            let location = index[position]
            let word = location.type < 64 ? members.0 : location.type < 128 ? members.1 : location.type < 192 ? members.2 : 0
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

/// What a batch is about: its sessions, numbered by their first records so that a key is looked up once, its routers and its times.
struct BatchSessions {
    private(set) var keys: [SessionKey] = []
    /// For each record the number of its session; -1 where it is about none.
    private(set) var numbers: [Int] = []
    /// The tenant of each router of the batch.
    private(set) var owners: [Int64: Int64] = [:]
    /// Where days must be known for the records' usage.
    private(set) var slots: Set<UsageSlot> = []
    /// The first arrival.
    private(set) var receivedMicroseconds = Int64.max

    init(_ batch: [JournalledRecord]) {
        var known: [SessionKey: Int] = [:]
        known.reserveCapacity(batch.count)
        numbers.reserveCapacity(batch.count)
        keys.reserveCapacity(batch.count)
        var router: Int64?
        var slot: UsageSlot?
        for position in batch.indices {
            let entry = batch[position].entry
            receivedMicroseconds = min(receivedMicroseconds, entry.receivedMicroseconds)
            if entry.nas != router || owners[entry.nas] != entry.tenant { owners[entry.nas] = entry.tenant }
            router = entry.nas
            guard case .record(let record) = batch[position].content, let key = batch[position].key else {
                numbers.append(-1)
                continue
            }
            let number = known[key, default: keys.count]
            if number == keys.count {
                known[key] = number
                keys.append(key)
            }
            numbers.append(number)
            let place = UsageSlot(tenant: entry.tenant, before: record.time.microseconds)
            if place != slot { slots.insert(place) }
            slot = place
        }
    }
}
