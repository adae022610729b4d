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
    /// - Throws: `StartFailure` when files cannot be used that settings name. What is wrong in the folder is said later, in the log, unless
    ///   it shall be good, too.
    func opened(demandsGoodFolder: Bool = false) throws -> EAPCertificates {
        guard settings.key == nil || settings.certificate != nil else {
            throw StartFailure("eap.tls.key is set and eap.tls.certificate is not; they go together")
        }
        let certificates = EAPCertificates(tls) { [self] in located() }
        let isNamed = settings.certificate != nil || settings.authority != nil
        if case .kept(let failure) = certificates.refresh(), isNamed || demandsGoodFolder {
            throw StartFailure("the files of eap.tls cannot be used: \(failure)")
        }
        return certificates
    }

    /// One line for `lastmiled check`.
    func description() throws -> String {
        let certificates = try opened(demandsGoodFolder: true)
        guard let tunnel = certificates.contexts.tunnel, let own = tunnel.certificates.first else {
            return "no certificate, so that peap, ttls, tls and teap are not offered; make one with lastmile pki"
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

    private func located() -> EAPCertificates.Files? {
        let directory = AuthorityDirectory(path: settings.directory)
        let own: (certificate: String, key: String)
        if let certificate = settings.certificate {
            own = (certificate, settings.key ?? certificate)
        } else if let server = try? directory.firstServer(now: Int64(time(nil))) {
            own = (directory.certificate(server.name), directory.key(server.name))
        } else {
            return nil
        }
        var files = EAPCertificates.Files(certificate: own.certificate, key: own.key)
        files.authority = settings.authority ?? (directory.hasAuthority ? directory.authorityCertificate : nil)
        guard files.authority != nil else { return files }
        // `lastmile pki` makes the list with the authority: where it is missing, nobody can say who is revoked.
        files.revocationList = settings.revocationList ?? (settings.authority == nil ? directory.revocationList : nil)
        return files
    }
}
