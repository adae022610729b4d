/// Something about a NAS that ought to be mended.
public struct NASFinding: Equatable, Sendable {
    public enum Severity: String, Sendable, Comparable {
        /// Log-ins fail, or attackers have it easy.
        case problem
        /// It works, and will not always.
        case warning
        /// Good to know.
        case note

        private var rank: Int { self == .problem ? 0 : self == .warning ? 1 : 2 }

        public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
    }

    public let severity: Severity
    /// The stable name, such as `secret_short`.
    public let code: String
    /// What was found.
    public let what: String
    /// What to do.
    public let advice: String

    init(_ severity: Severity, _ code: String, _ what: String, do advice: String) {
        self.severity = severity
        self.code = code
        self.what = what
        self.advice = advice
    }
}

/// What is known of a NAS when it is examined.
public struct NASFacts: Sendable {
    public let client: NASClient
    /// Seconds since 1970.
    public let nowSeconds: Int64
    /// When the NAS was made known here.
    public var createdSeconds: Int64
    /// The last packet of it that passed all checks, on any node; nil: none ever.
    public var lastSeenSeconds: Int64?
    /// Names of other NAS of the tenant with the same secret.
    public var sharesSecretWith: [String] = []
    /// What the flight recorder holds of it, oldest first.
    public var recent: [FlightRecord] = []
    /// CoA and Disconnect requests of the last seven days, by outcome.
    public var coaAnswered = 0
    public var coaTimeouts = 0
    /// When the last one was answered, and when the last one was not.
    public var coaAnsweredSeconds: Int64 = 0
    public var coaTimeoutSeconds: Int64 = 0
    /// The name of DNS that its address follows, and why the last look-up of it brought nothing; nil: there is none, it did.
    public var dnsName: String?
    public var dnsError: String?

    public init(_ client: NASClient, nowSeconds: Int64, createdSeconds: Int64, lastSeenSeconds: Int64?) {
        self.client = client
        self.nowSeconds = nowSeconds
        self.createdSeconds = createdSeconds
        self.lastSeenSeconds = lastSeenSeconds
    }
}

/// Examines a NAS: its secret, its signatures, its clock, its silence, its CoA port, its make. Pure.
public enum NASDoctor {
    /// What ought to be mended, the worst first.
    public static func findings(_ facts: NASFacts) -> [NASFinding] {
        let found =
            SecretStrength.findings(facts) + dns(facts) + reach(facts) + signatures(facts) + TrafficSigns.findings(facts) + silence(facts)
            + coa(facts)
        return found.sorted { $0.severity < $1.severity }
    }

    /// What is wrong with a NAS called `name` that has no address, since DNS had none yet for `dnsName`; nil: that was not looked up.
    public static func withoutAddress(_ name: String, dnsName: String, dnsError: String?) -> NASFinding {
        guard let dnsError else {
            return NASFinding(
                .warning, "dns_error", "\(dnsName) was not looked up yet, so that it has no address and is not served.",
                do: "That takes a second or two; where it takes longer, the daemon's log says why.")
        }
        return NASFinding(
            .problem, "dns_error", "\(dnsName): \(dnsError). It has no address, so that it is not served.",
            do: mend(name, dnsName))
    }

    private static func dns(_ facts: NASFacts) -> [NASFinding] {
        guard let dnsName = facts.dnsName, let error = facts.dnsError else { return [] }
        return [
            NASFinding(
                .warning, "dns_error", "\(dnsName): \(error). It stays at \(facts.client.network.text), the address of before.",
                do: mend(facts.client.name, dnsName))
        ]
    }

    private static func mend(_ name: String, _ dnsName: String) -> String {
        "See what the daemon's machine knows: getent ahosts \(dnsName). Another name: lastmile nas update \(name) --dns-name NAME; "
            + "none: lastmile nas update \(name) --clear dns_name --address ADDRESS"
    }

    private static func reach(_ facts: NASFacts) -> [NASFinding] {
        let client = facts.client
        guard client.prefixLength == 0 || (client.prefixLength == 96 && client.network.ipv4 != nil) else { return [] }
        return [
            NASFinding(
                .warning, "every_address", "Every address is a client, and its one secret lets each of them ask.",
                do: "Make the networks that your devices are in NASes of their own, then: lastmile nas delete \(client.name)")
        ]
    }

