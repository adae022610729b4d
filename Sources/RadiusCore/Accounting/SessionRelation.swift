/// Acct-Session-Id is unique only until the NAS reboots: whether a record with this session's key is of this session.
extension SessionFold {
    enum Relation {
        case same, newer, older
    }

    func relation(to record: AccountingProgress) -> Relation {
        let event = record.time.microseconds
        if isNewer(record, event) { return .newer }
        let mayBeLostStart = record.status == .start && !hasStart
        if startIsKnown, !mayBeLostStart, event < startedMicroseconds - record.tolerance { return .older }
        return .same
    }

    /// A retransmitted or reordered record must not look new: that would count its octets twice. So a record is newer only when
    /// it says that its session began after this one's last sign of life, or when it comes later and the session's age went back; and
    /// when it is no Start, only if our own clock does not say otherwise.
    private func isNewer(_ record: AccountingProgress, _ event: Int64) -> Bool {
        guard let start = record.estimatedStart else { return false }
        let last = max(stoppedMicroseconds ?? updatedMicroseconds, startedMicroseconds)
        let tolerance = record.tolerance
        if record.status == .start { return isNewStart(event, last, tolerance) || isBehindEnd(record, event) }
        if start > last + tolerance { return !isThis(record, start) }
        let age = UInt64(record.seconds ?? 0)
        if outlives(start, age) { return true }
        return event > last + tolerance && start > startedMicroseconds + tolerance && age < seconds && !isThis(record, start)
    }

    /// Whether the record, which looks newer, is of this session all the same, because the NAS's clock was set forward in between: by its
    /// own clock, then right, or by ours, its session began where ours had put this one before.
    ///
    /// A session does not get younger, and nothing of it follows its Stop. Records that were held back arrive together, whatever lies
    /// between them; so our clock counts only where the age grew by more than that.
    private func isThis(_ record: AccountingProgress, _ start: Int64) -> Bool {
        guard let sighting, let age = record.seconds, age >= sighting.age, ending != .stop else { return false }
        if sighting.fits(start: start) { return true }
        let aged = Int64(age - sighting.age) * 1_000_000
        return aged > Self.unstampedMicroseconds && sighting.fits(start: record.time.sentMicroseconds - Int64(age) * 1_000_000)
    }

    private func isNewStart(_ event: Int64, _ last: Int64, _ tolerance: Int64) -> Bool {
        guard event > startedMicroseconds + tolerance else { return false }
        // A Start that the network delivered behind the session's other records.
        if !hasStart { return event > last + tolerance }
        return event >= last
    }

    /// Whether a Start, whose time alone does not tell, cannot be a repetition all the same: it arrived behind the end and names another
    /// address than the session's Start, or it came after the NAS had restarted, which forgets what it had to repeat.
    private func isBehindEnd(_ record: AccountingProgress, _ event: Int64) -> Bool {
        guard let stoppedMicroseconds, event >= stoppedMicroseconds else { return false }
        if ending == .accountingOn, event > stoppedMicroseconds + Self.stampedMicroseconds { return true }
        return addresses.contradict(record.addresses)
    }

    /// Whether the record's session began behind the Stop and is older than this one became. Of a session's records the Stop has the
    /// highest age, and one that was held back seems to begin later, not older; so the Start of another session was lost, or taken for a
    /// repetition of this one's.
    private func outlives(_ start: Int64, _ age: UInt64) -> Bool {
        guard let stoppedMicroseconds, ending == .stop, start >= stoppedMicroseconds else { return false }
        let lived = max(seconds, UInt64(max(0, stoppedMicroseconds - startedMicroseconds)) / 1_000_000)
        return age > lived + UInt64(Self.stampedMicroseconds) / 1_000_000
    }
}

/// Records of the session before, under the same id, that arrive behind this one's Start.
extension SessionFold {
    /// By which a session's age, in whole seconds, and the time of its Start may differ.
    private static let roundingMicroseconds: Int64 = 2_000_000
    /// How long after a Start its NAS may repeat what it had to say of the session before.
    private static let overtakenMicroseconds: Int64 = 3_600_000_000

