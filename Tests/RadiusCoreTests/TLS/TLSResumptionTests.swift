import RadiusCore
import Support
import Testing

@Suite struct TLSResumptionTests {
    private static func resuming(_ settings: inout TLSSettings) { settings.resumption = .init(lifetimeSeconds: 3600, sessionLimit: 10) }

    /// A full handshake whose session the server keeps with `octets`.
    private func full(_ server: TLSContext, _ client: TLSContext, remembering octets: [UInt8] = [1, 2, 3]) throws -> TLSSession {
        var pair = try TLSPair(server, client)
        pair.talk()
        try #require(pair.server.state == .established && !pair.server.isResumed && pair.server.remembered == [])
        #expect(pair.server.keepSession(remembering: octets))
        pair.talk()
        return try #require(pair.client.session)
    }

    private func again(_ server: TLSContext, _ client: TLSContext, _ session: TLSSession) throws -> TLSPair {
        var pair = try TLSPair(server, client, resuming: session)
        pair.talk()
        return pair
    }

    @Test(arguments: TLSSettings.Version.allCases)
    func remembersWhoItWasWithoutACertificate(version: TLSSettings.Version) async throws {
        try await TestAuthority.withPair { authority in
            let server = try authority.server {
                Self.resuming(&$0)
                $0.allow(only: version)
            }
            let client = try authority.client()
            let session = try full(server, client)
            let pair = try again(server, client, session)
            #expect(pair.server.state == .established && pair.server.isResumed && pair.client.isResumed)
            #expect(pair.server.remembered == [1, 2, 3] && pair.server.peer?.commonName == "alice")
            #expect(pair.server.eapKeys(type: 13) == pair.client.eapKeys(type: 13) && pair.server.eapKeys(type: 13) != nil)
            #expect(pair.flights.reduce(0, +) < 1000)
        }
    }

    @Test(arguments: TLSSettings.Version.allCases)
    func chainsOfResumptionsKeepWhatWasRemembered(version: TLSSettings.Version) async throws {
        try await TestAuthority.withPair { authority in
            let server = try authority.server {
                Self.resuming(&$0)
                $0.allow(only: version)
            }
            let client = try authority.client()
            var session = try full(server, client, remembering: [9])
            for _ in 0..<3 {
                var pair = try again(server, client, session)
                #expect(pair.server.isResumed && pair.server.remembered == [9])
                #expect(pair.server.keepSession(remembering: [7]))
                pair.talk()
                session = try #require(pair.client.session)
            }
        }
    }

