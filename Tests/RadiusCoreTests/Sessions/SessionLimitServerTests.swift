import Support
import Testing

@testable import RadiusCore

@Suite struct SessionLimitServerTests {
    private static func plan(_ limit: UInt16, replaces: Bool = false, id: Int64 = 1) -> ReplyProfile {
        ReplyProfile(
            id: id, tenant: 1, name: "home50", rate: BandwidthRate(downloadBitsPerSecond: 50_000_000, uploadBitsPerSecond: 10_000_000),
            sessionTimeoutSeconds: 0, idleTimeoutSeconds: 0, interimSeconds: 0, filters: [], free: { _ in [] }, keyed: { _ in [] },
            sessionLimit: SessionLimit(count: limit, replaces: replaces))
    }

    private static func station(_ number: Int) -> [UInt8] { BindingServerTests.attribute(31, "00-53-00-00-00-0\(number)") }

    /// A record of accounting with a station.
    private static func record(_ identifier: UInt8, _ status: UInt32, session: String, station: Int) -> [UInt8] {
        var packet = TestPacket.build(.accountingRequest, identifier, sign: false) { writer in
            writer.append(AttributeNumber.acctStatusType, status)
            writer.append(AttributeNumber.userName, Array("nemo".utf8).span)
            writer.append(AttributeNumber.acctSessionID, Array(session.utf8).span)
            writer.append(encoded: Self.station(station).span)
        }
        var span = packet.mutableSpan
        RequestAuthenticator.sign(&span, secret: TestServer.secret)
        return packet
    }