    /// Whether the record, with this session's key, may be of the session before: by its age it did not begin with this one's Start, and
    /// began earlier or names another address. The session before knows; see `claims`.
    public func isPerhapsOfTheOneBefore(_ record: AccountingProgress) -> Bool {
        guard hasStart, record.status != .start, !digests.contains(record.digest) else { return false }
        if let start = record.estimatedStart {
            if start < startedMicroseconds - Self.roundingMicroseconds { return true }
            if start <= startedMicroseconds + Self.roundingMicroseconds { return false }
        }
        return record.time.microseconds < startedMicroseconds + Self.overtakenMicroseconds
            && addresses.contradictIPv4(record.addresses)
    }

    /// Whether a record that may be of this session, or of `next`, is of this one: it was taken in before, or it names this one's address.
    public func claims(_ record: AccountingProgress, before next: SessionFold) -> Bool {
        if digests.contains(record.digest) { return true }
        return next.addresses.contradictIPv4(record.addresses) && addresses.ipv4 == record.addresses.ipv4
    }
}

/// The addresses that a record names, or a session's Starts together. A Start that is sent again names the same (RFC 2866 §4.1).
///
/// Merged in any order and any repetition they end the same: where two Starts of one session differ, nothing contradicts it any more.
struct SessionAddresses: Equatable, Sendable {
    /// Framed-IP-Address; 0 for none, all ones where Starts differ.
    var ipv4: UInt32 = 0
    /// A digest of the IPv6 address and the prefixes; 0 for none, all ones where Starts differ.
    var ipv6: UInt64 = 0

    var isNone: Bool { ipv4 == 0 && ipv6 == 0 }

    mutating func merge(_ other: SessionAddresses) {
        ipv4 = Self.merged(ipv4, other.ipv4)
        ipv6 = Self.merged(ipv6, other.ipv6)
    }

    func contradict(_ other: SessionAddresses) -> Bool {
        contradictIPv4(other) || Self.differ(ipv6, other.ipv6)
    }

    /// IPv6 prefixes come one by one while a session lasts, so that another set of them says nothing outside a Start.
    func contradictIPv4(_ other: SessionAddresses) -> Bool { Self.differ(ipv4, other.ipv4) }

    private static func merged<Value: FixedWidthInteger>(_ known: Value, _ value: Value) -> Value {
        known == 0 ? value : value == 0 || value == known ? known : .max
    }

    private static func differ<Value: FixedWidthInteger>(_ known: Value, _ value: Value) -> Bool {
        known != value && known != 0 && value != 0 && known != .max && value != .max
    }
}

extension SessionAddresses {
    /// Reads them out of a packet; values of a wrong length are none.
    init(_ packet: Span<UInt8>, _ index: borrowing AttributeIndex) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        var isNamed = false
        for position in 0..<index.count {
            let location = index[position]
            switch location.type {
            case AttributeNumber.framedIPAddress where location.count == 4:
                ipv4 = 0
                for offset in location.range { ipv4 = ipv4 << 8 | UInt32(packet[offset]) }
            case AttributeNumber.framedIPv6Address, AttributeNumber.framedIPv6Prefix, AttributeNumber.delegatedIPv6Prefix:
                isNamed = true
                hash = (hash ^ UInt64(location.type)) &* 0x100_0000_01b3
                for offset in location.range { hash = (hash ^ UInt64(packet[offset])) &* 0x100_0000_01b3 }
            default: break
            }
        }
        if isNamed { ipv6 = max(1, hash) }
    }
}

/// When a session was which age, by our clock. Of all records, the one of the highest age says it, and of the same age the first:
/// retransmissions and late records do not.
struct SessionSighting: Equatable, Sendable {
    /// Acct-Session-Time, seconds.
    var age: UInt32
    /// `EventTime.sentMicroseconds`.
    var microseconds: Int64

    func isBetter(than other: SessionSighting) -> Bool { (age, other.microseconds) > (other.age, microseconds) }

    /// Whether a session that began at `start` can be the one that was seen: it began then, and not after it was seen.
    func fits(start: Int64) -> Bool {
        let seen = microseconds &- Int64(age) * 1_000_000
        let slack = SessionFold.unstampedMicroseconds
        return start >= seen &- slack && start <= seen &+ slack && start <= microseconds &+ SessionFold.stampedMicroseconds
    }
}
