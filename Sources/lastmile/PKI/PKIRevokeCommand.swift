import ArgumentParser
import Certificates

/// `lastmile pki revoke`
struct PKIRevokeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revokes a certificate and makes the revocation list anew.",
        discussion: "Ends with 3 when there is no such certificate, with 5 when it is revoked already.")

    @OptionGroup var options: PKIOptions
    @Argument(help: "Its name, or its serial number in hexadecimal.") var certificate: String
    @Option(help: "Why.") var reason = RevocationReason.unspecified
    @Option(help: ArgumentHelp("Days until the new revocation list is stale.", valueName: "n")) var crlDays = 365

    func run() throws {
        let authority = try options.authority()
        let now = PKIOptions.now
        let record = try PKIOptions.attempt { () throws(CertificateFailure) in
            try authority.revoke(certificate, reason: reason, revocationListDays: crlDays, now: now)
        }
        Terminal.out(options.rendering.record(PKIListCommand.row(record, now: now), columns: []))
    }
}

/// `lastmile pki crl`
struct PKIListRenewalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crl", abstract: "Makes the revocation list anew, before it becomes stale.",
        discussion: "revoke does this, too. A stale list refuses every certificate, so run this well before: once a month from a timer.")

    @OptionGroup var options: PKIOptions
    @Option(help: ArgumentHelp("Days until it is stale.", valueName: "n")) var crlDays = 365

    func run() throws {
        let authority = try options.authority()
        let end = try PKIOptions.attempt { () throws(CertificateFailure) in
            try authority.renewRevocationList(days: crlDays, now: PKIOptions.now)
        }
        let record = JSONValue.object([
            .init("crl", .string(authority.directory.revocationList)), .init("crl_next_update", .string(UTCText.instant(end))),
        ])
        Terminal.out(options.rendering.record(record, columns: []))
    }
}