    @Test(arguments: TLSSettings.Version.allCases)
    func sessionsThatWereNotKeptAreNotResumed(version: TLSSettings.Version) async throws {
        try await TestAuthority.withPair { authority in
            let server = try authority.server {
                Self.resuming(&$0)
                $0.allow(only: version)
            }
            let client = try authority.client()
            var first = try TLSPair(server, client)
            first.talk()
            guard let session = first.client.session else { return #expect(version == .tls13) }
            let pair = try again(server, client, session)
            #expect(pair.server.state == .established && !pair.server.isResumed)
        }
    }

    @Test(arguments: TLSSettings.Version.allCases)
    func forgottenSessionsNeedAFullHandshake(version: TLSSettings.Version) async throws {
        try await TestAuthority.withPair { authority in
            let server = try authority.server {
                Self.resuming(&$0)
                $0.allow(only: version)
            }
            let client = try authority.client()
            let session = try full(server, client)
            try again(server, client, session).server.forgetSession()
            let pair = try again(server, client, session)
            #expect(pair.server.state == .established && !pair.server.isResumed && pair.server.remembered == [])
        }
    }

    @Test func newContextsDoNotResumeSessionsOfOldOnes() async throws {
        try await TestAuthority.withPair { authority in
            let client = try authority.client()
            let session = try full(try authority.server("server", Self.resuming), client)
            let pair = try again(try authority.server("server", Self.resuming), client, session)
            #expect(pair.server.state == .established && !pair.server.isResumed)
        }
    }

    @Test func withoutTheSettingNothingIsKept() async throws {
        try await TestAuthority.withPair { authority in
            var pair = try TLSPair(try authority.server(), try authority.client())
            pair.talk()
            #expect(!pair.server.keepSession(remembering: []) && pair.server.outputCount == 0)
            pair.talk()
            #expect(pair.client.session == nil)
        }
    }

    @Test func tooMuchIsNotRemembered() async throws {
        try await TestAuthority.withPair { authority in
            var pair = try TLSPair(try authority.server("server", Self.resuming), try authority.client())
            #expect(!pair.server.keepSession(remembering: []))
            pair.talk()
            #expect(!pair.server.keepSession(remembering: [UInt8](repeating: 0, count: TLSConversation.rememberLimit + 1)))
            #expect(pair.server.keepSession(remembering: [UInt8](repeating: 0, count: TLSConversation.rememberLimit)))
        }
    }

    @Test func ticketsComeBeforeWhatIsWrittenAfterThem() async throws {
        try await TestAuthority.withPair { authority in
            var pair = try TLSPair(try authority.server("server", Self.resuming), try authority.client())
            pair.talk()
            #expect(pair.server.keepSession(remembering: [5]) && pair.server.write([0]))
            pair.talk()
            #expect(pair.client.read() == [0] && pair.client.session != nil)
        }
    }

    @Test func beyondTheLimitTheOldestGo() async throws {
        try await TestAuthority.withPair { authority in
            let server = try authority.server { $0.resumption = .init(sessionLimit: 2) }
            let client = try authority.client()
            let sessions = try (0..<3).map { try full(server, client, remembering: [UInt8($0)]) }
            let resumed = try sessions.map { try again(server, client, $0).server.isResumed }
            #expect(resumed == [false, true, true])
        }
    }

    @Test func ticketsOfTLS13AreGoodOnce() async throws {
        try await TestAuthority.withPair { authority in
            let server = try authority.server("server", Self.resuming)
            let client = try authority.client()
            let first = try full(server, client)
            var pair = try again(server, client, first)
            #expect(pair.server.isResumed && pair.server.keepSession(remembering: []))
            pair.talk()
            let second = try #require(pair.client.session)
            #expect(try !again(server, client, first).server.isResumed)
            #expect(try again(server, client, second).server.isResumed)
        }
    }

    @Test(arguments: TLSSettings.Version.allCases)
    func fatalErrorsTakeTheSessionAlong(version: TLSSettings.Version) async throws {
        try await TestAuthority.withPair { authority in
            let server = try authority.server {
                Self.resuming(&$0)
                $0.allow(only: version)
            }
            let client = try authority.client()
            let session = try full(server, client)
            let pair = try again(server, client, session)
            #expect(pair.server.isResumed)
            pair.server.receive([23, 3, 3, 0, 32].span)
            pair.server.receive([UInt8](repeating: 1, count: 32).span)
            guard case .failed = pair.server.state else { return #expect(Bool(false), "\(pair.server.state)") }
            #expect(try !again(server, client, session).server.isResumed)
        }
    }

    @Test func manyThreadsShareAContext() async throws {
        try await TestAuthority.withPair { authority in
            let server = try authority.server { $0.resumption = .init(sessionLimit: 50) }
            let client = try authority.client()
            let resumed = try await withThrowingTaskGroup(of: Int.self) { group in
                for thread in 0..<4 {
                    group.addTask {
                        try await onOwnThread {
                            var resumed = 0
                            var session: TLSSession?
                            for round in 0..<40 {
                                var pair = try TLSPair(server, client, resuming: session)
                                pair.talk()
                                guard pair.server.state == .established else { throw ProcessFailure("\(pair.server.state)") }
                                if pair.server.isResumed {
                                    guard pair.server.remembered == [UInt8(thread)] else { throw ProcessFailure("another's session") }
                                    resumed += 1
                                }
                                pair.server.keepSession(remembering: [UInt8(thread)])
                                pair.talk()
                                session = round % 5 == 4 ? nil : pair.client.session
                            }
                            return resumed
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            // Of each thread's 40 the first of every five is a full one.
            #expect(resumed == 4 * 32)
        }
    }
}
