import CLinux
import Glibc
import Testing

@testable import RadiusCore

/// Replies of one length to one peer leave as one message; the peer sees the same datagrams in the same order.
@Suite struct ReplyRunTests {
    @Test(arguments: ["127.0.0.1", "::1"])
    func oneLengthToOnePeerIsOneMessage(address: String) throws {
        let peer = try RunPeer(at: address, seesRunsWhole: true)
        let replies = RunPeer.replies([38, 38, 38, 38, 30])
        let outcome = try RunSender(at: address).send(replies.map { ($0, peer) })
        #expect(outcome == .init(sent: 5, sendsRuns: 1))
        #expect(peer.receive() == replies.flatMap { $0 })
    }

    @Test(arguments: ["127.0.0.1", "::1"])
    func lengthsThatDifferKeepTheirOrder(address: String) throws {
        let peer = try RunPeer(at: address)
        let lengths = [38, 38, 50, 38, 38, 20, 38, 1200, 1200, 1201, 1201, 20, 20, 4096, 20]
        let replies = RunPeer.replies(lengths)
        #expect(try RunSender(at: address).send(replies.map { ($0, peer) }) == .init(sent: lengths.count, sendsRuns: 1))
        #expect(lengths.map { _ in peer.receive() } == replies)
    }

    @Test(arguments: ["127.0.0.1", "::1"])
    func moreThanOneMessageHoldsLeavesAsSeveral(address: String) throws {
        let peer = try RunPeer(at: address)
        let replies = RunPeer.replies(Array(repeating: 1200, count: 64))
        #expect(try RunSender(at: address).send(replies.map { ($0, peer) }) == .init(sent: 64, sendsRuns: 1))
        #expect(replies.map { _ in peer.receive() } == replies)
    }

    @Test func aLongReplyIsNotCut() throws {
        let peer = try RunPeer(at: "127.0.0.1", seesRunsWhole: true)
        let replies = RunPeer.replies([1201, 1201])
        #expect(try RunSender(at: "127.0.0.1").send(replies.map { ($0, peer) }) == .init(sent: 2, sendsRuns: 1))
        #expect([peer.receive(), peer.receive()] == replies)
    }

    /// The sender of IPv4 peers and the one of IPv6 peers is the same dual-stack socket.
    @Test func manyPeersOfBothFamiliesEachGetTheirOwn() throws {
        let sender = try RunSender(at: "::")
        let peers = try (0..<30).map { try RunPeer(at: $0 % 2 == 0 ? "127.0.0.1" : "::1") }
        for round in 0..<40 {
            let replies = RunPeer.replies((0..<64).map { 20 + ($0 * 7 + round) % 3 * 9 }, from: round)
            let addressed = replies.enumerated().map { ($1, peers[$0 * $0 % (round % 30 + 1)]) }
            #expect(sender.send(addressed) == .init(sent: 64, sendsRuns: 1))
            for peer in peers {
                let expected = addressed.filter { $0.1 === peer }.map(\.0)
                #expect(expected.map { _ in peer.receive() } == expected)
            }
        }
    }

    @Test func repliesFromTwoOfOurAddressesDoNotMix() throws {
        let peer = try RunPeer(at: "127.0.0.1")
        let replies = RunPeer.replies(Array(repeating: 38, count: 8))
        let locals = (0..<8).map { $0 % 2 == 0 ? "127.0.0.2" : "127.0.0.3" }
        #expect(try RunSender(at: "::").send(replies.map { ($0, peer) }, from: locals) == .init(sent: 8, sendsRuns: 1))
        var sources: [[UInt8]: String] = [:]
        for _ in replies {
            let (octets, source) = peer.receiveWithSource()
            sources[octets] = source
        }
        #expect(sources == Dictionary(uniqueKeysWithValues: zip(replies, locals)))
    }

    /// Nobody answers from port 0, so the kernel refuses to send there, in a run or not.
    @Test func aPeerThatCannotBeReachedCostsTheOthersNothing() throws {
        let peer = try RunPeer(at: "127.0.0.1")
        let nowhere = try RunPeer(at: "127.0.0.1", advertisedPort: 0)
        let replies = RunPeer.replies(Array(repeating: 38, count: 6))
        let addressed = replies.enumerated().map { ($1, $0 % 2 == 0 ? nowhere : peer) }
        let sender = try RunSender(at: "127.0.0.1")
        #expect(sender.send(addressed) == .init(sent: 3, sendsRuns: 1))
        #expect((0..<3).map { _ in peer.receive() } == [replies[1], replies[3], replies[5]])
        #expect(sender.send([(replies[0], nowhere), (replies[1], nowhere)]) == .init(sent: -Int(EINVAL), sendsRuns: 1))
    }

