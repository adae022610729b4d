import RadiusCore

/// A record as it left the journal: decoded, or with the reason why it could not be.
struct JournalledRecord {
    let sequence: UInt64
    let entry: JournalEntry
    let packet: [UInt8]
    let content: Content

    enum Content {
        case record(AccountingRecord)
        case refused(String)
    }

    /// - Parameters:
    ///   - record: lives until this returns; what is needed of it is copied.
    ///   - index: scratch memory of the thread.
    init(_ record: borrowing JournalReader.Record, index: inout AttributeIndex) {
        sequence = record.sequence
        entry = record.entry
        let packet = record.packet
        self.packet = (0..<packet.count).map { packet[$0] }
        guard record.entry.kind == JournalEntry.accountingRequest else {
            content = .refused("unknown kind \(record.entry.kind) of journal record")
            return
        }
        do throws(DecodeError) {
            let length = try PacketHeader.length(of: packet, limit: 65_535)
            let whole = packet.extracting(0..<length)
            try index.fill(from: whole)
            content = .record(
                try AccountingRecord(packet: whole, index: index, receivedMicroseconds: record.entry.receivedMicroseconds))
        } catch {
            content = .refused("\(error)")
        }
    }

    var key: SessionKey? {
        guard case .record(let record) = content, record.status.isAboutSession else { return nil }
        return SessionKey(record, nas: entry.nas, peer: entry.peer)
    }
}
