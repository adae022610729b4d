import ArgumentParser
import Certificates
import Glibc
import Support
import Testing

@testable import lastmile

/// `lastmile pki` as it is typed.
@Suite struct PKICommandTests {
    /// Runs `lastmile pki` in a folder of its own.
    private func pki(_ directory: String, _ words: [String], input: String = "") async throws -> ToolResult {
        try await Tool.run("lastmile", ["pki"] + words + ["--directory", directory + "/pki"], input: input)
    }

    @Test func fiveMinutesOfANewcomer() async throws {
        try await TemporaryDirectory.use { directory in
            #expect(try await pki(directory, ["init", "--common-name", "Example CA"]).status == 0)
            let server = try await pki(directory, ["issue", "server", "--common-name", "radius.example.net", "-o", "json"])
            #expect(server.status == 0 && server.output.contains("\"days_left\": 397"), "\(server.errors)")
            let client = try await pki(
                directory,
                ["issue", "client", "--common-name", "alice", "--upn", "alice@example.net", "--p12", "--p12-password-file", "-"],
                input: "wonderland\n")
            #expect(client.status == 0 && client.output.contains("p12\t\(directory)/pki/issued/alice.p12"), "\(client.errors)")
            let verified = try await Tool.run(
                "openssl",
                ["verify", "-purpose", "sslserver", "-verify_hostname", "radius.example.net", "-CAfile", "\(directory)/pki/ca.pem"]
                    + ["\(directory)/pki/issued/radius.example.net.pem"])
            #expect(verified.status == 0, "\(verified.errors)")
            let opened = try await Tool.run(
                "openssl", ["pkcs12", "-noout", "-in", "\(directory)/pki/issued/alice.p12", "-passin", "stdin"], input: "wonderland\n")
            #expect(opened.status == 0, "\(opened.errors)")
            #expect(try await pki(directory, ["revoke", "alice", "--reason", "key-compromise"]).status == 0)
            let list = try await pki(directory, ["list", "-o", "csv"])
            #expect(list.lines.count == 3 && list.lines[0].hasPrefix("name,kind,common_name,state,days_left,"))
            #expect(list.lines[1].hasPrefix("radius.example.net,server,radius.example.net,valid,"))
            #expect(list.lines[2].hasPrefix("alice,client,alice,revoked,") && list.lines[2].hasSuffix(",key-compromise"))
        }
    }

    @Test func exitCodesSayWhatHappened() async throws {
        try await TemporaryDirectory.use { directory in
            let calls: [([String], Int32)] = [
                (["list"], 3),
                (["init"], 0),
                (["init"], 5),
                (["issue", "client", "--common-name", "alice"], 0),
                (["issue", "client", "--common-name", "alice"], 5),
                (["issue", "client", "--common-name", "alice", "--replace"], 0),
                (["issue", "client", "--common-name", "a\tb"], 2),
                (["issue", "nobody", "--common-name", "alice"], 2),
                (["issue", "client", "--common-name", "bob", "--p12-password-file", "x"], 2),
                (["revoke", "carol"], 3),
                (["revoke", "alice"], 0),
                (["crl", "--crl-days", "0"], 2),
                (["crl"], 0),
            ]
            for (words, status) in calls {
                let result = try await pki(directory, words)
                #expect(result.status == status, "\(words) \(result.errors)")
            }
        }
    }

    @Test func withoutATerminalItDoesNotWaitForAPassword() async throws {
        try await TemporaryDirectory.use { directory in
            #expect(try await pki(directory, ["init"]).status == 0)
            let asked = try await pki(directory, ["issue", "client", "--common-name", "alice", "--p12"])
            #expect(asked.status == 2 && asked.errors.contains("--p12-password-file"))
            #expect(try await pki(directory, ["issue", "client", "--common-name", "alice"]).status == 0)
        }
    }

    @Test func listsInEachFormatAndByState() async throws {
        try await TemporaryDirectory.use { directory in
            _ = try await pki(directory, ["init"])
            _ = try await pki(directory, ["issue", "client", "--common-name", "alice", "--days", "5"])
            _ = try await pki(directory, ["issue", "client", "--common-name", "bob"])
            let json = try await pki(directory, ["list", "-o", "json"])
            #expect(json.output.contains("\"revoked_at\": null"))
            let yaml = try await pki(directory, ["list", "-o", "yaml"])
            #expect(yaml.output.contains("- name: alice\n  kind: client\n"))
            let expiring = try await pki(directory, ["list", "--expiring", "30", "--no-headers"])
            #expect(expiring.lines.count == 1 && expiring.output.hasPrefix("alice\tclient\t"))
            #expect(try await pki(directory, ["list", "--state", "revoked", "--no-headers"]).output == "")
        }
    }

    @Test(arguments: [("radius.example.net", ["radius.example.net"]), ("alice", []), ("192.0.2.1", [])])
    func serversNamedByAHostGetItAsAName(commonName: String, names: [String]) throws {
        let server = try PKIIssueCommand.parse(["server", "--common-name", commonName])
        #expect(server.request.dnsNames == names)
        #expect(server.notes.contains { $0.contains("“\(commonName)” is no DNS name") } == names.isEmpty)
        let client = try PKIIssueCommand.parse(["client", "--common-name", commonName])
        #expect(client.request.dnsNames == [] && client.notes == [])
    }

    @Test func warnsBeforeThingsEnd() {
        let day: Int64 = 86400
        #expect(PKIListCommand.warnings((authority: 100 * day, revocationList: 100 * day), now: 0) == [])
        let soon = PKIListCommand.warnings((authority: 20 * day, revocationList: -2 * day), now: 0)
        #expect(soon[0].hasPrefix("The authority ends in 20d") && soon[1].hasPrefix("The revocation list is stale for 2d"))
        #expect(PKIListCommand.warnings((authority: 100 * day, revocationList: nil), now: 0).count == 1)
    }

    @Test(arguments: [(0, "1970-01-01T00:00:00Z"), (1_795_241_497, "2026-11-21T06:11:37Z"), (4_102_444_800, "2100-01-01T00:00:00Z")])
    func instantsAreUTC(seconds: Int64, text: String) {
        #expect(UTCText.instant(seconds) == text)
    }
}
