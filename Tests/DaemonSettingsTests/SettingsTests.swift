import Testing

@testable import DaemonSettings

@Suite struct SettingsTests {
    static func load(_ yaml: String, _ environment: [String: String] = [:]) throws -> Settings {
        try Settings.merge(SettingsFile(text: Array(yaml.utf8), name: "f.yaml"), path: nil, environment: environment)
    }

    static func mistakes(_ yaml: String, _ environment: [String: String] = [:]) throws -> [String] {
        let error = try #require(throws: SettingsError.self) { try load(yaml, environment) }
        return error.mistakes.map(\.description)
    }

    @Test func standsAtDefaultsWithoutFileAndEnvironment() throws {
        let settings = try Self.load("")
        #expect(settings.radiusAuthPort == 1812)
        #expect(settings.radiusAcctPort == 1813)
        #expect(settings.transports.radSecPort == 2083)
        #expect(settings.coaPort == 3799)
        #expect(settings.httpPort == 8080)
        #expect(settings.acsPort == 7547)
        #expect(settings.databaseURL == nil)
        #expect(settings.adminToken == nil)
        #expect(settings.roles == [.aaa, .provisioning, .acs, .admin])
        #expect(settings.rejectDelayMilliseconds == 1000)
        #expect(settings.requireMessageAuthenticator == .auto)
        #expect(settings.stateDirectory == "/var/lib/lastmile")
    }

    @Test func readsNestedAndDottedKeys() throws {
        let settings = try Self.load(
            """
            radius: {auth: {port: 11812}, limit_proxy_state: yes}
            radius.acct.port: 0
            roles: [aaa, admin]
            log:
              level: debug
            """)
        #expect(settings.radiusAuthPort == 11812)
        #expect(settings.radiusAcctPort == 0)
        #expect(settings.limitProxyState == .yes)
        #expect(settings.roles == [.aaa, .admin])
        #expect(settings.logLevel == .debug)
    }

    @Test func environmentWinsOverTheFile() throws {
        let settings = try Self.load(
            "http.port: 1\nroles: [acs]",
            [
                "LASTMILE_HTTP_PORT": "9090", "LASTMILE_RADIUS_REPLY_CACHE_BYTES": "65536", "LASTMILE_ROLES": "aaa, admin",
                "LASTMILE_ADMIN_TOKEN": "0123456789abcdef", "LASTMILE_DATABASE_URL": "host=/run/x dbname=lm", "LASTMILE_STATE_DIR": "/s",
                "LASTMILE_RADIUS_CLIENT_RATE_LIMIT": "500", "LASTMILE_RADIUS_SLOW_CHECKS_DEADLINE_MILLISECONDS": "2500",
            ])
        #expect(settings.httpPort == 9090)
        #expect(settings.replyCacheBytes == 65536)
        #expect(settings.clientRateLimit == 500 && settings.slowCheckDeadlineMilliseconds == 2500)
        #expect(settings.slowCheckThreads == 0 && settings.slowCheckQueue == 1024)
        #expect(settings.roles == [.aaa, .admin])
        #expect(settings.adminToken == "0123456789abcdef")
        #expect(settings.databaseURL == "host=/run/x dbname=lm")
        #expect(settings.stateDirectory == "/s")
    }

    @Test func relativePathsBecomeAbsolute() throws {
        let settings = try Self.load("state.dir: some/where")
        #expect(settings.stateDirectory.hasPrefix("/"))
        #expect(settings.stateDirectory.hasSuffix("/some/where"))
    }

    @Test func dictionaryStandsInTheShareDirectory() throws {
        let settings = try Self.load("share.dir: /opt/share")
        #expect(settings.dictionaryPath == "/opt/share/dictionaries/dictionary")
    }

