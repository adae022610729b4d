import Synchronization
import Testing

@testable import RadiusCore

@Suite struct FloodTests {
    private static func client(_ id: Int64, _ address: UInt32, limit: UInt32 = 0) -> NASClient {
        NASClient(
            id: id, tenant: 1, name: "nas\(id)", network: IPAddress(ipv4: address), prefixLength: 128, secret: TestServer.secret,
            vendor: .generic, rateLimitPerSecond: limit)
    }

    /// Requests wait in the kernel before the worker begins, more than half a queue full, ten of the flood for one of the other's.
    @Test func aFloodLosesItsExcessAndTheOtherClientNothing() throws {
        let (flooding, quiet) = (Self.client(1, 0x7f00_0002), Self.client(2, 0x7f00_0003))
        let host = try TestServer(
            client: flooding, subscribers: [TestServer.subscriber("nemo")], others: [quiet], started: false
        ) { $0.receiveBufferOctets = 212_992 }
        let port = host.server.authenticationPort
        let nas = try Gateway(from: "127.0.0.3", to: "127.0.0.1", port: port)
        var floods: [Gateway] = []
        var (sent, quietSent) = (0, 0)
        while host.server.receiveQueues.authentication.octets < host.server.receiveQueues.authentication.limit * 3 / 4 {
            if sent % 2560 == 0 { floods = try (0..<10).map { _ in try Gateway(from: "127.0.0.2", to: "127.0.0.1", port: port) } }
            for flood in floods {
                flood.send(TestPacket.access(UInt8(sent / 10 % 256)))
                sent += 1
            }
            if quietSent < 256 {
                nas.send(TestPacket.access(UInt8(quietSent)))
                quietSent += 1
            }
        }
        #expect(host.server.receiveQueues.authentication.dropped == 0)
        host.server.start()
        #expect(Set((0..<quietSent).map { _ in nas.receive().prefix(2).last }).count == quietSent)
        #expect(eventually { host.count(ServerCounter.accessAccepts) + host.count(ServerCounter.shed) == UInt64(sent + quietSent) })
        #expect(host.count(ServerCounter.shed) > 40)
        #expect(flooding.observation.shed.load(ordering: .relaxed) == host.count(ServerCounter.shed))
        #expect(quiet.observation.shed.load(ordering: .relaxed) == 0)
    }

    @Test func aClientOverItsLimitIsDroppedAndCountedAndOthersAreNot() throws {
        let (limited, other) = (Self.client(1, 0x7f00_0002, limit: 5), Self.client(2, 0x7f00_0003))
        // Not started: all requests meet the worker in one batch, so at one time of its clock.
        let host = try TestServer(client: limited, subscribers: [TestServer.subscriber("nemo")], others: [other], started: false)
        let first = try Gateway(from: "127.0.0.2", to: "127.0.0.1", port: host.server.authenticationPort)
        let second = try Gateway(from: "127.0.0.3", to: "127.0.0.1", port: host.server.authenticationPort)
        for identifier in UInt8(0)..<20 {
            first.send(TestPacket.access(identifier))
            second.send(TestPacket.access(identifier))
        }
        first.send(TestPacket.status())
        host.server.start()
        #expect(Set((0..<20).map { _ in second.receive().prefix(2).last }) == Set(0..<20))
        #expect((0..<6).map { _ in first.receive().prefix(2).last } == [0, 1, 2, 3, 4, 9])
        #expect(host.count(ServerCounter.rateLimited) == 15)
        #expect(limited.observation.rateLimited.load(ordering: .relaxed) == 15)
        #expect(limited.observation.rateLimitedSeconds.load(ordering: .relaxed) > 0)
        #expect(other.observation.rateLimited.load(ordering: .relaxed) == 0)
        #expect(limited.observation.drops.load(ordering: .relaxed) == 0)
    }

    @Test func aRetransmissionTakesATokenAndAccountingNone() throws {
        let limited = Self.client(1, 0x7f00_0002, limit: 3)
        let host = try TestServer(client: limited, subscribers: [TestServer.subscriber("nemo")], started: false)
        let nas = try Gateway(from: "127.0.0.2", to: "127.0.0.1", port: host.server.authenticationPort)
        let accounting = try Gateway(from: "127.0.0.2", to: "127.0.0.1", port: host.server.accountingPort)
        for _ in 0..<5 { nas.send(TestPacket.access(1)) }
        for identifier in UInt8(0)..<10 { accounting.send(TestPacket.accounting(identifier, status: 1, session: "s\(identifier)")) }
        host.server.start()
        #expect(eventually { host.count(ServerCounter.accountingResponses) == 10 })
        #expect(eventually { host.count(ServerCounter.rateLimited) == 2 })
        #expect(host.count(ServerCounter.duplicates) + host.count(ServerCounter.duplicatesInWork) == 2)
        #expect(host.count(ServerCounter.accessAccepts) == 1)
    }

    @Test func rejectsThatCannotBeHeldBackLeaveAtOnceAndAreCounted() throws {
        let host = try TestServer(
            subscribers: [TestServer.subscriber("nemo")], rejectDelayMilliseconds: 120_000
        ) { $0.heldReplies = 8 }
        let nas = try TestNAS(to: host.server.authenticationPort)
        for identifier in UInt8(0)..<50 { nas.send(TestPacket.access(identifier, password: "wrong")) }
        #expect((0..<42).map { _ in nas.receive().prefix(2) } == (8..<50).map { [PacketCode.accessReject.rawValue, UInt8($0)] })
        #expect(host.count(ServerCounter.rejectsUndelayed) == 42)
        host.server.stop()
        #expect((0..<8).map { _ in nas.receive().prefix(2) } == (0..<8).map { [PacketCode.accessReject.rawValue, UInt8($0)] })
    }

    @Test func theStopAnswersAllThatWasReceivedBeforeIt() throws {
        let host = try TestServer(
            subscribers: [TestServer.subscriber("nemo")], rejectDelayMilliseconds: 5000, workers: 2, started: false)
        let nas = try Gateway(to: "127.0.0.1", port: host.server.authenticationPort)
        let accounting = try Gateway(to: "127.0.0.1", port: host.server.accountingPort)
        for identifier in UInt8(0)..<200 {
            nas.send(TestPacket.access(identifier, password: identifier % 2 == 0 ? "arctangent" : "wrong"))
            accounting.send(TestPacket.accounting(identifier, status: 1, session: "s\(identifier)"))
        }
        host.server.start()
        host.server.stop()
        #expect(host.server.isStopping)
        #expect(eventually { !host.server.isRunning })
        let codes = [UInt8: UInt8](uniqueKeysWithValues: (0..<200).map { _ in nas.receive() }.map { ($0[1], $0[0]) })
        #expect(codes == [UInt8: UInt8](uniqueKeysWithValues: (0..<200).map { ($0, $0 % 2 == 0 ? 2 : 3) }))
        #expect(Set((0..<200).map { _ in accounting.receive().prefix(2) }) == Set((0..<200).map { [5, $0] }))
        #expect(host.server.environment.journal.durableSequence == 200)
    }

    @Test func theKernelsLossesAreSeen() throws {
        let host = try TestServer(subscribers: [], started: false) { $0.receiveBufferOctets = 4096 }
        let nas = try TestNAS(to: host.server.authenticationPort)
        for _ in 0..<100 { nas.send(TestPacket.access()) }
        let queues = host.server.receiveQueues
        #expect(queues.authentication.dropped > 0)
        #expect(queues.authentication.octets > 0)
        #expect(queues.accounting.dropped == 0)
    }
}
