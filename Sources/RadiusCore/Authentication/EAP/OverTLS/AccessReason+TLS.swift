extension AccessReason {
    /// The sentences of what happens in a TLS handshake; the rest stands with the reasons themselves.
    var tlsSentence: String {
        switch self {
        case .tlsUnavailable:
            "Every method in eap.methods needs the server's certificate, and there is none; see the daemon's log, or lastmile pki."
        case .tlsPeerDistrusts:
            "The device does not trust the server's authority; install ca.pem on it, or choose it in the network's settings."
        case .tlsPeerRefusesCertificate:
            "The device refuses the server's certificate: its user declined, it expects another name, its clock is wrong, or it "
                + "lacks the kind of key."
        case .tlsPeerGaveUp: "The device ended the TLS handshake with an alert; its own log says why."
        case .tlsNoSharedVersion:
            "The device has no version of TLS that eap.tls.minimum_version, eap.tls.maximum_version and tls_versions of the policy rules "
                + "allow together; lastmile policy-rule test says which rule holds."
        case .tlsNoSharedCipher: "The device has no cipher suite that is allowed; for old devices set eap.tls.ciphers to compatible."
        case .tlsMalformed:
            "What the device sent is no TLS, or its fragments do not add up; look for what alters or drops packets on the way."
        case .tlsSessionVoid:
            "The device took up a TLS session from before its password changed, or nobody knows any more whose certificate it had; it has "
                + "to log in anew, with all that it has."
        case .certificateStatusUnknown:
            "No OCSP responder vouches for the device's certificate: it does not know it, or could not be asked; see the daemon's log."
        default: "OpenSSL could not go on; see the daemon's log for its certificate and memory."
        }
    }
}
