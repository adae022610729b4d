extension AuthenticationMethod {
    /// Why nobody gets in by it as this subscriber, whatever the password; nil where what is stored serves the method.
    func refusal(by subscriber: SubscriberRecord, in snapshot: Snapshot) -> AccessReason? {
        let kind = subscriber.credentialKind
        let asksByMAC = subscriber.authenticatesByMAC && [.pap, .chap, .msCHAP, .msCHAPv2].contains(self)
        if kind == .none, needsPassword, !asksByMAC { return .noPasswordSet }
        if let (type, inner) = steps {
            // Who shows a card mostly has a name of cards, which nobody without one is found by.
            if type.isOfCard { return subscriber.hasCard ? nil : .cardMissing }
            let account = EAPAccount(of: Array(subscriber.name), in: subscriber.tenant, snapshot)
            guard let account, account.allows(type), inner?.type.map({ account.allows($0) }) ?? true else {
                return .eapMethodNeedsPassword
            }
        }
        switch (self, kind) {
        case (.chap, .ntHash), (.chap, .hash), (.eapTTLSCHAP, .ntHash), (.eapTTLSCHAP, .hash): return .methodNeedsClearText
        case (.msCHAP, .hash), (.msCHAPv2, .hash), (.eapTTLSMSCHAP, .hash), (.eapTTLSMSCHAPv2, .hash): return .methodNeedsNTHash
        // Of a hardware address.
        case (.msCHAP, .none), (.msCHAPv2, .none): return .methodNeedsClearText
        default: return nil
        }
    }
}