    @Test func listsEveryMistakeWithItsPlace() throws {
        let found = try Self.mistakes(
            """
            radius:
              auth:
                port: 70000
              adress: 127.0.0.1
            log.level: loud
            """, ["LASTMILE_HTTP_PORT": "eighty"])
        #expect(
            found == [
                "f.yaml:3:11: radius.auth.port: \"70000\" is not allowed; allowed: a port, 0 to 65535",
                "f.yaml:4:3: radius.adress: is not a key; did you mean radius.address?",
                "f.yaml:5:12: log.level: \"loud\" is not allowed; "
                    + "allowed: one of trace, debug, info, notice, warning, error, critical",
                "environment LASTMILE_HTTP_PORT: http.port: \"eighty\" is not allowed; allowed: a port, 0 to 65535",
            ])
    }

    @Test(arguments: [
        ("http.port: -1", "http.port"), ("http.port: 1.5", "http.port"), ("http.port: 0x50", "http.port"), ("http.port:", "http.port"),
        ("http.port: [80]", "http.port"), ("http.port: {a: 1}", "http.port"), ("http.port: 99999999999999999999", "http.port"),
        ("radius.workers: 257", "radius.workers"), ("roles: []", "roles"), ("roles: [aaa, aaa]", "roles"), ("roles: [boss]", "roles"),
        ("roles: aaa,", "roles"), ("roles: [[aaa]]", "roles"), ("radius.address: localhost", "radius.address"),
        ("http.address: 256.0.0.1", "http.address"), ("state.dir: \"\"", "state.dir"), ("state.dir: \"a\\nb\"", "state.dir"),
        ("database.url: mysql://x", "database.url"), ("admin.token: short", "admin.token"),
        ("radius.limit_proxy_state: maybe", "radius.limit_proxy_state"), ("radius: 5", "radius"),
    ])
    func refusesWhatTheTypeDoesNotAllow(yaml: String, key: String) throws {
        let error = try #require(throws: SettingsError.self) { try Self.load(yaml) }
        #expect(error.mistakes.map(\.key) == [key])
    }

    @Test func neverShowsASecret() throws {
        let found = try Self.mistakes("database.url: hunter2", ["LASTMILE_ADMIN_TOKEN": "hunter2"])
        #expect(found.count == 2)
        #expect(found.allSatisfy { !$0.contains("hunter2") })
    }

    @Test func refusesAKeyGivenTwice() throws {
        let found = try Self.mistakes("http.port: 1\nhttp:\n  port: 2\n")
        #expect(found == ["f.yaml:3:3: http.port: is given twice, first at f.yaml:1:12; keep one"])
    }

    @Test func refusesOnePortForTwoListeners() throws {
        let found = try Self.mistakes("radius.acct.port: 1812")
        #expect(
            found == [
                "f.yaml:1:19: radius.acct.port: port 1812 is also that of radius.auth.port; give each its own, or 0 for any free one"
            ])
        let coa = try Self.mistakes("radius.coa_port: 1813")
        #expect(coa == ["f.yaml:1:18: radius.coa_port: port 1813 is also that of radius.acct.port; give each its own, or 0 for none"])
        #expect(try Self.load("http.port: 0\nradsec.port: 0\nacs.port: 1812").httpPort == 0)
        #expect(try Self.load("").radiusCoAPort == 0)
    }

    @Test func refusesDTLSWithoutWhatItNeeds() throws {
        #expect(try Self.load("radsec.certificate: /a.pem\nradsec.dtls: yes").transports.hasDTLS)
        #expect(try !Self.load("radsec.certificate: /a.pem").transports.hasDTLS)
        let bare = try Self.mistakes("radsec.dtls: yes")
        #expect(bare.count == 1 && bare.allSatisfy { $0.hasPrefix("f.yaml:1:14: radsec.dtls: there is no radsec.certificate; name one") })
        let only13 = try Self.mistakes("radsec.certificate: /a.pem\nradsec.dtls: yes\nradsec.minimum_version: \"1.3\"")
        #expect(only13.count == 1 && only13.allSatisfy { $0.contains("of DTLS there is 1.2 only") })
        let only11 = try Self.mistakes("radsec.certificate: /a.pem\nradsec.dtls: yes\nradsec.versions: \"1.1\"")
        #expect(only11.count == 1 && only11.allSatisfy { $0.contains("radsec.versions is 1.1, which needs TLS 1.3") })
        // Its port is one of UDP, too.
        let shared = try Self.mistakes("radsec.certificate: /a.pem\nradsec.dtls: yes\nradsec.port: 1812")
        #expect(shared.count == 1 && shared.allSatisfy { $0.contains("port 1812 is also that of radius.auth.port") })
    }

    @Test func readsTheVersionsOfRADIUS() throws {
        #expect(try Self.load("").transports.versions == ["1.0", "1.1"])
        #expect(try Self.load("radsec.versions: [\"1.1\"]").transports.versions == ["1.1"])
        #expect(try Self.load("radsec.versions: 1.1, 1.0").transports.versions == ["1.1", "1.0"])
        #expect(try Self.mistakes("radsec.versions: \"1.2\"").count == 1)
    }

    @Test func refusesAPartThatIsMoreThanTheWhole() throws {
        let found = try Self.mistakes("eap.response_seconds: 200")
        #expect(
            found == [
                "f.yaml:1:23: eap.response_seconds: 200 is more than eap.conversation_seconds, which is 120; lower eap.response_seconds, "
                    + "or raise eap.conversation_seconds"
            ])
        #expect(try Self.load("eap.response_seconds: 200\neap.conversation_seconds: 200").eapConversationSeconds == 200)
        #expect(try Self.load("eap.methods: [gtc, md5]").eapMethods == ["gtc", "md5"])
    }

    @Test func namesTheKeysOfTheGroupForAStrangeKey() throws {
        let found = try Self.mistakes("http:\n  enable_everything: 1")
        #expect(found == ["f.yaml:2:3: http.enable_everything: is not a key; keys in http there are: http.address, http.port"])
    }

    @Test func notesVariablesThatAreNoKeys() throws {
        let settings = try Self.load("", ["LASTMILE_HTTP_PROT": "1", "LASTMILE_COLOUR_OF_THE_SKY_TODAY": "grey", "PATH": "/bin"])
        #expect(
            settings.notes == [
                "environment LASTMILE_COLOUR_OF_THE_SKY_TODAY is not read: no key has this name",
                "environment LASTMILE_HTTP_PROT is not read; did you mean LASTMILE_HTTP_PORT?",
            ])
    }

    @Test func saysNothingOfVariablesThatOthersReadOrSet() throws {
        let settings = try Self.load(
            "",
            [
                "LASTMILE_URL": "http://127.0.0.1:1", "LASTMILE_TENANT": "demo", "LASTMILE_POSTGRES_BIN": "/bin", "LASTMILE_TEST_KEEP": "1",
                "LASTMILE_SERVICE_HOST": "10.0.0.1", "LASTMILE_SERVICE_PORT_HTTP": "8080", "LASTMILE_PORT": "tcp://10.0.0.1:8080",
                "LASTMILE_PORT_8080_TCP_ADDR": "10.0.0.1", "LASTMILE_PORT_8080_TCP_PROTO": "tcp",
            ])
        #expect(settings.notes.isEmpty)
    }

    @Test func saysThatANamedFileIsMissing() throws {
        let error = try #require(throws: SettingsError.self) {
            try Settings.load(environment: ["LASTMILE_CONFIG": "/nonexistent/l.yaml"])
        }
        #expect(
            error.mistakes.map(\.description) == [
                "/nonexistent/l.yaml: cannot be read: No such file or directory; give the right path with --config or LASTMILE_CONFIG"
            ])
    }
}
