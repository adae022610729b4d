/// Every key there is; the file, the environment and `etc/lastmile.yaml` are checked against this one list.
public enum SettingTable {
    public static let keys: [SettingKey] = general + radius + eap + eapTLS + transports + listeners + storage + addressPools

    private static let switchWords = SettingType.choice(["no", "yes", "auto"])

    private static let general: [SettingKey] = [
        SettingKey("state.dir", .path, "/var/lib/lastmile", "what the daemon keeps: journal, private cluster, keys"),
        SettingKey("share.dir", .optionalPath, "", "what was installed with the daemon; empty: found beside the executable"),
        SettingKey("dictionary.path", .optionalPath, "", "the first dictionary to load; empty: dictionaries/dictionary in share.dir"),
        SettingKey("roles", .choices(Settings.Role.allCases.map(\.rawValue)), "aaa,provisioning,acs,admin", "what this process does"),
        SettingKey("log.level", .choice(Settings.LogLevel.allCases.map(\.rawValue)), "info", "the least severe messages that are written"),
        SettingKey(
            "log.format", .choice(Settings.LogFormat.allCases.map(\.rawValue)), "text", "how messages are written to standard error"),
    ]

    private static let radius: [SettingKey] = [
        SettingKey("radius.address", .address, "0.0.0.0", "address that RADIUS is answered on; :: for IPv6"),
        SettingKey("radius.auth.port", .port, "1812", "UDP port for authentication; 0 takes any free one"),
        SettingKey("radius.acct.port", .port, "1813", "UDP port for accounting; 0 takes any free one"),
        SettingKey(
            "radius.coa_port", .port, "0", "UDP port that takes CoA and Disconnect of home servers, usually 3799; 0: none is taken"),
        SettingKey("radius.workers", .integer(0...256), "0", "threads that answer packets; 0: one per core"),
        SettingKey(
            "radius.require_message_authenticator", switchWords, "auto",
            "for clients that do not say: drop requests without Message-Authenticator; auto: once a client has sent one"),
        SettingKey(
            "radius.limit_proxy_state", switchWords, "auto",
            "for clients that do not say: drop requests with Proxy-State but without Message-Authenticator; auto: as learned"),
        SettingKey("radius.reject.delay_milliseconds", .integer(0...5000), "1000", "how long an Access-Reject is held back"),
        SettingKey(
            "radius.reply_cache.bytes", .integer(65_536...4_294_967_296), "16777216",
            "memory per worker for replies that are sent again to duplicates"),
        SettingKey(
            "radius.recorder.bytes", .integer(0...8_589_934_592), "67108864",
            "memory for the last transactions, of all workers together; 0: none are recorded"),
        SettingKey(
            "radius.client_rate_limit", .integer(0...1_000_000), "0",
            "for clients that do not say: Access-Requests that are looked at in a second; 0: no limit"),
        SettingKey("radius.slow_checks.threads", .integer(0...64), "0", "threads that compare hashed passwords; 0: half of the cores"),
        SettingKey(
            "radius.slow_checks.queue", .integer(1...1_048_576), "1024", "log-ins that may wait for them; half of it for one client"),
        SettingKey(
            "radius.slow_checks.deadline_milliseconds", .integer(100...120_000), "10000",
            "how long a log-in may wait for them before it is dropped unanswered"),
    ]

    private static let listeners: [SettingKey] = [
        SettingKey(
            "dns.refresh_seconds", .integer(5...86_400), "60",
            "how often addresses of NAS and home servers are looked up that are known by a dns_name"),
        SettingKey(
            "hooks.networks", .networks, "",
            "networks that hooks may reach although they are not public, and without TLS; empty: only public addresses, by https"),
        SettingKey("coa.port", .port, "3799", "UDP port of a NAS that takes CoA and Disconnect requests, where the NAS names none"),
        SettingKey("http.address", .address, "127.0.0.1", "address that the HTTP API is answered on"),
        SettingKey("http.port", .port, "8080", "TCP port of the HTTP API; 0 takes any free one"),
        SettingKey("acs.port", .port, "7547", "TCP port for CWMP; accepted now, listens once the auto-configuration server is built"),
        SettingKey("admin.token", .token, "", "bootstrap operator token; empty: generated into state.dir at the first start"),
    ]

    private static let addressPools: [SettingKey] = [
        SettingKey(
            "pools.lease_seconds", .integer(60...604_800), "3600",
            "how long a node may hand out addresses without PostgreSQL, and how long its own stay its own when it is gone"),
        SettingKey("pools.stock", .integer(256...1_048_576), "4096", "free addresses that a node keeps of each pool, at most"),
    ]

    private static let storage: [SettingKey] = [
        SettingKey("database.url", .database, "", "PostgreSQL to use; empty: a private cluster under state.dir"),
        SettingKey("database.pool", .integer(1...256), "8", "connections to PostgreSQL"),
        SettingKey("journal.segment_bytes", .integer(65_536...1_073_741_824), "67108864", "size of one file of the accounting journal"),
        SettingKey("journal.retention_hours", .integer(0...8_760), "24", "how long a journal file stays after PostgreSQL has all of it"),
        SettingKey("auth_log.retention_days", .integer(1...3_650), "30", "how long answers to authentication are kept, with their reasons"),
        SettingKey("auth_log.rate", .integer(100...1_000_000), "2000", "answers to authentication stored a second; more wait their turn"),
        SettingKey("accounting.retention_days", .integer(1...36_500), "730", "how long accounting records and closed sessions are kept"),
        SettingKey("accounting.usage_retention_days", .integer(1...36_500), "1825", "how long usage by day is kept"),
        SettingKey("accounting.reject_retention_days", .integer(1...36_500), "90", "how long records that were put aside are kept"),
        SettingKey("coa.retention_days", .integer(1...36_500), "400", "how long CoA and Disconnect requests are kept, with their outcomes"),
        SettingKey("audit.retention_days", .integer(90...36_500), "3650", "how long the audit is kept"),
    ]

    static func key(named name: String) -> SettingKey? { keys.first { $0.name == name } }

    /// The names of the keys in the group `prefix`, such as `radius`; the top level's for an empty prefix.
    static func names(under prefix: String) -> [String] {
        prefix.isEmpty ? keys.map(\.name) : keys.map(\.name).filter { $0.hasPrefix(prefix + ".") }
    }
}
