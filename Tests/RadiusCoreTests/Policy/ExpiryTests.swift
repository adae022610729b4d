import Glibc
import Support
import Testing

@testable import RadiusCore

@Suite struct ExpiryTests {
    private static let now: UInt32 = 1_769_862_896

    private static func decision(
        expires: UInt32 = 0, validity: UInt32 = 0, timeout: UInt32 = 0, status: SubscriberStatus = .active
    ) throws -> (reason: AccessReason, timeout: UInt32) {
        var entry = PolicyDesk.subscriber("alice", status: status)
        (entry.expiresSeconds, entry.validitySeconds, entry.sessionTimeoutSeconds) = (expires, validity, timeout)
        var desk = PolicyDesk()
        desk.subscribers = [entry]
        let snapshot = try desk.snapshot()
        let record = try #require(entry.name.withUnsafeBytes { snapshot.subscribers.find(tenant: 1, name: $0) })
        let decision = AccessDecision(record, in: snapshot, at: now)
        return (decision.reason, decision.sessionTimeoutSeconds(record))
    }

    @Test func nobodyGetsInFromTheSecondOfExpiryOn() throws {
        #expect(try Self.decision(expires: Self.now + 1).reason == .accepted)
        #expect(try Self.decision(expires: Self.now).reason == .expired)
        #expect(try Self.decision(expires: 1).reason == .expired)
        #expect(try Self.decision(expires: 1, status: .quarantined).reason == .expired)
        #expect(try Self.decision().reason == .accepted)
    }

    @Test func aSessionLastsNoLongerThanTheSubscriber() throws {
        #expect(try Self.decision(expires: Self.now + 100).timeout == 100)
        #expect(try Self.decision(expires: Self.now + 100, timeout: 60).timeout == 60)
        #expect(try Self.decision(expires: Self.now + 100, timeout: 600).timeout == 100)
        #expect(try Self.decision(validity: 3600, timeout: 86_400).timeout == 3600)
        #expect(try Self.decision(expires: Self.now + 100, validity: 3600).timeout == 100)
        #expect(try Self.decision(timeout: 600).timeout == 600)
        #expect(try Self.decision().timeout == 0)
    }

    /// On every way in, as expired users who still get an Accept are a known fault elsewhere.
    @Test(arguments: ["pap", "eap"])
    func theServerRefusesWhoeverHasExpired(way: String) async throws {
        var gone = TestServer.subscriber("nemo")
        gone.expiresSeconds = UInt32(clamping: time(nil)) - 1
        let host = try TestServer(subscribers: [gone])
        if way == "pap" {
            #expect(try TestNAS(to: host.server.authenticationPort).exchange(TestPacket.access()).first == 3)
        } else {
            let test = EAPOLTest(
                port: host.server.authenticationPort, secret: "xyzzy5461-long-enough", method: "MD5", user: "nemo", password: "arctangent",
                expectsKeys: false)
            #expect(try await !test.run().isSuccess)
        }
        #expect(host.count(.expired as AccessReason) == 1)
    }

    @Test func theServerLimitsTheSession() throws {
        var soon = TestServer.subscriber("nemo")
        soon.expiresSeconds = UInt32(clamping: time(nil)) + 1000
        let host = try TestServer(subscribers: [soon])
        let reply = try TestNAS(to: host.server.authenticationPort).exchange(TestPacket.access())
        let pairs = try AttributeDecoder.decode(reply.span, dictionary: host.store.snapshot.dictionary)
        let left = try #require(pairs.first { $0.name == "Session-Timeout" }.flatMap { Int($0.value) })
        #expect((900...1000).contains(left))
    }

    /// Rules and free attributes may give what they like.
    @Test(arguments: [([], 100), ([86_400], 100), ([60], 60), ([86_400, 70, 600], 70)] as [([UInt32], UInt32)])
    func noSessionTimeoutIsBeyondTheEnd(given: [UInt32], left: UInt32) throws {
        var entry = PolicyDesk.subscriber("alice")
        entry.expiresSeconds = Self.now + 100
        var desk = PolicyDesk()
        desk.subscribers = [entry]
        let snapshot = try desk.snapshot()
        let record = try #require(entry.name.withUnsafeBytes { snapshot.subscribers.find(tenant: 1, name: $0) })
        let verdict = AccessDecision(record, in: snapshot, at: Self.now).verdict
        var octets = [UInt8](repeating: 0, count: PacketHeader.maximumLength)
        var writer = PacketWriter(octets.mutableSpan, code: .accessAccept, identifier: 0)
        let start = writer.count
        writer.append(AttributeNumber.idleTimeout, 300)
        for seconds in given { writer.append(AttributeNumber.sessionTimeout, seconds) }
        AcceptAttributes.boundSession(verdict, of: record, to: .mikrotik, from: start, writer: &writer)
        let count = writer.finish().count
        #expect(Array(octets[start..<count]) == [28, 6, 0, 0, 1, 44, 27, 6, 0, 0, 0, UInt8(left)])
    }
}
