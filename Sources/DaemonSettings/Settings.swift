/// What the daemon was told, complete and checked; made once at the start, and again at a reload.
public struct Settings: Sendable {
    /// A part of the work that this process does.
    public enum Role: String, Sendable, CaseIterable {
        case aaa, provisioning, acs, admin
    }

    public enum LogLevel: String, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    public enum LogFormat: String, Sendable, CaseIterable {
        case text, json
    }

    /// A rule of the BlastRADIUS kind: off, on, or as each client has shown that it can.
    public enum Switch: String, Sendable, CaseIterable {
        case no, yes, auto
    }

    /// Absolute.
    public let stateDirectory: String
    /// Absolute; holds `dictionaries/`.
    public let shareDirectory: String
    /// Absolute.
    public let dictionaryPath: String
    public let roles: Set<Role>
    public let logLevel: LogLevel
    public let logFormat: LogFormat

    /// Numeric IPv4 or IPv6.
    public let radiusAddress: String
    /// 0: any free port.
    public let radiusAuthPort: UInt16
    /// 0: any free port.
    public let radiusAcctPort: UInt16
    /// Where CoA and Disconnect of home servers are taken; 0: nowhere.
    public let radiusCoAPort: UInt16
    /// 0: one per core.
    public let radiusWorkers: Int
    /// For clients that have no rule of their own.
    public let requireMessageAuthenticator: Switch
    /// For clients that have no rule of their own.
    public let limitProxyState: Switch
    /// 0...5000.
    public let rejectDelayMilliseconds: Int
    /// For each worker.
    public let replyCacheBytes: Int
    /// For all workers; 0: nothing is recorded.
    public let recorderBytes: Int
    /// Access-Requests in a second, for clients that have no limit of their own; 0: none.
    public let clientRateLimit: Int
    /// 0: half of the cores.
    public let slowCheckThreads: Int
    public let slowCheckQueue: Int
    public let slowCheckDeadlineMilliseconds: Int

    /// Names, the first is proposed first.
    public let eapMethods: [String]
    /// `WLAN` and the like.
    public let eapAKAPrimeNetwork: String
    public let eapNotifiesRefused: Bool
    public let eapConversations: Int
    /// Of all conversations.
    public let eapMemoryBytes: Int
    /// Received in one conversation.
    public let eapConversationBytes: Int
    public let eapConversationSeconds: Int
    public let eapResponseSeconds: Int
    /// How long a node's blocks of address pools stay its own.
    public let poolLeaseSeconds: Int
    /// Free addresses that a node keeps of each pool, at most.
    public let poolStock: Int
    /// 0: half of the cores.
    public let eapThreads: Int
    public let eapQueue: Int
    public let eapDeadlineMilliseconds: Int
    public let eapTLS: EAPTLS

    /// RADIUS over TCP and TLS.
    public let transports: TransportSettings
    /// Where a NAS takes CoA and Disconnect requests unless its own record says otherwise.
    public let coaPort: UInt16
    public let dnsRefreshSeconds: Int
    /// Addresses and networks that hooks may reach whatever they are.
    public let hookNetworks: [String]
    /// Numeric IPv4 or IPv6.
    public let httpAddress: String
    /// 0: any free port.
    public let httpPort: UInt16
    public let acsPort: UInt16
    /// Nil: to be generated into the state directory.
    public let adminToken: String?

    /// Nil: a private cluster under the state directory.
    public let databaseURL: String?
    /// Connections.
    public let databasePool: Int
    public let journalSegmentBytes: Int
    public let journalRetentionHours: Int
    public let authLogRetentionDays: Int
    /// Events a second.
    public let authLogRate: Int
    public let accountingRetentionDays: Int
    public let usageRetentionDays: Int
    public let rejectRetentionDays: Int
    public let coaRetentionDays: Int
    public let auditRetentionDays: Int

