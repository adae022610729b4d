/// The whole derivation of an answer: what a NAS would be told about a subscriber now, and why.
///
/// Made by the same decision and the same writer as the packet path; of the password it looks only whether there is one, and
/// in which form.
public struct Explanation: Sendable {
    public let userName: String
    public let status: SubscriberStatus
    public let locks: [(reason: LockReason, level: AccessLevel)]
    public let level: AccessLevel
    public let reason: AccessReason
    public let isAccepted: Bool
    public let credential: CredentialKind
    /// Names of the authentication methods that the stored credential can serve.
    public let methods: [AuthenticationMethod]
    /// The profile that is sent; nil with a reject.
    public let profile: (id: Int64, name: String, rate: BandwidthRate)?
    public let nas: String
    public let vendor: NASVendor
    /// What the NAS cannot be told exactly.
    public let alarms: [RateAlarm]
    /// Why the NAS does not end sessions by itself as the subscriber's quota asks; nil where it does, or nothing is asked.
    public let quotaWarning: String?
    /// The reply's attributes in order, without Message-Authenticator and those of the method.
    public let attributes: [AttributePair]
    /// The same in wire form.
    public let encoded: [UInt8]

    /// What address pools would give; empty where the profile names none, or the subscriber brings its own.
    public let addresses: [AddressPreview]
    /// What the subscriber is bound to, and what the request tells of it.
    public let bindings: [BindingReport.Line]
    /// How many sessions the subscriber may have at once, and the places that it is online from, as far as this node knows (nil: it does not
    /// look); nil without a limit.
    public let sessions: (limit: SessionLimit, places: Int?)?
    /// What each policy rule made of the request, those about versions of TLS first; empty without rules. Where status or locks refuse
    /// before them, the others are left out.
    public let rules: PolicyReport

    /// Nil when `tenant` has no subscriber called `userName`.
    ///
    /// - Parameters:
    ///   - userName: of the subscriber.
    ///   - tenant: whose subscriber.
    ///   - client: the NAS that asks.
    ///   - snapshot: in force.
    ///   - request: what policy rules look at; nil leaves them out.
    ///   - census: who is online; nil where this node does not know.
    ///   - offer: of EAP; nil where it is not known.
    public init?(
        userName: String, tenant: Int64, client: NASClient, in snapshot: Snapshot, request: PolicyRequest? = nil,
        census: SessionCensus? = nil, offer: EAPOffer? = nil
    ) {
        var name = userName
        guard let subscriber = name.withUTF8({ snapshot.subscribers.find(tenant: tenant, name: UnsafeRawBufferPointer($0)) })
        else { return nil }
        let handshake = request.map { HandshakeReport($0, client, in: snapshot, offer: offer) }
        let run = PolicyRun(request, subscriber, client, snapshot, refusal: handshake?.refusal)
        let decision = run.decision
        rules = PolicyReport(lines: (handshake?.rules.lines ?? []) + run.report.lines)
        bindings = run.bindings.lines
        let limit = subscriber.sessionLimit(in: snapshot)
        sessions = limit.count == 0 ? nil : (limit, census?.places(of: subscriber.id, at: decision.verdict.seconds))
        self.userName = userName
        status = subscriber.status
        locks = subscriber.locks.locks
        level = decision.level
        credential = subscriber.credentialKind
        methods =
            subscriber.credentialKind == .none && subscriber.authenticatesByMAC
            ? [.pap, .chap] : Self.methods(for: subscriber.credentialKind) + (subscriber.hasCard ? [.eapSIM, .eapAKA, .eapAKAPrime] : [])
        nas = client.name
        vendor = client.vendor
        let reply = run.reply
        isAccepted = decision.isAccepted && reply != nil && run.poolFault == nil
        // A refusal has nothing of the reply that would have been.
        let octets = isAccepted ? reply ?? [] : run.refusal
        encoded = octets
        reason = decision.isAccepted && !isAccepted ? run.poolFault ?? .replyTooLarge : decision.reason
        addresses = run.addresses
        profile = decision.profile.map { ($0.id, $0.name, $0.rate) }
        alarms = decision.profile?.rateAlarms(for: client.vendor) ?? []
        quotaWarning = decision.isAccepted ? decision.verdict.quotaWarning(of: subscriber, to: client.vendor) : nil
        attributes =
            (try? AttributeDecoder.decode(
                attributes: octets.span, dictionary: snapshot.dictionary,
                keys: RevealKeys(secret: client.secret, authenticator: Digest16(repeating: 0)))) ?? []
    }

    /// What happened, and where there is something to do, what to do; names the rule that refused.
    public var sentence: String {
        if reason == .noPasswordSet {
            let card = methods.filter { !$0.needsPassword }.map(\.name).joined(separator: ", ")
            return "The subscriber has no password, so PAP, CHAP, MS-CHAP and the EAP methods that ask for one are refused; set one. "
                + "It needs none by eap-tls\(card.isEmpty ? "" : ", " + card): see `lastmile policy-rule test NAME --method eap-tls`."
        }
        guard let rule = rules.lines.last(where: { $0.result == .holds })?.name else { return reason.sentence }
        return switch reason {
        case .policyRejected: "The rule \(rule) refuses the login."
        case .policyMethod: "The rule \(rule) demands another authentication method."
        default: reason.sentence
        }
    }

    private static func methods(for credential: CredentialKind) -> [AuthenticationMethod] {
        switch credential {
        case .none: []
        case .clearText: [.pap, .chap, .msCHAP, .msCHAPv2]
        case .ntHash: [.pap, .msCHAP, .msCHAPv2]
        case .hash: [.pap]
        }
    }
}
