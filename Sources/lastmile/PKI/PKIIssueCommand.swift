import ArgumentParser
import Certificates

/// `lastmile pki issue`
struct PKIIssueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issue", abstract: "Issues a certificate with a new key.",
        discussion: """
            server is for EAP and RadSec servers, client for who logs in with EAP-TLS, radsec for peers that call and are called. \
            Writes issued/NAME.pem and issued/NAME.key (readable by its owner alone), and NAME.p12 with --p12.
            A server's common name that is a DNS name becomes a DNS name of the certificate, too.
            Ends with 5 when a certificate of that name is in force.
            """)

    @OptionGroup var options: PKIOptions
    @Argument(help: "What it is for.") var kind: CertificateKind
    @Option(help: ArgumentHelp("Whose it is: radius.example.net, or alice.", valueName: "name")) var commonName: String
    @Option(help: ArgumentHelp("The stem of the files' names. Else made from the common name.", valueName: "name")) var name: String?
    @Option(help: ArgumentHelp("The organization in the subject.", valueName: "name")) var organization: String?
    @Option(help: ArgumentHelp("A DNS name of a server; may be repeated.", valueName: "name")) var dns: [String] = []
    @Option(help: ArgumentHelp("An IP address of a server; may be repeated.", valueName: "address")) var ip: [String] = []
    @Option(help: ArgumentHelp("An e-mail address; may be repeated.", valueName: "address")) var email: [String] = []
    @Option(help: ArgumentHelp("A user principal name, what Windows logs in with; may be repeated.", valueName: "user@realm"))
    var upn: [String] = []
    @Option(help: ArgumentHelp("A realm that a RadSec server answers for, RFC 7585; may be repeated.", valueName: "realm"))
    var naiRealm: [String] = []
    @Flag(help: "Adds the usage id-kp-eapOverLAN (RFC 4334).") var eapOverLAN = false
    @Option(help: "What its key is made of.") var keyType = KeyType.ecdsaP256
    @Option(help: ArgumentHelp("Days until it expires.", valueName: "n")) var days = 397
    @Flag(help: "Overwrites the files of that name, to renew a certificate in its place; the one before stays valid until it ends.")
    var replace = false
    @Flag(name: .customLong("p12"), help: "Writes a PKCS#12 file for phones and Windows as well; asks for its password.")
    var wantsKeyStore = false
    @Option(
        name: .customLong("p12-password-file"),
        help: ArgumentHelp("Reads that password from the first line of a file instead; - is standard input.", valueName: "file"))
    var passwordFile: String?
    @Option(name: .customLong("p12-encryption"), help: "How the PKCS#12 file is encrypted; 3des for old devices.")
    var encryption = PKCS12Encryption.aes256

    /// Apple's devices refuse server certificates that are valid for longer.
    private static var longestServerDays: Int { 825 }

    func run() throws {
        guard wantsKeyStore || passwordFile == nil else {
            throw CommandFailure.usage("--p12-password-file without --p12", next: "Add --p12 to get a PKCS#12 file.")
        }
        let authority = try options.authority()
        var order: CertificateAuthority.KeyStoreOrder?
        if wantsKeyStore { order = .init(password: try PasswordPrompt.read(file: passwordFile), encryption: encryption) }
        let now = PKIOptions.now
        let issued = try PKIOptions.attempt { () throws(CertificateFailure) in
            try authority.issue(request, keyStore: order, replaces: replace, now: now)
        }
        Terminal.out(options.rendering.record(Self.record(issued, now: now), columns: []))
        for note in notes { Terminal.note(note + "\n") }
    }

    var request: CertificateRequest {
        var request = CertificateRequest(kind: kind, commonName: commonName, name: name)
        request.organization = organization
        request.dnsNames = dns
        let isNamedByHost = kind != .client && CertificateRequest.isDNSName(commonName)
        if isNamedByHost, !dns.contains(commonName) { request.dnsNames.insert(commonName, at: 0) }
        request.ipAddresses = ip
        request.emailAddresses = email
        request.userPrincipalNames = upn
        request.naiRealms = naiRealm
        request.isForEAPOverLAN = eapOverLAN
        request.keyType = keyType
        request.days = days
        return request
    }

    var notes: [String] {
        var notes: [String] = []
        if kind != .client, days > Self.longestServerDays {
            notes.append("Apple's devices refuse server certificates of more than \(Self.longestServerDays) days.")
        }
        if kind != .client, request.dnsNames.isEmpty {
            notes.append(
                "“\(commonName)” is no DNS name, and there is no --dns: supplicants and RadSec peers cannot check which server this is.")
        }
        if wantsKeyStore, encryption == .tripleDES { notes.append("Triple DES is weak: delete the .p12 file once the device has it.") }
        return notes
    }

    private static func record(_ issued: CertificateAuthority.Issued, now: Int64) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(issued.record.name)), .init("kind", .string(issued.record.kind.rawValue)),
            .init("serial", .string(issued.record.serial)), .init("certificate", .string(issued.certificatePath)),
            .init("key", .string(issued.keyPath)),
        ]
        if let path = issued.keyStorePath { members.append(.init("p12", .string(path))) }
        members.append(.init("not_after", .string(UTCText.instant(issued.record.notAfter))))
        members.append(.init("days_left", .number(issued.record.daysLeft(at: now))))
        return .object(members)
    }
}
