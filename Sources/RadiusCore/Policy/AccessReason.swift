/// Why an Access-Request was answered as it was: the code in the authentication log, and the sentence that people read.
public enum AccessReason: UInt16, Sendable, CaseIterable, BitwiseCopyable {
    case accepted = 0
    case acceptedCaptive = 1
    case userNameMissing = 10
    case unknownSubscriber = 11
    case noCredentials = 20
    case conflictingCredentials = 21
    case malformedCredentials = 22
    case wrongPassword = 23
    case noPasswordSet = 24
    case methodNeedsClearText = 25
    case methodNeedsNTHash = 26
    case passwordHashUnusable = 27
    case methodUnsupported = 28
    case eapMalformed = 29
    case eapStateMissing = 30
    case eapConversationUnknown = 31
    case eapOtherNode = 32
    case eapIdentityMismatch = 33
    case eapNoCommonMethod = 34
    case eapMethodNeedsPassword = 35
    case eapPeerRefused = 36
    case eapTooLong = 37
    case eapUnexpected = 38
    case statusPending = 40
    case statusSuspended = 41
    case statusDisconnected = 42
    case statusTerminated = 43
    case locked = 44
    case noWalledGarden = 45
    case profileMissing = 46
    case expired = 47
    case wrongStation = 48
    case policyRejected = 50
    case policyMethod = 51
    case replyTooLarge = 60
    case overloaded = 61
    case eapOverloaded = 62
    case certificateExpired = 100
    case certificateNotYetValid = 101
    case certificateRevoked = 102
    case certificateUnknownAuthority = 103
    case certificateWrongPurpose = 104
    case certificateRefused = 105
    case certificateMissing = 106
    case certificateWithoutName = 107
    case revocationListMissing = 108
    case revocationListStale = 109
    case tlsUnavailable = 110
    case tlsPeerDistrusts = 111
    case tlsPeerRefusesCertificate = 112
    case tlsPeerGaveUp = 113
    case tlsNoSharedVersion = 114
    case tlsNoSharedCipher = 115
    case tlsMalformed = 116
    case tlsBroken = 117
    case tlsSessionVoid = 118
    case tunnelMethodRefused = 119
    case tunnelMalformed = 120
    case tunnelEmpty = 121
    case tunnelUnbound = 122
    case certificateStatusUnknown = 123
    case tunnelIdentityRefused = 124
    case cardMissing = 130
    case cardAnswerWrong = 131
    case cardRejectsNetwork = 132
    case cardGaveUp = 133
    case cardSequenceLost = 134
    case addressPoolExhausted = 140
    case addressPoolUnavailable = 141
    case addressPoolRefilling = 142
    case addressPoolElsewhere = 143
    case addressPoolSettling = 144
    case addressPoolSwitchedOff = 145
    case proxyAccepted = 150
    case proxyRejected = 151
    case proxyNoServer = 152
    case proxyTimeout = 153
    case proxyOverloaded = 154
    case proxyLoop = 155
    case proxyUnusable = 156
    case proxyDeclined = 157
    case macNotBound = 170
    case macMissing = 171
    case lineNotBound = 172
    case lineMissing = 173
    case sessionLimit = 174

    /// The login was let in.
    var isAcceptance: Bool { self == .accepted || self == .acceptedCaptive || self == .proxyAccepted }

