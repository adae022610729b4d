extension SettingTable {
    static let eap: [SettingKey] = [
        SettingKey(
            "eap.methods", .choices(["peap", "ttls", "tls", "teap", "mschapv2", "md5", "gtc", "aka-prime", "aka", "sim", "pwd"]),
            "peap,ttls,tls,teap,mschapv2,md5,gtc,aka-prime,aka,sim,pwd",
            "methods that may be used, in the order in which they are proposed; those over TLS only where there is a certificate"),
        SettingKey(
            "eap.aka_prime.network", .choice(["WLAN", "ETHERNET", "HRPD", "WIMAX"]), "WLAN",
            "what EAP-AKA' binds its keys to: how devices reach the network"),
        SettingKey(
            "eap.notify_refused", .choice(["no", "yes"]), "no",
            "tell a peer that is turned away behind MD5-Challenge why, by an EAP Notification"),
        SettingKey("eap.conversations", .integer(16...1_048_576), "16384", "conversations at one moment; beyond it the oldest gives way"),
        SettingKey("eap.memory_bytes", .integer(1_048_576...68_719_476_736), "134217728", "memory of all conversations"),
        SettingKey("eap.conversation_bytes", .integer(4_096...1_048_576), "65536", "octets that a peer may send in one conversation"),
        SettingKey("eap.conversation_seconds", .integer(30...600), "120", "how long a conversation may take"),
        SettingKey("eap.response_seconds", .integer(5...300), "30", "how long a NAS is told to wait for each answer of its peer"),
        SettingKey("eap.threads", .integer(0...64), "0", "threads that work on conversations; 0: half of the cores"),
        SettingKey("eap.queue", .integer(1...1_048_576), "4096", "EAP packets that may wait for them; half of it for one client"),
        SettingKey(
            "eap.deadline_milliseconds", .integer(100...120_000), "5000",
            "how long an EAP packet may wait for them before it is dropped unanswered"),
    ]

    static let eapTLS: [SettingKey] = [
        SettingKey("eap.tls.directory", .optionalPath, "", "what lastmile pki made; empty: pki in state.dir"),
        SettingKey(
            "eap.tls.certificate", .optionalPath, "",
            "the server's certificate in PEM, those above it behind it; empty: the first valid one in the directory"),
        SettingKey("eap.tls.key", .optionalPath, "", "its key; empty: in the certificate's file, else beside it with .key at its end"),
        SettingKey("eap.tls.authority", .optionalPath, "", "whose clients are trusted; empty: ca.pem in the directory"),
        SettingKey(
            "eap.tls.revocation_list", .optionalPath, "", "who is revoked; empty: crl.pem in the directory, if the authority is from there"),
        SettingKey(
            "eap.tls.accept_stale_revocation_list", .choice(["no", "yes"]), "no", "let a revocation list past its next update still count"),
        SettingKey(
            "eap.tls.ocsp", .choice(["no", "if_reachable", "required"]), "no",
            "ask an OCSP responder whether a device's certificate is still good; required: refuse devices while none answers"),
        SettingKey("eap.tls.ocsp_responder", .web, "", "who is asked; empty: whom the device's certificate names"),
        SettingKey("eap.tls.ocsp_seconds", .integer(1...30), "3", "how long one answer is waited for"),
        SettingKey("eap.tls.ocsp_kept_seconds", .integer(60...604_800), "3600", "how long an answer counts, if it says no shorter time"),
        SettingKey("eap.tls.minimum_version", .choice(["1.2", "1.3"]), "1.2", "the least version of TLS"),
        SettingKey("eap.tls.maximum_version", .choice(["1.2", "1.3"]), "1.3", "the greatest version of TLS"),
        SettingKey("eap.tls.ciphers", .choice(["modern", "compatible"]), "modern", "cipher suites of TLS 1.2; compatible: old ones, too"),
        SettingKey(
            "eap.tls.identity", .choices(["upn", "email", "dns", "cn"]), "upn,email,dns,cn",
            "names of a device's certificate that may be a subscriber's, the first that is one counts"),
        SettingKey(
            "eap.tls.packet_bytes", .integer(128...3_500), "1024", "EAP packets over TLS at most; a NAS's Framed-MTU makes them less"),
        SettingKey(
            "eap.tls.session_seconds", .integer(0...604_800), "86400", "how long a device may log in again by its TLS session; 0: never"),
        SettingKey("eap.tls.sessions", .integer(1...10_000_000), "50000", "TLS sessions that are kept, 1 KB each"),
        SettingKey("eap.tls.refresh_seconds", .integer(1...3_600), "10", "how often the files are looked at; changed ones are taken over"),
        SettingKey(
            "eap.ttls.inner", .choices(["pap", "chap", "mschap", "mschapv2", "eap-mschapv2", "eap-md5", "eap-gtc", "eap-tls"]),
            "pap,chap,mschap,mschapv2,eap-mschapv2,eap-md5,eap-gtc,eap-tls", "how a device may log in inside TTLS"),
        SettingKey(
            "eap.peap.inner", .choices(["mschapv2", "gtc", "tls"]), "mschapv2,gtc,tls",
            "methods inside PEAP, in the order in which they are proposed"),
        SettingKey(
            "eap.peap.crypto_binding", .choice(["no", "yes", "required"]), "yes",
            "bind the method inside PEAP to its tunnel; required: refuse devices that do not"),
        SettingKey(
            "eap.teap.inner", .choices(["mschapv2", "tls", "password", "gtc", "md5"]), "mschapv2,tls,password",
            "how a device may log in inside TEAP, in the order in which it is proposed; md5 and gtc leave nothing to bind to the tunnel"),
        SettingKey(
            "eap.teap.identities", .choice(["any", "user", "machine", "machine_and_user", "machine_then_user"]), "any",
            "whom a device has to prove inside TEAP; machine_then_user: a user, too, if there is one"),
        SettingKey(
            "eap.teap.keys", .choice(["rfc9930", "rfc9930_msk", "rfc7170"]), "rfc9930",
            "how TEAP makes its keys; rfc9930_msk: without EMSK; rfc7170: as wpa_supplicant up to 2.10 does"),
    ]
}
