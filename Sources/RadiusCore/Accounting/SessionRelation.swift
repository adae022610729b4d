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
        if record.status == .start { return isNewStart(event, last, tolerance) }
        if start > last + tolerance { return !isThis(record, start) }
        let age = UInt64(record.seconds ?? 0)
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