    /// The stable name in the API and in metrics.
    public var name: String {
        switch self {
        case .accepted: "accepted"
        case .addressPoolExhausted, .addressPoolUnavailable, .addressPoolRefilling, .addressPoolElsewhere, .addressPoolSettling,
            .addressPoolSwitchedOff:
            addressName
        case .acceptedCaptive: "accepted_captive"
        case .userNameMissing: "user_name_missing"
        case .unknownSubscriber: "unknown_subscriber"
        case .noCredentials: "no_credentials"
        case .conflictingCredentials: "conflicting_credentials"
        case .malformedCredentials: "malformed_credentials"
        case .wrongPassword: "wrong_password"
        case .noPasswordSet: "no_password_set"
        case .methodNeedsClearText: "method_needs_clear_text"
        case .methodNeedsNTHash: "method_needs_nt_hash"
        case .passwordHashUnusable: "password_hash_unusable"
        case .methodUnsupported: "method_unsupported"
        case .eapMalformed: "eap_malformed"
        case .eapStateMissing: "eap_state_missing"
        case .eapConversationUnknown: "eap_conversation_unknown"
        case .eapOtherNode: "eap_other_node"
        case .eapIdentityMismatch: "eap_identity_mismatch"
        case .eapNoCommonMethod: "eap_no_common_method"
        case .eapMethodNeedsPassword: "eap_method_needs_password"
        case .eapPeerRefused: "eap_peer_refused"
        case .eapTooLong: "eap_too_long"
        case .eapUnexpected: "eap_unexpected"
        case .statusPending: "status_pending"
        case .statusSuspended: "status_suspended"
        case .statusDisconnected: "status_disconnected"
        case .statusTerminated: "status_terminated"
        case .locked: "locked"
        case .noWalledGarden: "no_walled_garden"
        case .profileMissing: "profile_missing"
        case .expired: "expired"
        case .wrongStation: "wrong_station"
        case .policyRejected: "policy_rejected"
        case .policyMethod: "policy_method"
        case .replyTooLarge: "reply_too_large"
        case .overloaded: "overloaded"
        case .eapOverloaded: "eap_overloaded"
        case .certificateExpired: "certificate_expired"
        case .certificateNotYetValid: "certificate_not_yet_valid"
        case .certificateRevoked: "certificate_revoked"
        case .certificateStatusUnknown: "certificate_status_unknown"
        case .certificateUnknownAuthority: "certificate_unknown_authority"
        case .certificateWrongPurpose: "certificate_wrong_purpose"
        case .certificateRefused: "certificate_refused"
        case .certificateMissing: "certificate_missing"
        case .certificateWithoutName: "certificate_without_name"
        case .revocationListMissing: "revocation_list_missing"
        case .revocationListStale: "revocation_list_stale"
        case .tlsUnavailable: "tls_unavailable"
        case .tlsPeerDistrusts: "tls_peer_distrusts"
        case .tlsPeerRefusesCertificate: "tls_peer_refuses_certificate"
        case .tlsPeerGaveUp: "tls_peer_gave_up"
        case .tlsNoSharedVersion: "tls_no_shared_version"
        case .tlsNoSharedCipher: "tls_no_shared_cipher"
        case .tlsMalformed: "tls_malformed"
        case .tlsBroken: "tls_broken"
        case .tlsSessionVoid: "tls_session_void"
        case .tunnelMethodRefused: "tunnel_method_refused"
        case .tunnelMalformed: "tunnel_malformed"
        case .tunnelEmpty: "tunnel_empty"
        case .tunnelUnbound: "tunnel_unbound"
        case .tunnelIdentityRefused: "tunnel_identity_refused"
        case .cardMissing, .cardAnswerWrong, .cardRejectsNetwork, .cardGaveUp, .cardSequenceLost: cardName
        case .proxyAccepted, .proxyRejected, .proxyNoServer, .proxyTimeout, .proxyOverloaded, .proxyLoop, .proxyUnusable,
            .proxyDeclined:
            proxyName
        case .macNotBound, .macMissing, .lineNotBound, .lineMissing, .sessionLimit: bindingName
        }
    }

