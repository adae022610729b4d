import ArgumentParser

/// `lastmile pki`
struct PKICommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pki", abstract: "Makes certificates for EAP-TLS, TTLS, PEAP, TEAP and RadSec.",
        discussion: """
            An authority of your own, in a folder; no daemon is asked. The first five minutes:

              lastmile pki init --common-name "Example ISP Access"
              lastmile pki issue server --common-name radius.example.net
              lastmile pki issue client --common-name alice --upn alice@example.net --p12

            The daemon gets issued/radius.example.net.pem and .key, ca.pem, crl.pem and index.tsv; devices get ca.pem, and alice her
            .p12.
            """,
        subcommands: [PKIInitCommand.self, PKIIssueCommand.self, PKIRevokeCommand.self, PKIListCommand.self, PKIListRenewalCommand.self])
}