    /// The file that was read; nil when there was none.
    public let file: String?
    /// What is allowed but looks unintended, one line each; for the log.
    public let notes: [String]

    init(_ values: SettingValues, file: String?, notes: [String]) {
        self.file = file
        self.notes = notes
        stateDirectory = values.absolutePath("state.dir")
        let share = values.text("share.dir")
        shareDirectory = share.isEmpty ? ShareDirectory.discovered() : values.absolutePath("share.dir")
        let dictionary = values.text("dictionary.path")
        dictionaryPath = dictionary.isEmpty ? shareDirectory + "/dictionaries/dictionary" : values.absolutePath("dictionary.path")
        roles = Set(values.list("roles").map { Self.word($0) })
        logLevel = Self.word(values.text("log.level"))
        logFormat = Self.word(values.text("log.format"))
        radiusAddress = values.text("radius.address")
        radiusAuthPort = values.port("radius.auth.port")
        radiusAcctPort = values.port("radius.acct.port")
        radiusCoAPort = values.port("radius.coa_port")
        radiusWorkers = values.number("radius.workers")
        requireMessageAuthenticator = Self.word(values.text("radius.require_message_authenticator"))
        limitProxyState = Self.word(values.text("radius.limit_proxy_state"))
        rejectDelayMilliseconds = values.number("radius.reject.delay_milliseconds")
        replyCacheBytes = values.number("radius.reply_cache.bytes")
        recorderBytes = values.number("radius.recorder.bytes")
        clientRateLimit = values.number("radius.client_rate_limit")
        slowCheckThreads = values.number("radius.slow_checks.threads")
        slowCheckQueue = values.number("radius.slow_checks.queue")
        slowCheckDeadlineMilliseconds = values.number("radius.slow_checks.deadline_milliseconds")
        eapMethods = values.list("eap.methods")
        eapAKAPrimeNetwork = values.text("eap.aka_prime.network")
        eapNotifiesRefused = values.text("eap.notify_refused") == "yes"
        eapConversations = values.number("eap.conversations")
        eapMemoryBytes = values.number("eap.memory_bytes")
        eapConversationBytes = values.number("eap.conversation_bytes")
        eapConversationSeconds = values.number("eap.conversation_seconds")
        eapResponseSeconds = values.number("eap.response_seconds")
        poolLeaseSeconds = values.number("pools.lease_seconds")
        poolStock = values.number("pools.stock")
        eapThreads = values.number("eap.threads")
        eapQueue = values.number("eap.queue")
        eapDeadlineMilliseconds = values.number("eap.deadline_milliseconds")
        eapTLS = EAPTLS(values)
        transports = TransportSettings(values)
        coaPort = values.port("coa.port")
        dnsRefreshSeconds = values.number("dns.refresh_seconds")
        hookNetworks = values.list("hooks.networks")
        httpAddress = values.text("http.address")
        httpPort = values.port("http.port")
        acsPort = values.port("acs.port")
        adminToken = values.optionalText("admin.token")
        databaseURL = values.optionalText("database.url")
        databasePool = values.number("database.pool")
        journalSegmentBytes = values.number("journal.segment_bytes")
        journalRetentionHours = values.number("journal.retention_hours")
        authLogRetentionDays = values.number("auth_log.retention_days")
        authLogRate = values.number("auth_log.rate")
        accountingRetentionDays = values.number("accounting.retention_days")
        usageRetentionDays = values.number("accounting.usage_retention_days")
        rejectRetentionDays = values.number("accounting.reject_retention_days")
        coaRetentionDays = values.number("coa.retention_days")
        auditRetentionDays = values.number("audit.retention_days")
    }

    /// The table lets only the type's own words through.
    private static func word<Word: RawRepresentable<String>>(_ text: String) -> Word {
        guard let word = Word(rawValue: text) else { preconditionFailure("the table allows '\(text)', which \(Word.self) lacks") }
        return word
    }
}
