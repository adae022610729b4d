import Support
import Testing

@testable import RadiusCore

/// EAP-pwd, by Debian's eapol_test, over the server's own sockets.
@Suite struct EAPPWDServerTests {
    private static func peer(_ host: TestServer, user: String = "nemo", password: String = "arctangent") -> EAPOLTest {
        EAPOLTest(
            port: host.server.authenticationPort, secret: "xyzzy5461-long-enough", method: "PWD", user: user, password: password,
            expectsKeys: true)
    }

    @Test func eapolTestSucceedsAndTheKeysMatch() async throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")], workers: 2)
        var test = Self.peer(host)
        test.repetitions = 4
        let outcome = try await test.run()
        #expect(outcome.isSuccess && outcome.keysMatched == 5, "\(outcome.transcript)")
        #expect(host.count(.accepted as AccessReason) == 5)
    }

    @Test func anNTHashIsEnough() async throws {
        let computed = MSCHAP.ntHash(ofUTF8: Array("arctangent".utf8).span)
        let hash = try #require(computed)
        var stored = TestServer.subscriber("nemo", kind: .ntHash)
        stored.credential = octets(hash)
        let host = try TestServer(subscribers: [stored])
        let outcome = try await Self.peer(host).run()
        #expect(outcome.isSuccess && outcome.keysMatched == 1, "\(outcome.transcript)")
        #expect(outcome.transcript.contains("password prep is MS"))
    }

    @Test(arguments: [20, 50, 80])
    func fragmentsOfTheDeviceArrive(octets: Int) async throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        var test = Self.peer(host)
        test.network.append("fragment_size=\(octets)")
        let outcome = try await test.run()
        #expect(outcome.isSuccess && outcome.keysMatched == 1, "\(outcome.transcript)")
        #expect(outcome.transcript.contains("Got an ACK for a fragment") || outcome.transcript.contains("Send intermediate fragment"))
    }

    @Test func theNameOutsideMayTellNothing() async throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        var test = Self.peer(host)
        test.network.append("anonymous_identity=\"anonymous\"")
        let outcome = try await test.run()
        #expect(outcome.isSuccess && outcome.keysMatched == 1 && outcome.transcript.contains("Value: 'nemo'"), "\(outcome.transcript)")
    }

    /// A device that does not say that the server's proof is wrong falls silent, and its time has to run out. Where the machine stood still
    /// for so long that not all was said, it gets more.
    private static func silent(_ peer: EAPOLTest) async throws -> EAPOLTest.Outcome {
        var test = peer
        for seconds in [2, 10] {
            test.arguments = ["-t", "\(seconds)"]
            let outcome = try await test.run()
            if outcome.replies.count >= 4 { return outcome }
        }
        test.arguments = ["-t", "50"]
        return try await test.run()
    }

    @Test func aWrongPasswordAndAnUnknownNameFailAlike() async throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        for (user, password) in [("nemo", "wrong"), ("nobody", "arctangent")] {
            let outcome = try await Self.silent(Self.peer(host, user: user, password: password))
            #expect(!outcome.isSuccess && !outcome.replies.contains("Access-Accept"), "\(outcome.transcript)")
            #expect(outcome.replies.count == 4 && outcome.transcript.contains("confirm did not verify"), "\(outcome.transcript)")
        }
    }

    @Test func aHashThatIsSlowIsNotEnough() async throws {
        let stored = TestServer.subscriber("nemo", password: "$6$salt$hash", kind: .hash)
        let host = try TestServer(subscribers: [stored])
        let outcome = try await Self.peer(host).run()
        #expect(!outcome.isSuccess && outcome.replies.last == "Access-Reject", "\(outcome.transcript)")
        #expect(host.count(.eapMethodNeedsPassword as AccessReason) == 1)
    }
}
