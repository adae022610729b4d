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

    /// The stable name in the API and in metrics.
    public var name: String {
        switch self {
        case .accepted: "accepted"
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
        case .replyTooLarge: "The reply attributes do not fit one packet; remove some from profile or subscriber."
        case .overloaded: "Too many slow password checks are waiting; store clear-text or NT-hash passwords, or add cores."
        case .eapOverloaded: "Too many EAP packets are waiting, of this NAS or altogether; raise eap.queue, eap.threads, or add cores."
        }
    }
}

/// How the subscriber proved the password.
public enum AuthenticationMethod: UInt8, Sendable, CaseIterable {
    case none, pap, chap, msCHAP, msCHAPv2
    /// EAP, before a method was agreed on.
    case eap
    case eapMD5, eapGTC, eapMSCHAPv2

    public var name: String {
        switch self {
        case .none: "none"
        case .pap: "pap"
        case .chap: "chap"
        case .msCHAP: "mschap"
        case .msCHAPv2: "mschapv2"
        case .eap: "eap"
        case .eapMD5: "eap-md5"
        case .eapGTC: "eap-gtc"
        case .eapMSCHAPv2: "eap-mschapv2"
        }
    }
}
