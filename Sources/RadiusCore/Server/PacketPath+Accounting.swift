import CLinux
import Synchronization

/// An Accounting-Request: into the journal, and the response only once the journal is on disk (RFC 2866 §2, DESIGN: Journal).
extension PacketPath {
    /// Acct-Status-Type of Accounting-On and Accounting-Off, which need no Acct-Session-Id to be of use.
    private static let accountingOn: UInt32 = 7
    private static let accountingOff: UInt32 = 8

    mutating func account(
        _ packet: Span<UInt8>, _ datagram: lm_datagram, from client: NASClient, reply: inout lm_datagram, token: ReplyToken
    ) throws(DecodeError) -> Disposition {
        guard isComplete(packet) else {
            cache.forget(token)
            throw .accountingIncomplete
        }
        var entry = JournalEntry(
            receivedMicroseconds: nowMicroseconds, tenant: client.tenant, nas: client.id, subscriber: 0,
            peer: Self.octets(of: datagram))
        if let name = index.first(AttributeNumber.userName)?.range {
            entry.subscriber = find(packet.extracting(name), of: client)?.id ?? 0
        }
        guard let sequence = environment.journal.append(entry, packet: packet) else {
            // No response: the NAS keeps the record and tries again (RFC 2866 §2).
            counters.add(.journalRefused)
            cache.forget(token)
            return .drop
        }
        var writer = PacketWriter(Self.memory(of: reply), code: .accountingResponse, identifier: packet[1])
        echoProxyState(packet, &writer)
        finish(writer, answering: packet, from: client, reply: &reply)
        client.observation.accountingResponses.add(1, ordering: .relaxed)
        return .holdUntilDurable(sequence)
    }

    private func isComplete(_ packet: Span<UInt8>) -> Bool {
        guard let status = index.first(AttributeNumber.acctStatusType), status.count == 4 else { return false }
        var type: UInt32 = 0
        for offset in status.range { type = type << 8 | UInt32(packet[offset]) }
        if type == Self.accountingOn || type == Self.accountingOff { return true }
        return (index.first(AttributeNumber.acctSessionID)?.count ?? 0) > 0
    }

    private static func octets(of datagram: lm_datagram) -> InlineArray<16, UInt8> {
        withUnsafeBytes(of: datagram.peer.octets) { address in InlineArray<16, UInt8> { address[$0] } }
    }
}
