import Glibc
import Logging
import RadiusCore
import ServiceLifecycle

/// Takes over certificates and revocation lists that changed, and warns before they end.
struct EAPCertificateWatch: Service {
    let certificates: EAPCertificates
    /// Where files are looked for that settings do not name.
    let directory: String
    let everySeconds: Int
    private let logger = Logger(label: "eap")
    /// Warned of from here on, once a day.
    private static let noticeSeconds: Int64 = 30 * 86_400
    private static let daySeconds: Int64 = 86_400

    init(certificates: EAPCertificates, directory: String, everySeconds: Int) {
        self.certificates = certificates
        self.directory = directory
        self.everySeconds = everySeconds
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            describe()
            var (failure, warned) = ("", Int64(0))
            var unanswered: String?
            while !Task.isCancelled {
                failure = look(failure)
                unanswered = listen(unanswered)
                let now = Int64(time(nil))
                if now - warned >= Self.daySeconds {
                    warned = now
                    warn(now)
                }
                try? await Task.sleep(for: .seconds(everySeconds))
            }
        }
    }

    /// Gives what is wrong, so that it is said once.
    private func look(_ before: String) -> String {
        switch certificates.refresh() {
        case .unchanged, .missing:
            if !before.isEmpty { logger.notice("the files of eap.tls are as they were") }
            return ""
        case .replaced:
            describe()
            warn(Int64(time(nil)))
            return ""
        case .kept(let failure):
            let text = "\(failure)"
            if text != before { logger.error("the files of eap.tls cannot be used, \(consequence): \(text)") }
            return text
        }
    }

    /// Of files that cannot be used.
    private var consequence: String {
        certificates.contexts.tunnel == nil ? "so that peap, ttls, tls and teap are not offered" : "what was in force before stays"
    }

    /// Gives why OCSP responders do not answer, so that it is said once.
    private func listen(_ before: String?) -> String? {
        guard let status = certificates.status else { return nil }
        let failure = status.statistics.failure
        guard failure != before else { return before }
        if let failure {
            let consequence = status.settings.isRequired ? "devices are refused meanwhile" : "certificates count without it meanwhile"
            logger.error("certificates of devices cannot be asked about, \(consequence): \(failure)")
        } else {
            logger.notice("OCSP responders answer again")
        }
        return failure
    }

    private func describe() {
        guard let tunnel = certificates.contexts.tunnel, let own = tunnel.certificates.first else {
            // What is wrong is said by the look at the files.
            guard !certificates.isBroken else { return }
            return logger.notice(
                "no certificate for EAP in \(directory), so that peap, ttls, tls and teap are not offered; make one with lastmile pki")
        }
        logger.notice(
            "EAP shows the certificate \(own.subject)",
            metadata: [
                "issuer": "\(own.issuer)", "serial": "\(own.serialText)", "file": "\(certificates.files?.certificate ?? "")",
                "clients": "\(certificates.files?.authority ?? "no authority, so that tls is not offered")",
            ])
    }

    private func warn(_ now: Int64) {
        let contexts = certificates.contexts
        let ends = [
            (
                "the server's certificate for EAP", contexts.tunnel?.certificates.map(\.notAfter).min(),
                "lastmile pki issue server ... --replace"
            ),
            ("the authority of EAP's clients", contexts.certificate?.authorities.map(\.notAfter).min(), "a new authority"),
            ("the revocation list of EAP's clients", contexts.certificate?.revocationListEnd, "lastmile pki crl"),
        ]
        for case (let what, let end?, let remedy) in ends where end - now < Self.noticeSeconds {
            let days = (end - now) / Self.daySeconds
            logger.warning("\(what) \(end < now ? "has ended" : "ends in \(days) days"): \(remedy)")
        }
    }
}
