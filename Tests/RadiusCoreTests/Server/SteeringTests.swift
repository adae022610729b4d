import CLinux
import Glibc
import Testing

@testable import RadiusCore

@Suite struct SteeringTests {
    /// Every identifier from one socket: each worker must get its share, and the same worker the same identifier again.
    @Test(arguments: [2, 3, 4], ["127.0.0.1", "::1"])
    func spreadsOneSourcePortAndKeepsRetransmissionsTogether(workers: Int, address: String) throws {
        let host = try SteeredHost(workers: workers, address: address)
        #expect(host.server.server.steering == .active)
        let gateway = try Gateway(to: address, port: host.server.server.authenticationPort)
        let requests = (0...255).map { TestPacket.access(UInt8($0)) }
        let replies = requests.map { gateway.exchange($0) }
        #expect(replies.map { $0.prefix(2) } == (0...255).map { [PacketCode.accessAccept.rawValue, UInt8($0)] })
        for worker in host.server.server.counters {
            #expect(worker[ServerCounter.accessAccepts] >= UInt64(256 / workers * 3 / 4))
        }
        #expect(requests.map { gateway.exchange($0) } == replies)
        #expect(host.server.count(ServerCounter.duplicates) == 256)
        #expect(host.server.count(ServerCounter.accessAccepts) == 256)
    }

    @Test(arguments: ["127.0.0.1", "::1"])
    func spreadsAccountingOfOneSourcePort(address: String) throws {
        let host = try SteeredHost(workers: 2, address: address)
        let gateway = try Gateway(to: address, port: host.server.server.accountingPort)
        for identifier in UInt8(0)...255 {
            let request = TestPacket.accounting(identifier, status: 1, session: "s\(identifier)")
            #expect(gateway.exchange(request).prefix(2) == [PacketCode.accountingResponse.rawValue, identifier])
        }
        for worker in host.server.server.counters { #expect(worker[ServerCounter.accountingResponses] >= 96) }
    }

    /// Identifiers in steps, as line cards number their own requests, must not meet one worker either.
    @Test(arguments: [2, 4, 8, 16, 32])
    func spreadsIdentifiersInSteps(step: Int) throws {
        let host = try SteeredHost(workers: 2, address: "127.0.0.1")
        for _ in 0..<step {
            let gateway = try Gateway(to: "127.0.0.1", port: host.server.server.authenticationPort)
            for identifier in stride(from: 0, to: 256, by: step) {
                #expect(gateway.exchange(TestPacket.access(UInt8(identifier))).first == PacketCode.accessAccept.rawValue)
            }
        }
        for worker in host.server.server.counters { #expect(worker[ServerCounter.accessAccepts] >= 64) }
    }

    @Test func aNewAuthenticatorReplacesTheOldRequestWhicheverWorkerHasIt() throws {
        let host = try SteeredHost(workers: 4, address: "127.0.0.1")
        let gateway = try Gateway(to: "127.0.0.1", port: host.server.server.authenticationPort)
        let first = TestPacket.access(77, sign: false)
        var second = first
        second[4] ^= 1  // another Request Authenticator: the password no longer reads as it should
        #expect(gateway.exchange(first).first == PacketCode.accessAccept.rawValue)
        #expect(gateway.exchange(second).first == PacketCode.accessReject.rawValue)
        #expect(gateway.exchange(first).first == PacketCode.accessAccept.rawValue)
        #expect(host.server.count(ServerCounter.duplicates) == 0)
        #expect(host.server.server.counters.filter { $0[ServerCounter.accessRequests] > 0 }.count == 1)
    }

    @Test func aDatagramTooShortForAnIdentifierIsCountedAndSilent() throws {
        let host = try SteeredHost(workers: 2, address: "127.0.0.1")
        let gateway = try Gateway(to: "127.0.0.1", port: host.server.server.authenticationPort)
        gateway.send([1])
        #expect(eventually { host.server.count(DecodeError.shorterThanHeader) == 1 })
    }

    @Test func oneWorkerNeedsNoSteeringAndANonSocketIsRefused() {
        #expect(SocketSteering.steer([0]) == .notNeeded)
        let event = lm_eventfd()
        defer { close(event) }
        #expect(SocketSteering.steer([event, event]) == .refused(ENOTSOCK))
        #expect(SocketSteering.refused(EPERM).warning?.contains("one worker") == true)
        #expect(SocketSteering.active.warning == nil)
    }
}

/// A server of several workers, on an IPv4 or IPv6 loopback address.
private struct SteeredHost {
    let server: TestServer

    init(workers: Int, address text: String) throws {
        let address = try #require(IPAddress(text: text))
        let client = NASClient(
            id: 7, tenant: 1, name: "gateway", network: address, prefixLength: 128, secret: TestServer.secret, vendor: .mikrotik)
        server = try TestServer(
            client: client, subscribers: [TestServer.subscriber("nemo")], workers: workers, address: address)
    }
}