    @Test func theProfileLimitsAndAStopMakesRoom() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")], profiles: [Self.plan(1)])
        let (logins, records) = (try TestNAS(to: host.server.authenticationPort), try TestNAS(to: host.server.accountingPort))
        #expect(logins.exchange(TestPacket.access(1, extra: Self.station(1))).first == 2)
        #expect(records.exchange(Self.record(1, 1, session: "a", station: 1)).first == 5)
        #expect(logins.exchange(TestPacket.access(2, extra: Self.station(2))).first == 3)
        #expect(host.count(.sessionLimit as AccessReason) == 1)
        #expect(logins.exchange(TestPacket.access(3, extra: Self.station(1))).first == 2)
        #expect(records.exchange(Self.record(2, 2, session: "a", station: 1)).first == 5)
        // The login from before may still begin.
        #expect(host.server.environment.sessions.places(of: 42, at: 0) == 1)
        #expect(records.exchange(Self.record(3, 1, session: "b", station: 1)).first == 5)
        #expect(records.exchange(Self.record(4, 2, session: "b", station: 1)).first == 5)
        #expect(logins.exchange(TestPacket.access(4, extra: Self.station(2))).first == 2)
    }

    @Test(arguments: [(2, nil, 2), (0, nil, 9), (nil, true, 9)] as [(UInt16?, Bool?, Int)])
    func theSubscribersOwnLimitComesFirst(own: UInt16?, replaces: Bool?, accepted: Int) throws {
        var bindings = SubscriberBindings(mac: .ignore, line: .ignore, bindsOnFirstUse: false)
        (bindings.sessionLimit, bindings.replacesSessions) = (own, replaces)
        var entry = TestServer.subscriber("nemo")
        entry.bindings = bindings.encoded
        let host = try TestServer(subscribers: [entry], profiles: [Self.plan(1)])
        let (logins, records) = (try TestNAS(to: host.server.authenticationPort), try TestNAS(to: host.server.accountingPort))
        var codes: [UInt8?] = []
        for number in 1...9 {
            codes.append(logins.exchange(TestPacket.access(UInt8(number), extra: Self.station(number))).first)
            if codes.last == 2 {
                #expect(records.exchange(Self.record(UInt8(number), 1, session: "s\(number)", station: number)).first == 5)
            }
        }
        #expect(codes.count { $0 == 2 } == accepted)
        // Eight times the one before gave way.
        #expect(host.server.environment.sessions.takeReplacements(atMost: 99).count == (replaces == true ? 8 : 0))
    }

    /// Its profile has more than a reply holds: it is refused after all, and takes nobody's place.
    @Test func aLoginThatIsRefusedAfterTheLimitTakesNoPlace() async throws {
        let plan = ReplyProfile(
            id: 1, tenant: 1, name: "home50", rate: BandwidthRate(downloadBitsPerSecond: 50_000_000, uploadBitsPerSecond: 10_000_000),
            sessionTimeoutSeconds: 0, idleTimeoutSeconds: 0, interimSeconds: 0, filters: [],
            free: { _ in (0..<17).flatMap { _ in [18, 255] + [UInt8](repeating: 0x78, count: 253) } }, keyed: { _ in [] },
            sessionLimit: SessionLimit(count: 1, replaces: true))
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")], profiles: [plan])
        let (logins, records) = (try TestNAS(to: host.server.authenticationPort), try TestNAS(to: host.server.accountingPort))
        #expect(records.exchange(Self.record(1, 1, session: "a", station: 1)).first == 5)
        #expect(logins.exchange(TestPacket.access(1, extra: Self.station(2))).first == 3)
        #expect(host.count(.replyTooLarge as AccessReason) == 1)
        let test = EAPOLTest(
            port: host.server.authenticationPort, secret: "xyzzy5461-long-enough", method: "MD5", user: "nemo", password: "arctangent",
            expectsKeys: false)
        #expect(try await !test.run().isSuccess)
        #expect(host.count(.replyTooLarge as AccessReason) == 2)
        let census = host.server.environment.sessions
        #expect(census.statistics == .init(sessions: 1) && census.takeReplacements(atMost: 9).isEmpty)
    }

    /// The profile that a quota has it answered limits nobody.
    @Test(arguments: [(1, 0, 1), (0, 1, 3), (2, 1, 2)] as [(UInt16, UInt16, Int)])
    func whoeverIsThrottledKeepsTheLimitOfItsOwnProfile(own: UInt16, slower: UInt16, accepted: Int) throws {
        var entry = TestServer.subscriber("nemo")
        (entry.ownProfile, entry.profile) = (1 << 40, 2)
        let host = try TestServer(subscribers: [entry], profiles: [Self.plan(own, id: 1 << 40), Self.plan(slower, id: 2)])
        let logins = try TestNAS(to: host.server.authenticationPort)
        let codes = (1...3).map { logins.exchange(TestPacket.access(UInt8($0), extra: Self.station($0))).first }
        #expect(codes.count { $0 == 2 } == accepted)
    }

    @Test func eapIsLimitedToo() async throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")], profiles: [Self.plan(1)])
        #expect(try TestNAS(to: host.server.authenticationPort).exchange(TestPacket.access(1, extra: Self.station(1))).first == 2)
        // Begun, or its place lapses after some seconds.
        #expect(try TestNAS(to: host.server.accountingPort).exchange(Self.record(1, 1, session: "a", station: 1)).first == 5)
        let test = EAPOLTest(
            port: host.server.authenticationPort, secret: "xyzzy5461-long-enough", method: "MD5", user: "nemo", password: "arctangent",
            expectsKeys: false)
        #expect(try await !test.run().isSuccess)
        #expect(host.count(.sessionLimit as AccessReason) == 1)
    }

    @Test func whoeverIsNotLimitedIsNotRemembered() throws {
        let host = try TestServer(subscribers: [TestServer.subscriber("nemo")])
        let (logins, records) = (try TestNAS(to: host.server.authenticationPort), try TestNAS(to: host.server.accountingPort))
        #expect(logins.exchange(TestPacket.access(1, extra: Self.station(1))).first == 2)
        #expect(records.exchange(Self.record(1, 1, session: "a", station: 1)).first == 5)
        #expect(host.server.environment.sessions.statistics == .init())
    }
}
