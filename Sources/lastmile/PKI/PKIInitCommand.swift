import ArgumentParser
import Certificates

/// `lastmile pki init`
struct PKIInitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Makes an authority: its key, certificate and empty revocation list.",
        discussion: "Never overwrites one: ends with 5 when the folder holds an authority already.")

    @OptionGroup var options: PKIOptions
    @Option(help: ArgumentHelp("What devices show when they ask whether to trust it.", valueName: "name"))
    var commonName = "Lastmile Access CA"
    @Option(help: ArgumentHelp("The provider's name, in the authority's subject.", valueName: "name")) var organization: String?
    @Option(help: "What its key is made of.") var keyType = KeyType.ecdsaP256
    @Option(help: ArgumentHelp("Days until it expires, and all certificates with it.", valueName: "n")) var days = 3650
    @Option(help: ArgumentHelp("Days until the revocation list is stale.", valueName: "n")) var crlDays = 365

    func run() throws {
        let authority = try options.authority()
        let now = PKIOptions.now
        try PKIOptions.attempt { () throws(CertificateFailure) in
            try authority.initialize(
                commonName: commonName, organization: organization, keyType: keyType, days: days, revocationListDays: crlDays, now: now)
        }
        let directory = authority.directory
        let record = JSONValue.object([
            .init("authority", .string(directory.authorityCertificate)), .init("key", .string(directory.authorityKey)),
            .init("crl", .string(directory.revocationList)), .init("not_after", .string(UTCText.instant(now + Int64(days) * 86400))),
            .init("crl_next_update", .string(UTCText.instant(now + Int64(crlDays) * 86400))),
        ])
        Terminal.out(options.rendering.record(record, columns: []))
        Terminal.note(
            """
            Next: lastmile pki issue server --common-name radius.example.net
            Whoever has \(directory.authorityKey) can make certificates for anybody: keep its backup locked away.

            """)
    }
}
