import CLinux
import Glibc
import Synchronization
import Testing

@testable import RadiusCore

/// Slow checks that wait until the test lets them go on.
final class Turnstile: Sendable {
    private let flag = WaitFlag()
    private let begun = Atomic<Int>(0)

    private let clock = Atomic<UInt64>(1)

    /// The pool's clock, which stands still unless the test moves it.
    var nanoseconds: UInt64 { clock.load(ordering: .relaxed) }
    func advance(milliseconds: UInt64) { clock.add(milliseconds * 1_000_000, ordering: .relaxed) }

    var waiting: Int { begun.load(ordering: .relaxed) }

    func pass() {
        begun.add(1, ordering: .relaxed)
        flag.wait()
        flag.signal()
    }

    func open() { flag.signal() }
}

@Suite struct SlowCheckTests {
    private static let hash = "$2b$04$8YrEQ9gwNJZ4u6sF5m7oA.1OQsdfH4i0fGmT5VY6Jr1nW3nq7iF9K"

    private static func pool(_ gate: Turnstile, queue: Int) -> SlowChecks {
        SlowChecks(.init(threads: 1, queue: queue, deadlineMilliseconds: 5000), clock: { gate.nanoseconds }) { password, _ in
            gate.pass()
            return password.count == 10 ? .matches : .differs
        }
    }

    private static func host(_ slowChecks: SlowChecks) throws -> TestServer {
        let other = NASClient(
            id: 8, tenant: 1, name: "other", network: IPAddress(ipv4: 0x7f00_0002), prefixLength: 128, secret: TestServer.secret,
            vendor: .generic)
        return try TestServer(
            subscribers: [TestServer.subscriber("nemo"), TestServer.subscriber("slow", password: hash, kind: .hash)], others: [other],
            address: IPAddress(high: 0, low: 0), slowChecks: slowChecks)
    }

    @Test func aFloodOfSlowChecksDelaysNoOtherLogin() throws {
        let gate = Turnstile()
        let host = try Self.host(Self.pool(gate, queue: 16))
        let flood = try TestNAS(to: host.server.authenticationPort)
        let nas = try TestNAS(to: host.server.authenticationPort)
        flood.send(TestPacket.access(200, user: "slow"))
        #expect(eventually { gate.waiting == 1 })
        var accepted = 0
        for identifier in UInt8(0)..<200 {
            flood.send(TestPacket.access(identifier, user: "slow"))
            if nas.exchange(TestPacket.access(identifier)).prefix(2) == [PacketCode.accessAccept.rawValue, identifier] { accepted += 1 }
        }
        #expect(accepted == 200)
        // One check runs and never ended while 200 others were answered; the client's half of the queue is full, the rest was refused.
        #expect(eventually { host.count(ServerCounter.parked) + host.count(ServerCounter.parkedRefused) == 201 })
        let now = host.server.environment.slowChecks.statistics
        #expect(now.running == 1 && now.done == 0)
        #expect(now.waiting == 8)
        #expect(now.refusedClientShare == 192)
        #expect(host.count(AccessReason.overloaded) == 192)
        #expect(host.count(AccessReason.accepted) == 200)
        gate.open()
        #expect(eventually { host.server.environment.slowChecks.statistics.done == 9 })
    }

    @Test func oneClientsFloodLeavesHalfOfTheQueueToOthers() throws {
        let gate = Turnstile()
        let host = try Self.host(Self.pool(gate, queue: 8))
        let flood = try Gateway(to: "127.0.0.1", port: host.server.authenticationPort)
        flood.send(TestPacket.access(100, user: "slow"))
        #expect(eventually { gate.waiting == 1 })
        for identifier in UInt8(0)..<100 { flood.send(TestPacket.access(identifier, user: "slow")) }
        #expect(eventually { host.count(ServerCounter.parked) + host.count(ServerCounter.parkedRefused) == 101 })
        let other = try Gateway(from: "127.0.0.2", to: "127.0.0.1", port: host.server.authenticationPort)
        for identifier in UInt8(0)..<3 { other.send(TestPacket.access(identifier, user: "slow")) }
        #expect(eventually { host.server.environment.slowChecks.statistics.waiting == 7 })
        gate.open()
        #expect(Set((0..<3).map { _ in Array(other.receive().prefix(2)) }) == [[2, 0], [2, 1], [2, 2]])
        #expect(eventually { host.server.environment.slowChecks.statistics.done == host.count(ServerCounter.parked) })
    }

    @Test func aCheckThatWaitedTooLongIsDroppedAndItsRetransmissionIsNew() throws {
        let gate = Turnstile()
        let host = try Self.host(Self.pool(gate, queue: 8))
        let nas = try TestNAS(to: host.server.authenticationPort)
        nas.send(TestPacket.access(1, user: "slow"))
        #expect(eventually { gate.waiting == 1 })
        nas.send(TestPacket.access(2, user: "slow"))
        #expect(eventually { host.server.environment.slowChecks.statistics.waiting == 1 })
        gate.advance(milliseconds: 5001)
        gate.open()
        #expect(nas.receive().prefix(2) == [PacketCode.accessAccept.rawValue, 1])
        #expect(eventually { host.count(ServerCounter.parkedExpired) == 1 })
        #expect(host.server.environment.slowChecks.statistics.expired == 1)
        #expect(host.server.environment.slowChecks.statistics.waitedNanoseconds == 5_001_000_000)
        #expect(nas.exchange(TestPacket.access(2, user: "slow")).prefix(2) == [PacketCode.accessAccept.rawValue, 2])
    }

    @Test func whoTookOverTheAddressMeanwhileIsNotAnswered() throws {
        let gate = Turnstile()
        let host = try Self.host(Self.pool(gate, queue: 8))
        let nas = try TestNAS(to: host.server.authenticationPort)
        nas.send(TestPacket.access(1, user: "slow"))
        #expect(eventually { gate.waiting == 1 })
        let before = host.store.snapshot
        let successor = NASClient(
            id: 9, tenant: 1, name: "successor", network: IPAddress(ipv4: 0x7f00_0001), prefixLength: 128, secret: TestServer.secret,
            vendor: .generic)
        host.store.publish(
            Snapshot(
                clients: ClientTable([successor]), subscribers: before.subscribers, profiles: before.profiles, policies: before.policies,
                dictionary: before.dictionary))
        #expect(nas.exchange(TestPacket.access(2)).prefix(2) == [PacketCode.accessAccept.rawValue, 2])
        gate.open()
        #expect(eventually { host.count(ServerCounter.unknownClients) == 1 })
        // What comes of it is the first answer; and the request that was dropped is new when it comes again.
        #expect(nas.exchange(TestPacket.access(3)).prefix(2) == [PacketCode.accessAccept.rawValue, 3])
        #expect(nas.exchange(TestPacket.access(1, user: "slow")).prefix(2) == [PacketCode.accessAccept.rawValue, 1])
    }

    @Test func theStopAnswersWhatWaitsForASlowCheck() throws {
        let gate = Turnstile()
        let host = try Self.host(Self.pool(gate, queue: 8))
        let nas = try TestNAS(to: host.server.authenticationPort)
        for identifier in UInt8(0)..<4 { nas.send(TestPacket.access(identifier, user: "slow")) }
        #expect(eventually { host.count(ServerCounter.parked) == 4 })
        host.server.stop()
        gate.open()
        #expect(Set((0..<4).map { _ in nas.receive().prefix(2).last }) == [0, 1, 2, 3])
        #expect(eventually { !host.server.isRunning })
    }
}
