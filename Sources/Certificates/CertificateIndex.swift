/// The list of what an authority issued: text with one certificate a line, between tabs.
struct CertificateIndex: Equatable {
    private(set) var records: [CertificateRecord] = []

    private static let header = "serial\tkind\tname\tcommon_name\tnot_before\tnot_after\trevoked_at\treason"

    init() {}

    /// - Throws: `CertificateFailure` that names the first line that is not as it should be.
    init(_ octets: [UInt8], path: String) throws(CertificateFailure) {
        let lines = octets.split(separator: 0x0a).map { String(decoding: $0, as: UTF8.self) }
        guard lines.first == Self.header else { throw Self.failure(path, 1, "it is not the header of an index") }
        for (position, line) in lines.enumerated().dropFirst() {
            guard let record = Self.record(line) else { throw Self.failure(path, position + 1, "it does not describe a certificate") }
            records.append(record)
        }
    }

    private static func failure(_ path: String, _ line: Int, _ why: String) -> CertificateFailure {
        CertificateFailure(
            .broken, "\(path), line \(line): \(why)",
            next: "Restore the file from a backup. Its columns, between tabs: \(header.split(separator: "\t").joined(separator: ", ")).")
    }

    var text: [UInt8] {
        let lines = [Self.header] + records.map(Self.line)
        return Array(lines.map { $0 + "\n" }.joined().utf8)
    }

    mutating func append(_ record: CertificateRecord) { records.append(record) }

    mutating func revoke(at position: Int, _ revocation: CertificateRecord.Revocation) { records[position].revocation = revocation }

    /// The certificate of a serial number, or the one in force of a name, or else the last that had the name.
    func position(of word: String, now: Int64) -> Int? {
        let serial = word.uppercased().filter { $0 != ":" }
        if let found = records.firstIndex(where: { $0.serial == serial }) { return found }
        let named = records.indices.filter { records[$0].name == word }
        return named.last { records[$0].state(at: now) == .valid } ?? named.last
    }

    private static func line(_ record: CertificateRecord) -> String {
        let revocation = record.revocation.map { [String($0.time), $0.reason.rawValue] } ?? ["-", "-"]
        let fields = [
            record.serial, record.kind.rawValue, record.name, record.commonName, String(record.notBefore), String(record.notAfter),
        ]
        return (fields + revocation).joined(separator: "\t")
    }

    private static func record(_ line: String) -> CertificateRecord? {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 8, fields[0].count == 40, fields[0].allSatisfy(\.isHexDigit), let kind = CertificateKind(rawValue: fields[1]),
            let notBefore = Int64(fields[4]), let notAfter = Int64(fields[5])
        else { return nil }
        var record = CertificateRecord(
            serial: fields[0], kind: kind, name: fields[2], commonName: fields[3], notBefore: notBefore, notAfter: notAfter)
        if fields[6] != "-" {
            guard let time = Int64(fields[6]), let reason = RevocationReason(rawValue: fields[7]) else { return nil }
            record.revocation = CertificateRecord.Revocation(time: time, reason: reason)
        }
        return record
    }
}
