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
    /// it says that its session began after this one's last sign of life, or when it comes later and the session's age went back.
    private func isNewer(_ record: AccountingProgress, _ event: Int64) -> Bool {
        guard let start = record.estimatedStart else { return false }
        let last = max(stoppedMicroseconds ?? updatedMicroseconds, startedMicroseconds)
        let tolerance = record.tolerance
        if record.status == .start { return isNewStart(event, last, tolerance) }
        if start > last + tolerance { return true }
        let age = UInt64(record.seconds ?? 0)
        return event > last + tolerance && start > startedMicroseconds + tolerance && age < seconds
    }

    private func isNewStart(_ event: Int64, _ last: Int64, _ tolerance: Int64) -> Bool {
        guard event > startedMicroseconds + tolerance else { return false }
        // A Start that the network delivered behind the session's other records.
        if !hasStart { return event > last + tolerance }
        return event >= last
    }
}
