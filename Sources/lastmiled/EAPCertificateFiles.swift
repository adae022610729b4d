import Certificates
import DaemonSettings
import Glibc
import RadiusCore

/// Which files EAP over TLS uses: those that settings name, else what `lastmile pki` made.
struct EAPCertificateFiles: Sendable {
    private let settings: Settings.EAPTLS

    init(_ settings: Settings.EAPTLS) { self.settings = settings }

    /// What EAP is told besides the files.
    func apply(to eap: inout EAPService.Settings) {
        eap.packetOctets = settings.packetBytes
        eap.certificateNames = settings.identity.compactMap { EAPCertificateName(rawValue: $0) }
        eap.ttlsMethods = settings.ttlsInner.compactMap { EAPInnerMethod(rawValue: $0) }
        eap.peapMethods = settings.peapInner.compactMap { EAPType(name: $0) }
        eap.peapBinding = EAPCryptoBinding(rawValue: settings.peapCryptoBinding) ?? .yes
        eap.teap.methods = settings.teapInner.compactMap { $0 == "password" ? .pap : EAPInnerMethod(rawValue: "eap-\($0)") }
        eap.teap.identities = EAPTEAPSettings.Identities(rawValue: settings.teapIdentities) ?? .any
        eap.teap.schedule = EAPTEAPSchedule(rawValue: settings.teapKeys) ?? .rfc9930
    }

    /// With the files read, where there are any.
    ///
    /// - Throws: `StartFailure` when a file cannot be used that settings name. What is wrong in the folder is said later, in the log,
    ///   unless it shall be good, too.
    func opened(demandsGoodFolder: Bool = false) throws -> EAPCertificates {
        guard settings.key == nil || settings.certificate != nil else {
            throw StartFailure("eap.tls.key is set and eap.tls.certificate is not; they go together")
        }
        let certificates = EAPCertificates(tls) { [self] () throws(TLSFileFailure) in try located() }
        if case .kept(let failure) = certificates.refresh(), demandsGoodFolder || named.contains(failure.path) {
            throw StartFailure("the files of eap.tls cannot be used: \(failure)")
        }
        return certificates
    }

    /// One line for `lastmiled check`.
    func description() throws -> String {
        let certificates = try opened(demandsGoodFolder: true)
        guard let tunnel = certificates.contexts.tunnel, let own = tunnel.certificates.first else {
            return "no certificate in \(settings.directory), so that peap, ttls, tls and teap are not offered; make one with lastmile pki"
        }
        let days = (own.notAfter - Int64(time(nil))) / 86_400
        let clients = certificates.contexts.certificate == nil ? "; no authority, so that tls is not offered" : ""
        return "certificate \(own.subject), \(days) days left\(clients)"
    }

    private var tls: EAPCertificates.Settings {
        var tls = EAPCertificates.Settings()
        // Settings with a minimum above the maximum are not loaded.
        tls.minimumVersion = settings.minimumVersion == "1.3" ? .tls13 : .tls12
        tls.maximumVersion = settings.maximumVersion == "1.2" ? .tls12 : .tls13
        tls.ciphers = settings.ciphers == "compatible" ? .compatible : .modern
        tls.resumption =
            settings.sessionSeconds == 0
            ? nil : TLSSettings.Resumption(lifetimeSeconds: settings.sessionSeconds, sessionLimit: settings.sessions)
        tls.acceptsStaleRevocationList = settings.acceptsStaleRevocationList
        tls.status = status
        return tls
    }

    private var status: OCSPService.Settings? {
        guard settings.ocsp != "no" else { return nil }
        var status = OCSPService.Settings()
        status.isRequired = settings.ocsp == "required"
        status.responder = settings.ocspResponder
        status.timeoutSeconds = settings.ocspSeconds
        status.keptSeconds = settings.ocspKeptSeconds
        return status
    }

    /// What settings say of files, those included that follow from it.
    private var named: [String] {
        [settings.certificate, settings.certificate.map { key(of: $0) }, settings.authority, settings.revocationList].compactMap { $0 }
    }

    /// Of the certificate that settings name.
    private func key(of certificate: String) -> String {
        settings.key ?? (TLSSettings.holdsKey(certificate) ? certificate : settings.keyBeside ?? certificate)
    }

    private func located() throws(TLSFileFailure) -> EAPCertificates.Files? {
        let directory = AuthorityDirectory(path: settings.directory)
        guard var files = try own(directory) else { return nil }
        files.authority = settings.authority ?? (directory.hasAuthority ? directory.authorityCertificate : nil)
        guard files.authority != nil else { return files }
        files.revocationList = settings.revocationList
        guard settings.authority == nil, settings.revocationList == nil else { return files }
        // `lastmile pki` makes the list with the authority: where it is missing, nobody can say who is revoked.
        guard FileStamp(path: directory.revocationList) != nil else {
            throw TLSFileFailure(
                path: directory.revocationList,
                reason: "No such file or directory; lastmile pki crl makes it, where the authority's key is")
        }
        files.revocationList = directory.revocationList
        files.demandsOwnRevocationList = true
        return files
    }

    /// With the server's certificate and key only; nil without.
    private func own(_ directory: AuthorityDirectory) throws(TLSFileFailure) -> EAPCertificates.Files? {
        if let certificate = settings.certificate {
            return EAPCertificates.Files(certificate: certificate, key: key(of: certificate))
        }
        do throws(CertificateFailure) {
            return try directory.firstServer(now: Int64(time(nil))).map { server in
                EAPCertificates.Files(certificate: directory.certificate(server.name), key: directory.key(server.name))
            }
        } catch {
            throw TLSFileFailure(path: directory.path, reason: "\(error.message). \(error.next) Or set eap.tls.certificate.")
        }
    }
}