    /// What happened, and where there is something to do, what to do.
    public var sentence: String {
        switch self {
        case .accepted: "Accepted."
        case .acceptedCaptive: "Accepted into the walled garden."
        case .userNameMissing: "The request carries no User-Name; check the NAS configuration."
        case .unknownSubscriber: "No subscriber of the NAS's tenant has this user name."
        case .noCredentials: "The request carries no password of any kind; check the NAS's authentication method."
        case .conflictingCredentials: "The request mixes several authentication methods."
        case .malformedCredentials: "The password attribute has an impossible length, or the shared secret differs."
        case .wrongPassword: "The password is wrong (or, with PAP, the shared secret differs)."
        case .noPasswordSet: "The subscriber has no password; set one."
        case .methodNeedsClearText: "CHAP needs the clear-text password, and only a hash is stored; use PAP or store the password."
        case .methodNeedsNTHash: "MS-CHAP needs the clear-text password or the NT hash, and only a one-way hash is stored; use PAP."
        case .passwordHashUnusable: "The stored password hash cannot be used; set the password again."
        case .methodUnsupported: "The authentication method is not supported."
        case .eapMalformed: "The EAP packet does not parse; look for what alters packets between device and server."
        case .eapStateMissing: "An EAP conversation goes on without the State that it was given; the NAS, or a proxy, loses the attribute."
        case .eapConversationUnknown:
            "No such EAP conversation: it took longer than eap.conversation_seconds, gave way to others when eap.conversations was reached, "
                + "or the daemon was started anew. The device has to begin again."
        case .eapOtherNode: "The EAP conversation belongs to another node; have the NAS or proxy stay with one server for a conversation."
        case .eapIdentityMismatch: "User-Name, EAP identity and the method's own name differ; check NAS and proxies for rewritten names."
        case .eapNoCommonMethod: "The device wants no EAP method that eap.methods allows; allow one of its methods, or set the device up."
        case .eapMethodNeedsPassword:
            "No EAP method of both sides works with the hash that is stored; store the password, or use gtc (or PAP in a tunnel)."
        case .eapPeerRefused: "The device did not accept the server's proof; its stored password differs, or something stands between."
        case .eapTooLong: "The device sent more in one EAP conversation than eap.conversation_bytes allows."
        case .eapUnexpected: "The EAP packet does not fit where the conversation stands."
        case .statusPending: "The subscriber is not activated yet."
        case .statusSuspended: "The subscriber is suspended."
        case .statusDisconnected: "The subscriber is disconnected."
        case .statusTerminated: "The subscription is terminated."
        case .locked: "A lock suspends the subscriber."
        case .noWalledGarden: "The subscriber is captive and the tenant has no walled-garden profile; name one in the access policy."
        case .profileMissing: "The subscriber has no profile; assign one."
        case .expired: "The subscriber's time is over; give it a later expires_at."
        case .wrongStation: "Calling-Station-Id is not the hardware address that logs in."
        case .policyRejected: "A policy rule refuses the login; policy-rule test tells which one and why."
        case .policyMethod: "A policy rule demands another authentication method; policy-rule test tells which one."
        case .addressPoolExhausted, .addressPoolUnavailable, .addressPoolRefilling, .addressPoolElsewhere, .addressPoolSettling,
            .addressPoolSwitchedOff:
            addressSentence
        case .replyTooLarge: "The reply attributes do not fit one packet; remove some from profile or subscriber."
        case .overloaded: "Too many slow password checks are waiting; store clear-text or NT-hash passwords, or add cores."
        case .eapOverloaded: "Too many EAP packets are waiting, of this NAS or altogether; raise eap.queue, eap.threads, or add cores."
        case .certificateExpired: "The device's certificate has expired; issue a new one (lastmile pki issue client)."
        case .certificateNotYetValid: "The device's certificate is not valid yet; check the clocks."
        case .certificateRevoked: "The device's certificate is revoked."
        case .certificateUnknownAuthority: "No authority of eap.tls.authority signed the device's certificate."
        case .certificateWrongPurpose: "The device's certificate is none for clients; it lacks the usage clientAuth."
        case .certificateRefused: "The device's certificate is refused: its signature is wrong, or its key too weak."
        case .certificateMissing: "The device has no certificate to show; install one, or use TTLS, PEAP or TEAP with a password."
        case .certificateWithoutName: "The device's certificate has no name of the kinds in eap.tls.identity."
        case .revocationListMissing: "There is no revocation list of the authority that signed the device's certificate."
        case .revocationListStale: "The revocation list is stale, so every certificate is refused; make it anew (lastmile pki crl)."
        case .tlsUnavailable, .tlsPeerDistrusts, .tlsPeerRefusesCertificate, .tlsPeerGaveUp, .tlsNoSharedVersion, .tlsNoSharedCipher,
            .tlsMalformed, .tlsBroken, .tlsSessionVoid, .certificateStatusUnknown:
            tlsSentence
        case .tunnelMethodRefused:
            "The device wants a way to log in inside the tunnel that eap.ttls.inner, eap.peap.inner or eap.teap.inner does not allow."
        case .tunnelMalformed: "What came through the tunnel cannot be read, or demands what the server does not know."
        case .tunnelUnbound:
            "The device did not bind what it said in the tunnel to the tunnel, or not as the server does (eap.teap.keys), or somebody "
                + "stands between."
        case .tunnelIdentityRefused:
            "The device proves a machine where eap.teap.identities wants a user, or the other way round, the same one twice, or one "
                + "account as both."
        case .tunnelEmpty: "The device set the tunnel up and then said nothing in it; check its inner method."
        case .cardMissing, .cardAnswerWrong, .cardRejectsNetwork, .cardGaveUp, .cardSequenceLost: cardSentence
        case .proxyAccepted, .proxyRejected, .proxyNoServer, .proxyTimeout, .proxyOverloaded, .proxyLoop, .proxyUnusable,
            .proxyDeclined:
            proxySentence
        case .macNotBound, .macMissing, .lineNotBound, .lineMissing, .sessionLimit: bindingSentence
        }
    }
}