    @Test func slotsThatAreHeldBackAreLeftOut() throws {
        let peer = try RunPeer(at: "127.0.0.1")
        let replies = [[], [1, 1], [], [2, 2], [3, 3], []] as [[UInt8]]
        #expect(try RunSender(at: "127.0.0.1").send(replies.map { ($0, peer) }) == .init(sent: 3, sendsRuns: 1))
        #expect((0..<3).map { _ in peer.receive() } == [[1, 1], [2, 2], [3, 3]])
    }

    /// A socket without checksums: the kernel cuts no message for it.
    @Test(arguments: ["127.0.0.1", "::1"])
    func whatTheKernelRefusesToCutLeavesOneByOneFromThenOn(address: String) throws {
        let (one, other) = (try RunPeer(at: address), try RunPeer(at: address))
        let sender = try RunSender(at: address, withChecksums: false)
        for sendsRuns in [Int32(1), 0] {
            let replies = RunPeer.replies([38, 38, 50, 38, 38, 38, 30, 30])
            let addressed = replies.enumerated().map { ($1, $0 % 3 == 0 ? other : one) }
            #expect(sender.sendsRuns == sendsRuns)
            #expect(sender.send(addressed) == .init(sent: 8, sendsRuns: 0))
            for peer in [one, other] {
                let expected = addressed.filter { $0.1 === peer }.map(\.0)
                #expect(expected.map { _ in peer.receive() } == expected)
            }
        }
    }

    @Test func aRefusalIsCountedOnceForASocket() throws {
        let peer = try RunPeer(at: "127.0.0.1")
        let sender = try RunSender(at: "127.0.0.1", withChecksums: false)
        let counters = WorkerCounters()
        var port = ReplyPort(fd: sender.fd, counters: counters, held: 1)
        var request = lm_datagram()
        request.peer = peer.address
        for round in UInt8(0)..<3 {
            for _ in 0..<2 {
                let reply = withUnsafePointer(to: request) { port.slot(answering: $0) }
                reply.pointee.bytes[0] = round
                reply.pointee.count = 1
                port.add()
            }
            port.flush()
            #expect([peer.receive(), peer.receive()] == [[round], [round]])
        }
        #expect(counters[ServerCounter.replyRunsRefused] == 1)
        #expect(counters[ServerCounter.sendFailures] == 0)
    }

    @Test func onlyASocketOfDatagramsSendsRuns() throws {
        let event = lm_eventfd()
        defer { close(event) }
        #expect(lm_sends_runs(event) == 0)
        #expect(try RunSender(at: "127.0.0.1").sendsRuns == 1)
    }

    /// Far more than a batch from one port; each request its reply, and none twice.
    @Test(arguments: ["127.0.0.1", "::1"])
    func aFloodFromOnePortIsAnsweredToTheLast(address: String) throws {
        let network = try #require(IPAddress(text: address))
        let client = NASClient(
            id: 7, tenant: 1, name: "gateway", network: network, prefixLength: 128, secret: TestServer.secret, vendor: .mikrotik)
        let host = try TestServer(client: client, subscribers: [TestServer.subscriber("nemo")], address: network, started: false)
        let gateways = try [host.server.authenticationPort, host.server.accountingPort].map { try Gateway(to: address, port: $0) }
        for identifier in UInt8(0)...199 {
            gateways[0].send(TestPacket.access(identifier, password: identifier % 10 == 9 ? "wrong" : "arctangent"))
            gateways[1].send(TestPacket.accounting(identifier, status: 1, session: "s\(identifier)"))
        }
        host.server.start()
        for gateway in gateways {
            var identifiers: Set<UInt8> = []
            for _ in 0..<200 {
                let reply = gateway.receive()
                try #require(reply.count >= 20)
                #expect(Int(reply[3]) == reply.count)
                identifiers.insert(reply[1])
            }
            #expect(identifiers == Set(0...199))
            #expect(gateway.receive(waitMilliseconds: 0) == [])
        }
        #expect(host.count(ServerCounter.sendFailures) == 0)
        #expect(host.count(ServerCounter.replyRunsRefused) == 0)
    }
}

