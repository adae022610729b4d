import CLinux
import Glibc
import Support
import Synchronization
import Testing

@testable import RadiusCore

/// Peers that are slow, many or silent: others are served, and what they cost is bounded.
@Suite struct StreamFloodTests {
    /// Log-ins of a well-behaved peer, all of them accepted.
    private static func login(_ peer: StreamPeer, _ count: Int, secret: SharedSecret = TestServer.secret) -> Bool {
        (0..<count).allSatisfy { peer.exchange(TestPacket.access(UInt8($0 & 0xff), secret: secret)).first == 2 }
    }

    @Test func onePeerThatSendsAnOctetAtATimeHoldsUpNobodyAndIsEnded() throws {
        let host = try StreamHost { $0.packetSeconds = 2 }
        let good = try StreamPeer(to: host.tcpAuthenticationPort)
        let slow = try StreamPeer(to: host.tcpAuthenticationPort)
        let packet = TestPacket.access(1)
        var sent = 0
        while !slow.isEnded, sent < packet.count - 1 {
            slow.send([packet[sent]])
            sent += 1
            #expect(Self.login(good, 3))
        }
        #expect(slow.ends())
        #expect(host.refused("packet_timeout", .tcp) == 1)
        #expect(Self.login(good, 1) && host.open == 1)
    }

