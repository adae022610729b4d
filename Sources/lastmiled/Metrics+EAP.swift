import RadiusCore

extension Metrics {
    mutating func addEAP(_ eap: EAPService) {
        let (conversations, queue) = (eap.statistics, eap.queue)
        single("eap_conversations", "gauge", "EAP conversations, those that ended a moment ago included.", conversations.conversations)
        single("eap_memory_octets", "gauge", "Memory that they take, about.", conversations.memoryOctets)
        single("eap_begun_total", "counter", "EAP conversations begun.", conversations.begun)
        single("eap_expired_total", "counter", "EAP conversations that took longer than eap.conversation_seconds.", conversations.expired)
        family("eap_displaced_total", "counter", "EAP conversations that gave way to others, before a method was answered or after.")
        sample("eap_displaced_total", [("stage", "begun")], conversations.displacedBegun)
        sample("eap_displaced_total", [("stage", "answered")], conversations.displacedAnswered)
        single("eap_waiting", "gauge", "EAP packets that wait for a thread.", queue.waiting)
        single("eap_running", "gauge", "EAP packets that a thread is at.", queue.running)
        single("eap_done_total", "counter", "EAP packets that were worked on.", queue.done)
        family("eap_refused_total", "counter", "EAP packets refused: the queue, or the client's half of it, was full.")
        sample("eap_refused_total", [("reason", "queue_full")], queue.refusedFull)
        sample("eap_refused_total", [("reason", "client_share")], queue.refusedClientShare)
        single("eap_queue_expired_total", "counter", "EAP packets dropped because they waited too long.", queue.expired)
        single(
            "eap_waited_seconds_total", "counter", "Time spent waiting by all EAP packets that left the queue.",
            Double(queue.waitedNanoseconds) / 1e9)
        if let certificates = eap.certificates { addCertificates(certificates) }
    }

    private mutating func addCertificates(_ certificates: EAPCertificates) {
        let contexts = certificates.contexts
        single("eap_certificates_broken", "gauge", "1 when the last look at the files of eap.tls failed.", certificates.isBroken ? 1 : 0)
        family("eap_certificate_end_seconds", "gauge", "Unix time at which a file of eap.tls ends; absent where there is none.")
        let ends = [
            ("certificate", contexts.tunnel?.certificates.map(\.notAfter).min()),
            ("authority", contexts.certificate?.authorities.map(\.notAfter).min()),
            ("revocation_list", contexts.certificate?.revocationListEnd),
        ]
        for case (let file, let end?) in ends { sample("eap_certificate_end_seconds", [("file", file)], end) }
        if let status = certificates.status { addStatus(status.statistics) }
        family("eap_tls_sessions", "gauge", "TLS sessions that devices may log in again by.")
        sample("eap_tls_sessions", [("methods", "tls")], contexts.certificate?.sessionCount ?? 0)
        sample("eap_tls_sessions", [("methods", "ttls_peap")], contexts.tunnel?.sessionCount ?? 0)
    }

    private mutating func addStatus(_ status: OCSPService.Statistics) {
        single("eap_ocsp_waiting", "gauge", "Certificates of devices for which an OCSP responder's answer is waited for.", status.waiting)
        family("eap_ocsp_answers_total", "counter", "What OCSP responders said of devices' certificates, or that none said anything.")
        let answers = [
            ("good", status.good), ("revoked", status.revoked), ("unknown", status.unknown), ("unreachable", status.unreachable),
        ]
        for (answer, count) in answers { sample("eap_ocsp_answers_total", [("answer", answer)], count) }
    }
}