    private static func signatures(_ facts: NASFacts) -> [NASFinding] {
        let client = facts.client
        var found: [NASFinding] = []
        let later = "then: lastmile nas update \(client.name) --require-message-authenticator yes"
        switch client.requireMessageAuthenticator {
        case .yes: break
        case .no:
            found.append(
                NASFinding(
                    .warning, "message_authenticator_not_required",
                    "Access-Requests without Message-Authenticator are taken from it; whoever stands between can forge answers to them "
                        + "(CVE-2024-3596).", do: "Have the NAS sign (its vendor's update of July 2024 or later does), " + later))
        case .auto where client.prefixLength != 128:
            found.append(
                NASFinding(
                    .warning, "message_authenticator_not_learned",
                    "It is a network of addresses, of which auto learns nothing, so unsigned Access-Requests are taken.",
                    do: "See in `lastmile radius trace --nas \(client.name)` whether all devices sign, " + later))
        case .auto where client.observation.requiresMessageAuthenticator == false:
            found.append(
                NASFinding(
                    .warning, "message_authenticator_missing",
                    "Its Access-Requests carry no Message-Authenticator, so whoever stands between can forge answers (CVE-2024-3596).",
                    do: "Update its software, or switch Message-Authenticator on; from the first signed request on it is demanded."))
        case .auto: break
        }
        if !client.sendsMessageAuthenticator {
            found.append(
                NASFinding(
                    .warning, "replies_unsigned", "Replies to it go without Message-Authenticator, so that it cannot tell forged ones.",
                    do: "Where it takes them by now: lastmile nas update \(client.name) --send-message-authenticator true"))
        }
        return found
    }

    private static let daySeconds: Int64 = 86_400

    private static func silence(_ facts: NASFacts) -> [NASFinding] {
        let since = facts.nowSeconds - (facts.lastSeenSeconds ?? facts.createdSeconds)
        let name = facts.client.name
        let places = "the daemon's log names addresses that ask and are no NAS; on the NAS, look at server address, ports 1812 and 1813"
        if facts.lastSeenSeconds == nil, since >= 600 {
            return [
                NASFinding(
                    .warning, "never_seen", "No request of it has passed the checks since it was made known, \(Self.span(since)) ago.",
                    do: "Is its address right (\(facts.client.network.text))? \(places). To see what it sends: "
                        + "lastmile radius trace --nas \(name) --follow")
            ]
        }
        guard facts.lastSeenSeconds != nil, since >= daySeconds else { return [] }
        return [
            NASFinding(
                .warning, "silent", "Nothing was heard of it for \(Self.span(since)).",
                do: "Is it switched on, and is the way to it open? If it is gone: lastmile nas update \(name) --enabled false")
        ]
    }

    private static func coa(_ facts: NASFacts) -> [NASFinding] {
        guard facts.coaTimeouts > 0, facts.coaTimeoutSeconds > facts.coaAnsweredSeconds else { return [] }
        let never = facts.coaAnswered == 0
        return [
            NASFinding(
                never ? .problem : .warning, never ? "coa_unanswered" : "coa_stopped",
                never
                    ? "It answered none of \(facts.coaTimeouts) CoA and Disconnect requests of the last seven days."
                    : "It answered \(facts.coaAnswered) CoA and Disconnect requests of the last seven days, but not the latest; "
                        + "\(facts.coaTimeouts) went unanswered.",
                do: "Switch incoming RADIUS on at the NAS, for this server's address and with the same secret; compare its port with "
                    + "coa_port; open the firewall for it. Another address: lastmile nas update \(facts.client.name) --coa-address ADDRESS")
        ]
    }

    /// Seconds as a person would say them.
    static func span(_ seconds: Int64) -> String {
        let units: [(Int64, String)] = [(daySeconds, "day"), (3600, "hour"), (60, "minute")]
        for (length, name) in units where seconds >= length {
            let count = seconds / length
            return "\(count) \(name)\(count == 1 ? "" : "s")"
        }
        return "\(max(0, seconds)) seconds"
    }
}
