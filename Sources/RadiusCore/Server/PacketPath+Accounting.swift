internal import CLinux

/// An Accounting-Request: into the journal, and the response only once the journal is on disk (RFC 2866 §2, DESIGN: Journal).
extension PacketPath {
    /// Acct-Status-Type of Accounting-On and Accounting-Off, which need no Acct-Session-Id to be of use.
    private static let accountingOn: UInt32 = 7
    private static let accountingOff: UInt32 = 8

    mutating func account(
        _ work: PacketWork, _ reply: UnsafeMutablePointer<lm_datagram>, _ token: ReplyToken
    ) throws(DecodeError) -> Disposition {
        let client = work.client
        guard Self.isComplete(work.attributes) else {
            cache.forget(token)
            throw .accountingIncomplete
        }
        var entry = JournalEntry(
            receivedMicroseconds: nowMicroseconds, tenant: client.pointee.tenant, nas: client.pointee.id, subscriber: 0,
            peer: Self.octets(of: work.datagram))
        if let name = work.attributes.first(.userName), let subscriber = find(name, work) {
            entry.subscriber = subscriber.id
            entry.profile = subscriber.profile
            if snapshot.hasSessionLimits || subscriber.isBound {
                withUnsafePointer(to: work) { Self.noteSession($0, subscriber, in: snapshot, environment.sessions, at: nowUnixSeconds) }
            }
        }
        var writer = Self.begin(.accountingResponse, answering: work.packet, in: reply)
        echoProxyState(work.attributes, &writer)
        finish(writer, to: client, reply)
        batch.annotate(FlightNote(subscriber: entry.subscriber))
        batch.records[batch.recordCount] = UnjournalledRecord(
            entry: entry, packet: work.packet, count: work.attributes.count, reply: batch.replyCount &- 1)
        batch.recordCount &+= 1
        return .journal
    }

    /// Hands the records of the batch to the journal behind one lock; each response then waits until its record is on disk.
    mutating func journalRecords(to port: inout ReplyPort) {
        guard batch.recordCount > 0 else { return }
        let records = UnsafeMutableBufferPointer(start: batch.records, count: batch.recordCount)
        environment.journal.appending { journal in
            for position in records.indices {
                let record = records[position]
                let packet = Span(_unsafeStart: record.packet, count: record.count)
                records[position].sequence = journal.append(record.entry, packet: packet) ?? 0
            }
        }
        for record in records { settle(record, &port) }
    }

    private mutating func settle(_ record: UnjournalledRecord, _ port: inout ReplyPort) {
        let reply = batch.replies + record.reply
        guard record.sequence > 0 else {
            // No response: the NAS keeps the record and tries again (RFC 2866 §2).
            counters.add(.journalRefused)
            if isStream { noteUnserved(UnsafePointer(reply.pointee.reply), record.packet, record.count) }
            cache.forget(reply.pointee.token)
            port.leaveOut(reply.pointee.reply)
            reply.pointee.isSigned = true
            reply.pointee.disposition = .drop
            return
        }
        tally.add(reply.pointee.client) { $0.accountingResponses &+= 1 }
        reply.pointee.disposition = .holdUntilDurable(record.sequence)
    }

    private static func isComplete(_ request: RequestAttributes) -> Bool {
        guard let status = request.first(.acctStatusType), status.count == 4 else { return false }
        let octets = UnsafeRawPointer(request.packet + status.lowerBound)
        let type = UInt32(bigEndian: octets.loadUnaligned(as: UInt32.self))
        if type == accountingOn || type == accountingOff { return true }
        return (request.first(.acctSessionID)?.count ?? 0) > 0
    }

    static func octets(of datagram: UnsafePointer<lm_datagram>) -> InlineArray<16, UInt8> {
        let octets = UnsafeRawPointer(datagram) + (MemoryLayout<lm_datagram>.offset(of: \.peer.octets) ?? 0)
        return octets.loadUnaligned(as: InlineArray<16, UInt8>.self)
    }
}
