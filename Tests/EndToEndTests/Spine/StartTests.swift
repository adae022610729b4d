import Glibc
import Support
import Testing

extension SpineTests {
    /// Bad starts: each says what, where, why and what to do, and ends with the promised code.
    @Suite struct Starts {
        /// Runs a daemon that is to fail, over a state directory that goes with it.
        private static func failing(_ settings: [String: String], _ arguments: [String]? = nil) async throws -> ToolResult {
            try await TemporaryDirectory.use { state in
                try await Tool.run(
                    "lastmiled", arguments ?? ["run", "--config", Programs.checkout + "/etc/lastmile.yaml"],
                    settings: DaemonProcess.variables(state: state).merging(settings) { $1 }, seconds: 120)
            }
        }

        @Test(arguments: ["check", "run"])
        func allMistakesOfTheSettingsAreListedWithTheirKeys(verb: String) async throws {
            let result = try await TemporaryDirectory.use { directory in
                let file = directory + "/bad.yaml"
                try TextFile.write("radius:\n  auth:\n    prot: 1812\n  workers: many\nhttp:\n  port: 70000\n", to: file)
                return try await Self.failing(["LASTMILE_LOG_LEVEL": "loud"], [verb, "--config", file])
            }
            #expect(result.status == 2, "\(result)")
            for part in [
                "bad.yaml:3:5", "radius.auth.prot", "radius.auth.port", "bad.yaml:4", "radius.workers", "bad.yaml:6", "http.port", "70000",
                "LASTMILE_LOG_LEVEL",
            ] {
                #expect(result.errors.contains(part), "\(part) is missing in:\n\(result.errors)")
            }
        }

        @Test func aRADIUSPortInUseIsNamedWithItsKey() async throws {
            let other = try await SharedDaemon.get()
            let result = try await Self.failing(["LASTMILE_RADIUS_ACCT_PORT": "\(other.accountingPort)"])
            #expect(result.status == 1, "\(result)")
            #expect(result.errors.contains("\(other.accountingPort)") && result.errors.contains("radius.acct.port"), "\(result.errors)")
            #expect(try await Radclient(other).status("acct").code == "Accounting-Response")
        }

        @Test func anHTTPPortInUseIsNamedWithItsKey() async throws {
            let port = try #require(try await SharedDaemon.get().url.split(separator: ":").last)
            let result = try await Self.failing(["LASTMILE_HTTP_PORT": "\(port)"])
            #expect(result.status == 1, "\(result)")
            #expect(result.errors.contains("port \(port)") && result.errors.contains("http.port"), "\(result.errors)")
        }

        @Test func aNodeWhoseKeysAreNotTheDatabasesDoesNotStart() async throws {
            let other = try await SharedDaemon.get()
            let result = try await Self.failing([
                "LASTMILE_DATABASE_URL": "host='\(other.state)/postgresql/socket' port=5432 user=lastmile dbname=lastmile"
            ])
            #expect(result.status == 1, "\(result)")
            #expect(result.errors.contains("secret.keys: no secret in this database opens with these keys"), "\(result.errors)")
        }

        @Test func aDatabaseThatRefusesConnectionsIsNamedWithItsKey() async throws {
            let port = try LastingPorts.next()
            let result = try await Self.failing(["LASTMILE_DATABASE_URL": "postgresql://lastmile@127.0.0.1:\(port)/lastmile"])
            #expect(result.status == 1, "\(result)")
            #expect(result.errors.contains("Connection refused") && result.errors.contains("database.url"), "\(result.errors)")
            #expect(!result.errors.contains("schema"), "\(result.errors)")
        }

        @Test func anUnknownVariableIsNamedByCheck() async throws {
            let result = try await Self.failing(
                ["LASTMILE_RADIUS_AUTH_PROT": "1812"], ["check", "--config", Programs.checkout + "/etc/lastmile.yaml"])
            #expect(result.status == 0, "\(result)")
            #expect(result.errors.contains("LASTMILE_RADIUS_AUTH_PROT is not read; did you mean LASTMILE_RADIUS_AUTH_PORT?"))
        }

        @Test func missingPostgreSQLProgramsAreNamedWithWhatToInstall() async throws {
            try await TemporaryDirectory.use { empty in
                let result = try await Self.failing(["LASTMILE_POSTGRES_BIN": empty])
                #expect(result.status == 1, "\(result)")
                for part in ["LASTMILE_POSTGRES_BIN", empty, "initdb", "postgres"] {
                    #expect(result.errors.contains(part), "\(result.errors)")
                }
            }
        }

        @Test(arguments: ["check", "run"])
        func aBadDictionaryLineIsNamedWithFileLineAndReason(verb: String) async throws {
            try await TemporaryDirectory.use { directory in
                let file = directory + "/dictionary"
                try TextFile.write("ATTRIBUTE User-Name 1 string\nVENDOR Acme 4711\nATTRIBUTE Acme-Speed 1 quick Acme\n", to: file)
                let arguments = [verb, "--config", Programs.checkout + "/etc/lastmile.yaml"]
                let result = try await Self.failing(["LASTMILE_DICTIONARY_PATH": file], arguments)
                #expect(result.status == 1, "\(result)")
                #expect(result.errors.contains("\(file):3") && result.errors.contains("quick"), "\(result.errors)")
            }
        }

        @Test(arguments: ["check", "run"])
        func aRevocationListThatSettingsNameMustBeThere(verb: String) async throws {
            try await TemporaryDirectory.use { directory in
                for arguments in [["init"], ["issue", "server"]] {
                    let made = try await Tool.run(
                        "lastmile", ["pki"] + arguments + ["--common-name", "radius.example.net", "--directory", directory + "/pki"])
                    try #require(made.status == 0, "\(made.errors)")
                }
                let files = [
                    "LASTMILE_EAP_TLS_DIRECTORY": directory + "/pki", "LASTMILE_EAP_TLS_REVOCATION_LIST": directory + "/missing.pem",
                ]
                let result = try await Self.failing(files, [verb, "--config", Programs.checkout + "/etc/lastmile.yaml"])
                #expect(result.status == 1 && result.errors.contains("/missing.pem: No such file or directory"), "\(result)")
            }
        }

        @Test func aSecondDaemonOnTheSameStateIsRefusedAndTheFirstGoesOn() async throws {
            let first = try await SharedDaemon.get()
            let second = try await Self.failing(["LASTMILE_STATE_DIR": first.state])
            #expect(second.status == 1, "\(second)")
            #expect(second.errors.contains("another daemon uses") && second.errors.contains(first.state), "\(second.errors)")
            #expect(try await Radclient(first).login("alice").code == "Access-Accept")
            #expect(try await Operator(first).list("subscribers").isEmpty == false)
        }

        @Test(arguments: ["admin.token", "secret.keys"])
        func secretFilesAreTheirOwnersAlone(name: String) async throws {
            let path = try await SharedDaemon.get().state + "/" + name
            var status = stat()
            #expect(stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
        }
    }
}
