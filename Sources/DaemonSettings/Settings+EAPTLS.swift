extension Settings {
    /// How EAP-TLS, TTLS, PEAP and TEAP are spoken, and with which files. Paths are absolute.
    public struct EAPTLS: Sendable, Equatable {
        /// Of `lastmile pki`.
        public let directory: String
        /// Nil, here and below: as `directory` has it.
        public let certificate: String?
        public let key: String?
        public let authority: String?
        public let revocationList: String?
        public let acceptsStaleRevocationList: Bool
        /// `no`, `if_reachable` or `required`.
        public let ocsp: String
        /// Nil: whom the certificate names.
        public let ocspResponder: String?
        public let ocspSeconds: Int
        public let ocspKeptSeconds: Int
        /// `1.2` or `1.3`, as is `maximumVersion`.
        public let minimumVersion: String
        public let maximumVersion: String
        /// `modern` or `compatible`.
        public let ciphers: String
        /// Kinds of names: `upn`, `email`, `dns`, `cn`.
        public let identity: [String]
        public let packetBytes: Int
        /// 0: no session is kept.
        public let sessionSeconds: Int
        public let sessions: Int
        public let refreshSeconds: Int
        /// Such as `pap` and `eap-gtc`.
        public let ttlsInner: [String]
        /// Names of methods.
        public let peapInner: [String]
        /// `no`, `yes` or `required`.
        public let peapCryptoBinding: String
        /// Names of methods, and `password`.
        public let teapInner: [String]
        /// `any`, `user`, `machine`, `machine_and_user` or `machine_then_user`.
        public let teapIdentities: String
        /// `rfc9930`, `rfc9930_msk` or `rfc7170`.
        public let teapKeys: String

        /// Where the key of `certificate` is when `key` is nil and the certificate's own file holds none.
        public var keyBeside: String? { certificate.map { TransportSettings.key(beside: $0) } }

        init(_ values: SettingValues) {
            directory = values.optionalPath("eap.tls.directory") ?? values.absolutePath("state.dir") + "/pki"
            certificate = values.optionalPath("eap.tls.certificate")
            key = values.optionalPath("eap.tls.key")
            authority = values.optionalPath("eap.tls.authority")
            revocationList = values.optionalPath("eap.tls.revocation_list")
            acceptsStaleRevocationList = values.text("eap.tls.accept_stale_revocation_list") == "yes"
            ocsp = values.text("eap.tls.ocsp")
            ocspResponder = values.text("eap.tls.ocsp_responder").isEmpty ? nil : values.text("eap.tls.ocsp_responder")
            ocspSeconds = values.number("eap.tls.ocsp_seconds")
            ocspKeptSeconds = values.number("eap.tls.ocsp_kept_seconds")
            minimumVersion = values.text("eap.tls.minimum_version")
            maximumVersion = values.text("eap.tls.maximum_version")
            ciphers = values.text("eap.tls.ciphers")
            identity = values.list("eap.tls.identity")
            packetBytes = values.number("eap.tls.packet_bytes")
            sessionSeconds = values.number("eap.tls.session_seconds")
            sessions = values.number("eap.tls.sessions")
            refreshSeconds = values.number("eap.tls.refresh_seconds")
            ttlsInner = values.list("eap.ttls.inner")
            peapInner = values.list("eap.peap.inner")
            peapCryptoBinding = values.text("eap.peap.crypto_binding")
            teapInner = values.list("eap.teap.inner")
            teapIdentities = values.text("eap.teap.identities")
            teapKeys = values.text("eap.teap.keys")
        }
    }
}

extension SettingValues {
    /// Absolute; nil when the key is empty.
    fileprivate func optionalPath(_ name: String) -> String? { text(name).isEmpty ? nil : absolutePath(name) }
}