    @Test func aHandshakeThatIsNotEndedIsEndedByUs() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority) { $0.handshakeSeconds = 1 }
            let silent = try StreamPeer(to: host.tlsPort)
            let begun = try StreamPeer(to: host.tlsPort, try authority.client())
            begun.tls?.start()
            let hello = begun.tls?.takeOutput() ?? []
            begun.sendRaw(Array(hello.prefix(hello.count - 1)))
            #expect(silent.ends())
            // The refusal is counted before the connection leaves.
            #expect(await eventually { host.refused("handshake_timeout") == 2 && host.streams.census.statistics.handshaking == 0 })
        }
    }

    @Test func aFloodOfHalfOpenConnectionsIsBoundedAndOthersGetThrough() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, others: [StreamHost.client(2), StreamHost.client(3)]) {
                $0.handshakes = 16
                $0.handshakeSeconds = 60
            }
            let established = try StreamPeer(to: host.tlsPort, try authority.client())
            #expect(established.handshake())
            // One client may have a quarter.
            let flood = try (0..<100).map { _ in try StreamPeer(to: host.tlsPort, from: 2) }
            // One that comes late displaces one that is stuck.
            #expect(await eventually { host.refused("too_many_handshakes") + host.refused("handshake_displaced") == 96 })
            #expect(host.streams.census.statistics.handshaking == 4)
            #expect(Self.login(established, 20, secret: StreamPeer.radsec))
            let other = try StreamPeer(to: host.tlsPort, from: 3, try authority.client())
            #expect(other.handshake() && Self.login(other, 20, secret: StreamPeer.radsec))
            #expect(flood.count == 100)
        }
    }

    /// A NAS that is a network: a device that begins handshakes and stays silent keeps the others out for two seconds alone.
    @Test func aHandshakeThatIsStuckGivesWayToANewOneOfItsNAS() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, others: [StreamHost.client(2)]) {
                $0.handshakes = 16
                $0.handshakeSeconds = 600
            }
            let stuck = try (0..<4).map { _ in try StreamPeer(to: host.tlsPort, from: 2) }
            #expect(await eventually { host.streams.census.statistics.handshaking == 4 })
            try await Support.eventually {
                let peer = try StreamPeer(to: host.tlsPort, from: 2, try authority.client())
                return peer.handshake() && Self.login(peer, 1, secret: StreamPeer.radsec)
            }
            #expect(host.refused("handshake_displaced") >= 1 && stuck.count == 4)
        }
    }

    /// A NAS's quarter is counted over all threads, and each of them has handshakes of its own.
    @Test func aHandshakeThatIsStuckGivesWayToOneThatAnotherThreadRefused() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, others: [StreamHost.client(2)]) {
                $0.threads = 2
                $0.handshakes = 4
                $0.handshakeSeconds = 600
            }
            let stuck = try StreamPeer(to: host.tlsPort, from: 2)
            #expect(await eventually { host.streams.census.statistics.handshaking == 1 })
            // The kernel gives some of these to the other thread, and no more come.
            let refused = try (0..<30).map { _ in try StreamPeer(to: host.tlsPort, from: 2) }
            #expect(stuck.ends() && refused.count == 30)
            #expect(host.refused("handshake_displaced") >= 1)
        }
    }

    @Test func theOldestHandshakeGivesWayWhenManyClientsBeginSome() async throws {
        try await TestAuthority.withPair { authority in
            let many = (10..<40).map { StreamHost.client($0) }
            let host = try StreamHost(authority, others: many) {
                $0.handshakes = 8
                $0.handshakeSeconds = 60
            }
            let flood = try (10..<40).map { try StreamPeer(to: host.tlsPort, from: UInt32($0)) }
            #expect(await eventually { host.refused("handshake_displaced") == 22 })
            let other = try StreamPeer(to: host.tlsPort, try authority.client())
            #expect(other.handshake() && Self.login(other, 5, secret: StreamPeer.radsec))
            #expect(host.streams.census.statistics.handshaking == 7 && flood.count == 30)
        }
    }

    @Test func aStormOfWholeHandshakesDelaysNoEstablishedConnectionForLong() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority, others: [StreamHost.client(2)])
            let context = try authority.client()
            let established = try StreamPeer(to: host.tlsPort, context)
            #expect(established.handshake())
            // Clients' first flights at once, so that the server has hundreds of handshakes to go on with.
            let storm = try (0..<120).map { _ in try StreamPeer(to: host.tlsPort, from: 2, context) }
            for peer in storm {
                peer.tls?.start()
                peer.flush()
            }
            // All of these are answered while the storm is worked off, 2 ms of it a turn.
            #expect(Self.login(established, 200, secret: StreamPeer.radsec))
            #expect(storm.allSatisfy { $0.handshake() })
            #expect(storm.allSatisfy { Self.login($0, 1, secret: StreamPeer.radsec) })
            #expect(host.open == 121)
        }
    }

    @Test func connectionsAreBoundedForEachClientAndForAll() throws {
        let host = try StreamHost(others: [StreamHost.client(2), StreamHost.client(3)]) {
            $0.connections = 10
            $0.connectionsPerClient = 6
        }
        let first = try (0..<20).map { _ in try StreamPeer(to: host.tcpAuthenticationPort, from: 2) }
        #expect(eventually { host.refused("too_many_of_client", .tcp) == 14 })
        let second = try (0..<20).map { _ in try StreamPeer(to: host.tcpAuthenticationPort, from: 3) }
        #expect(eventually { host.refused("too_many_connections", .tcp) == 16 })
        #expect(host.open == 10)
        #expect(Self.login(first[0], 5) && Self.login(second[0], 5))
    }

    @Test func placesOfConnectionsThatEndedAreUsedAgain() throws {
        let host = try StreamHost { $0.connections = 4 }
        for round in 0..<40 {
            let peers = try (0..<4).map { _ in try StreamPeer(to: host.tcpAuthenticationPort) }
            #expect(peers.allSatisfy { Self.login($0, 1) }, "round \(round)")
            for peer in peers { shutdown(peer.fd, Int32(SHUT_WR)) }
            #expect(peers.allSatisfy { $0.ends() })
            #expect(eventually { host.open == 0 })
        }
        #expect(host.streams.census.statistics.accepted == [.tcp: 160])
    }

    @Test func whoReadsNoRepliesIsNotReadAnyMoreAndThenEnded() throws {
        let host = try StreamHost(others: [StreamHost.client(2)]) { $0.stallSeconds = 2 }
        let good = try StreamPeer(to: host.tcpAuthenticationPort)
        let deaf = try StreamPeer(to: host.tcpAuthenticationPort, from: 2, receiveOctets: 4096)
        let burst = (0..<256).flatMap { TestPacket.access(UInt8($0)) }
        // Without waiting: until the server reads no more, nor the kernel takes any for it.
        var isFull = false
        var sent = 0
        for _ in 0..<4000 where !isFull {
            let count = burst.withUnsafeBufferPointer { lm_stream_send(deaf.fd, $0.baseAddress, $0.count) }
            isFull = count < burst.count
            sent += max(0, count)
            if count == -Int(EAGAIN) { break }
        }
        #expect(Self.login(good, 20))
        #expect(eventually { host.refused("not_reading", .tcp) == 1 && host.open == 1 })
        #expect(Self.login(good, 5) && sent > 0)
        // What it had sent was not all worked on: reading stopped first.
        #expect(host.count(.accessRequests) < UInt64(4000 * 256))
    }

    private final class Sent: Sendable {
        let isWhole = Atomic<Bool>(false)
    }

    /// Sends so many requests; blocks. Whether the peer took all of them.
    private static func send(_ requests: Int, over fd: Int32) -> Bool {
        for number in 0..<requests {
            let packet = TestPacket.access(UInt8(number & 0xff), user: "u\(number)")
            var sent = 0
            while sent < packet.count {
                let count = packet.withUnsafeBytes {
                    Glibc.send(fd, $0.baseAddress?.advanced(by: sent), packet.count - sent, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return false }
                sent += count
            }
        }
        return true
    }

    @Test func aPeerThatReadsLateGetsAllItsReplies() async throws {
        let host = try StreamHost { $0.stallSeconds = 60 }
        let late = try StreamPeer(to: host.tcpAuthenticationPort, receiveOctets: 4096)
        let fd = late.fd
        let requests = 20_000
        // Not a task: this test blocks a thread that the task may need.
        let sent = Sent()
        Thread.start(name: "late-peer") { sent.isWhole.store(Self.send(requests, over: fd), ordering: .releasing) }
        var answers = 0
        while answers < requests, late.receive().count >= 20 { answers += 1 }
        #expect(answers == requests)
        #expect(await eventually { sent.isWhole.load(ordering: .acquiring) })
        withExtendedLifetime(late) {}
        #expect(host.refused("not_reading", .tcp) == 0)
    }

    @Test func hostileOctetsOfAnyKindLeaveTheServerServing() async throws {
        try await TestAuthority.withPair { authority in
            let host = try StreamHost(authority) { $0.packetSeconds = 1 }
            let context = try authority.client()
            let good = try StreamPeer(to: host.tlsPort, context)
            #expect(good.handshake())
            var random = SeededGenerator(state: 6614)
            for round in 0..<200 {
                let port = [host.tlsPort, host.tcpAuthenticationPort, host.tcpAccountingPort][round % 3]
                let peer = try StreamPeer(to: port, round % 6 == 0 ? context : nil)
                if round % 6 == 0, round % 12 == 0 { #expect(peer.handshake()) } else { peer.tls?.start() }
                var octets = peer.tls?.takeOutput() ?? []
                octets += round % 2 == 0 ? TestPacket.access(1) : []
                for _ in 0..<Int.random(in: 0...40, using: &random) {
                    let place = Int.random(in: 0...octets.count, using: &random)
                    octets.insert(UInt8.random(in: 0...255, using: &random), at: place)
                }
                // Inside TLS where there is an inside, else past it.
                if round % 12 == 0 { peer.send(octets) } else { peer.sendRaw(octets) }
                if round % 5 == 0 { #expect(Self.login(good, 1, secret: StreamPeer.radsec)) }
            }
            #expect(Self.login(good, 50, secret: StreamPeer.radsec))
            #expect(await eventually { host.open == 1 && host.streams.census.statistics.handshaking == 0 })
        }
    }

    @Test func anIdleConnectionIsEnded() throws {
        let host = try StreamHost { $0.idleSeconds = 1 }
        var peer = try StreamPeer(to: host.tcpAuthenticationPort)
        var peers = 1
        // One that could not log in within its second, since the machine stood still, was idle, too.
        try eventuallyBlocking {
            if Self.login(peer, 1) { return true }
            peer = try StreamPeer(to: host.tcpAuthenticationPort)
            peers += 1
            return false
        }
        #expect(peer.ends())
        #expect(host.streams.census.statistics.closed[.tcp]?["idle"] == UInt64(peers))
    }
}
