import ArgumentParser
import Certificates

/// `lastmile pki list`
struct PKIListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Prints the certificates that the authority issued, with days until they expire.")

    @OptionGroup var options: PKIOptions
    @Option(help: "Only those that are valid, expired or revoked.") var state: CertificateRecord.State?
    @Option(help: ArgumentHelp("Only valid ones that expire within so many days.", valueName: "days")) var expiring: Int64?

    /// From when on a coming end is worth a warning.
    private static var warningDays: Int64 { 30 }

    static var columns: [Column] {
        ["name", "kind", "common_name", "state", "days_left", "not_after", "serial", "revoked_at", "reason"].map { Column($0) }
    }

    func run() throws {
        let authority = try options.authority()
        let now = PKIOptions.now
        let (records, ends) = try PKIOptions.attempt { () throws(CertificateFailure) in (try authority.records(), try authority.ends()) }
        let shown = records.filter { record in
            if let state, record.state(at: now) != state { return false }
            guard let expiring else { return true }
            return record.state(at: now) == .valid && record.daysLeft(at: now) <= expiring
        }
        Terminal.out(options.rendering.list(shown.map { Self.row($0, now: now) }, columns: Self.columns))
        for warning in Self.warnings(ends, now: now) { Terminal.note(warning + "\n") }
    }

    static func row(_ record: CertificateRecord, now: Int64) -> JSONValue {
        .object([
            .init("name", .string(record.name)), .init("kind", .string(record.kind.rawValue)),
            .init("common_name", .string(record.commonName)), .init("state", .string(record.state(at: now).rawValue)),
            .init("days_left", .number(record.daysLeft(at: now))), .init("not_after", .string(UTCText.instant(record.notAfter))),
            .init("serial", .string(record.serial)),
            .init("revoked_at", record.revocation.map { .string(UTCText.instant($0.time)) } ?? .null),
            .init("reason", record.revocation.map { .string($0.reason.rawValue) } ?? .null),
        ])
    }

    static func warnings(_ ends: (authority: Int64, revocationList: Int64?), now: Int64) -> [String] {
        var warnings: [String] = []
        let days = (ends.authority - now) / 86400
        if days <= warningDays {
            let end = Self.when(ends.authority - now, past: "has been over")
            warnings.append("The authority \(end), and every certificate with it: make a new one in another --directory.")
        }
        let remedy = "Make it anew: lastmile pki crl"
        guard let end = ends.revocationList else { return warnings + ["The revocation list cannot be read. \(remedy)"] }
        if (end - now) / 86400 <= warningDays {
            warnings.append("The revocation list \(Self.when(end - now, past: "is stale")). \(remedy)")
        }
        return warnings
    }

    private static func when(_ seconds: Int64, past: String) -> String {
        seconds < 0 ? "\(past) for \(Quantity.seconds(-seconds))" : "ends in \(Quantity.seconds(seconds))"
    }
}