/// Where runs leave from.
private final class RunSender {
    struct Outcome: Equatable {
        var sent: Int
        var sendsRuns: Int32
    }

    let fd: Int32
    private(set) var sendsRuns: Int32
    private let arena = DatagramArena()

    init(at address: String, withChecksums: Bool = true) throws {
        fd = lm_udp_open(try #require(IPAddress(text: address)).octets, 0, 0, 0)
        try #require(fd >= 0)
        sendsRuns = lm_sends_runs(fd)
        guard !withChecksums else { return }
        // IPv4 and IPv6: SO_NO_CHECK, UDP_NO_CHECK6_TX.
        for (level, option) in [(SOL_SOCKET, Int32(11)), (Int32(IPPROTO_UDP), 101)] {
            var on: Int32 = 1
            try #require(setsockopt(fd, level, option, &on, 4) == 0)
        }
    }

    deinit { close(fd) }

    /// - Parameters:
    ///   - replies: at most 64, with their receivers.
    ///   - locals: the addresses that they leave from; none: the system chooses.
    /// - Returns: what `lm_send_runs` said.
    func send(_ replies: [([UInt8], RunPeer)], from locals: [String] = []) -> Outcome {
        for (position, (octets, peer)) in replies.enumerated() {
            let slot = arena.slots + position
            slot.pointee.count = UInt32(octets.count)
            slot.pointee.peer = peer.address
            for (offset, octet) in octets.enumerated() { slot.pointee.bytes[offset] = octet }
            guard position < locals.count, let local = IPAddress(text: locals[position]) else { continue }
            withUnsafeMutableBytes(of: &slot.pointee.local) { $0.copyBytes(from: local.octets) }
        }
        let sent = lm_send_runs(fd, arena.slots, UInt32(replies.count), &sendsRuns)
        return Outcome(sent: Int(sent), sendsRuns: sendsRuns)
    }
}

/// Receives replies.
private final class RunPeer {
    private let fd: Int32
    let address: lm_address

    /// - Parameters:
    ///   - text: a loopback address.
    ///   - seesRunsWhole: receives a run as one (UDP_GRO), which shows that it was sent as one.
    ///   - advertisedPort: where replies are sent to, instead of the port that it has.
    /// - Throws: when there is no such address here, or the kernel has no such option.
    init(at text: String, seesRunsWhole: Bool = false, advertisedPort: UInt16? = nil) throws {
        let here = try #require(IPAddress(text: text))
        fd = lm_udp_open(here.octets, 0, 0, 1 << 20)
        try #require(fd >= 0)
        address = here.datagramAddress(port: advertisedPort ?? UInt16(lm_bound_port(fd)))
        var on: Int32 = 1
        // UDP_GRO, and UDP_NO_CHECK6_RX, so that a datagram without checksum is taken.
        if seesRunsWhole { try #require(setsockopt(fd, Int32(IPPROTO_UDP), 104, &on, 4) == 0) }
        try #require(setsockopt(fd, Int32(IPPROTO_UDP), 102, &on, 4) == 0)
    }

    deinit { close(fd) }

    /// The next datagram; empty when none comes within a minute.
    func receive() -> [UInt8] { receiveWithSource().octets }

    func receiveWithSource() -> (octets: [UInt8], source: String) {
        var waiting = fd
        guard lm_wait(&waiting, 1, 60_000) > 0 else { return ([], "") }
        var octets = [UInt8](repeating: 0, count: 65536)
        var slot = lm_datagram()
        let count = octets.withUnsafeMutableBufferPointer { memory -> Int in
            slot.bytes = memory.baseAddress
            slot.capacity = UInt32(memory.count)
            return lm_receive(fd, &slot, 1) == 1 ? Int(slot.count) : 0
        }
        let source = withUnsafeBytes(of: slot.peer.octets) { IPAddress(octets: $0) }
        return (Array(octets[..<count]), source.text)
    }

    /// Replies of these lengths, no two alike.
    static func replies(_ lengths: [Int], from first: Int = 0) -> [[UInt8]] {
        lengths.enumerated().map { position, length in
            (0..<length).map { UInt8(truncatingIfNeeded: $0 == 0 ? position : $0 &* 31 &+ position &* 7 &+ first) }
        }
    }
}
