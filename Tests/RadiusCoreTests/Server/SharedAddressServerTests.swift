import Synchronization
import Testing

@testable import RadiusCore

/// Several NAS behind one address, each with its secret, over the server's own sockets.
@Suite struct SharedAddressServerTests {
    private static let secrets = ["ap-1": "secret-of-the-first", "ap-2": "secret-of-the-second", "": "secret-of-the-rest"]

    private static func secret(_ identifier: String) -> SharedSecret { SharedSecret(Array((secrets[identifier] ?? "").utf8)) }

    private static func client(
        _ id: Int64, _ identifier: String, vendor: NASVendor = .mikrotik, limit: UInt32 = 0, address: UInt32 = 0x7f00_0001
    ) -> NASClient {
        NASClient(
            id: id, tenant: 1, name: "nas\(id)", identifier: identifier, network: IPAddress(ipv4: address), prefixLength: 128,
            secret: secret(identifier), vendor: vendor, rateLimitPerSecond: limit)
    }

    private static func named(_ identifier: String) -> [UInt8] {
        identifier.isEmpty ? [] : ScriptedHomeServer.attribute(AttributeNumber.nasIdentifier, Array(identifier.utf8))
    }

    /// A login as the NAS with this identifier; signed with the secret of `signer`.
    private static func access(_ number: UInt8, _ identifier: String, signer: String? = nil) -> [UInt8] {
        TestPacket.access(number, extra: named(identifier), secret: secret(signer ?? identifier))
    }

    private static func accounting(_ number: UInt8, _ identifier: String, signer: String? = nil) -> [UInt8] {
        var packet = TestPacket.build(.accountingRequest, number, sign: false) { writer in
            writer.append(AttributeNumber.acctStatusType, UInt32(1))
            writer.append(encoded: named(identifier).span)
            writer.append(AttributeNumber.acctSessionID, Array("s\(number)".utf8).span)
        }
        var span = packet.mutableSpan
        RequestAuthenticator.sign(&span, secret: secret(signer ?? identifier))
        return packet
    }

    private static func host(_ clients: NASClient..., started: Bool = true) throws -> TestServer {
        try TestServer(
            client: clients[0], subscribers: [TestServer.subscriber("nemo")], others: Array(clients.dropFirst()), started: started)
    }

    @Test func eachIsAnsweredWithItsOwnSecretAndInItsOwnWords() throws {
        let host = try Self.host(Self.client(1, "ap-1"), Self.client(2, "ap-2", vendor: .cisco))
        let nas = try TestNAS(to: host.server.authenticationPort)
        let first = nas.exchange(Self.access(1, "ap-1"))
        let second = nas.exchange(Self.access(2, "ap-2"))
        #expect(first.first == 2 && TestPacket.isSigned(first, secret: Self.secret("ap-1")))
        #expect(second.first == 2 && TestPacket.isSigned(second, secret: Self.secret("ap-2")))
        let dictionary = host.store.snapshot.dictionary
        let names = try [first, second].map { Set(try AttributeDecoder.decode($0.span, dictionary: dictionary).map(\.name)) }
        #expect(names[0].contains("Mikrotik-Rate-Limit") && names[1].contains("Cisco-AVPair"))
    }

    @Test func whoNamesAnotherMustKnowItsSecret() throws {
        let host = try Self.host(Self.client(1, "ap-1"), Self.client(2, "ap-2"))
        try TestNAS(to: host.server.authenticationPort).send(Self.access(1, "ap-1", signer: "ap-2"))
        #expect(eventually { host.count(DecodeError.messageAuthenticatorInvalid) == 1 })
        try TestNAS(to: host.server.accountingPort).send(Self.accounting(1, "ap-2", signer: "ap-1"))
        #expect(eventually { host.count(DecodeError.requestAuthenticatorInvalid) == 1 })
        #expect(host.count(ServerCounter.accessAccepts) == 0)
    }

    @Test func withoutOneThatTakesTheRestAStrangerIsUnknownAndNoted() throws {
        let host = try Self.host(Self.client(1, "ap-1"), Self.client(2, "ap-2"))
        let nas = try TestNAS(to: host.server.authenticationPort)
        nas.send(Self.access(1, "ap-9", signer: "ap-1"))
        nas.send(Self.access(2, "", signer: "ap-1"))
        nas.send(Self.access(3, "ap-9", signer: "ap-1"))
        #expect(eventually { host.count(ServerCounter.unknownClients) == 3 })
        let here = IPAddress(ipv4: 0x7f00_0001)
        #expect(
            host.server.environment.unknownClients.drain() == [
                UnknownClient(address: here, identifier: "ap-9"): 2, UnknownClient(address: here, identifier: ""): 1,
            ])
    }

    @Test func oneWithoutIdentifierTakesTheRestAndStatusServerToo() throws {
        let host = try Self.host(Self.client(1, "ap-1"), Self.client(3, ""))
        let nas = try TestNAS(to: host.server.authenticationPort)
        for identifier in ["", "ap-9"] {
            let reply = nas.exchange(Self.access(1, identifier, signer: ""))
            #expect(reply.first == 2 && TestPacket.isSigned(reply, secret: Self.secret("")))
        }
        let status = nas.exchange(TestPacket.status(secret: Self.secret("")))
        #expect(status.first == 2 && TestPacket.isSigned(status, secret: Self.secret("")))
        // RFC 5997 §3 lets NAS-Identifier stand in it.
        let named = TestPacket.build(.statusServer, 10, sign: true, secret: Self.secret("ap-1")) {
            $0.append(encoded: Self.named("ap-1").span)
        }
        #expect(TestPacket.isSigned(nas.exchange(named), secret: Self.secret("ap-1")))
    }

    @Test func recordsAreOfTheNASThatIsNamed() throws {
        let host = try Self.host(Self.client(1, "ap-1"), Self.client(2, "ap-2"))
        let nas = try TestNAS(to: host.server.accountingPort)
        #expect(nas.exchange(Self.accounting(1, "ap-2")).first == 5)
        #expect(nas.exchange(Self.accounting(2, "ap-1")).first == 5)
        let journal = host.server.environment.journal
        var reader = JournalReader(directory: journal.directory, after: 0)
        var owners: [Int64] = []
        _ = try reader.read(through: 2, limit: 2) { owners.append($0.entry.nas) }
        #expect(owners == [2, 1])
    }

    /// Their requests come from one port with one number, and the authenticator of the tests is always the same.
    @Test func noneGetsTheReplyToAnother() throws {
        let host = try Self.host(Self.client(1, "ap-1"), Self.client(2, "ap-2"))
        let nas = try TestNAS(to: host.server.authenticationPort)
        for round in 0..<2 {
            for identifier in ["ap-1", "ap-2"] {
                let reply = nas.exchange(Self.access(7, identifier))
                #expect(TestPacket.isSigned(reply, secret: Self.secret(identifier)), "\(round) \(identifier)")
            }
        }
        #expect(host.count(ServerCounter.duplicates) == 2)
        #expect(host.count(ServerCounter.accessAccepts) == 2)
    }

    @Test func aLimitIsOfTheOneThatIsNamed() throws {
        let (limited, other) = (Self.client(1, "ap-1", limit: 5), Self.client(2, "ap-2"))
        let host = try Self.host(limited, other, started: false)
        let (first, second) = (
            try TestNAS(to: host.server.authenticationPort), try TestNAS(to: host.server.authenticationPort)
        )
        for number in UInt8(0)..<20 {
            first.send(Self.access(number, "ap-1"))
            second.send(Self.access(number, "ap-2"))
            // Who names nobody uses up nobody's.
            first.send(Self.access(number, "nobody-\(number)", signer: "ap-1"))
        }
        host.server.start()
        #expect(Set((0..<20).map { _ in second.receive().prefix(2).last }) == Set(0..<20))
        #expect((0..<5).map { _ in first.receive().prefix(2).last } == [0, 1, 2, 3, 4])
        #expect(eventually { host.count(ServerCounter.rateLimited) == 15 && host.count(ServerCounter.unknownClients) == 20 })
        #expect(limited.observation.rateLimited.load(ordering: .relaxed) == 15)
    }

    /// Requests wait in the kernel before the worker begins, ten with made-up identifiers for each of two that are somebody's: a NAS at
    /// the same address, and one elsewhere. Where a row takes the rest, the flood has that row's share; else it is unknown.
    @Test(arguments: [true, false])
    func aFloodOfMadeUpIdentifiersTakesNothingFromOthers(hasRest: Bool) throws {
        let (sibling, far) = (Self.client(1, "ap-1"), Self.client(2, "ap-2", address: 0x7f00_0003))
        let others = [far] + (hasRest ? [Self.client(3, "")] : [])
        let host = try TestServer(client: sibling, subscribers: [TestServer.subscriber("nemo")], others: others, started: false) {
            $0.receiveBufferOctets = 212_992
        }
        let port = host.server.authenticationPort
        let (near, distant) = (try TestNAS(to: port), try Gateway(from: "127.0.0.3", to: "127.0.0.1", port: port))
        var floods: [TestNAS] = []
        var (sent, quiet) = (0, 0)
        while host.server.receiveQueues.authentication.octets < host.server.receiveQueues.authentication.limit * 3 / 4 {
            if sent % 2560 == 0 { floods = try (0..<10).map { _ in try TestNAS(to: port) } }
            for flood in floods {
                flood.send(Self.access(UInt8(sent / 10 % 256), "made-up-\(sent)", signer: ""))
                sent += 1
            }
            if quiet < 256 {
                near.send(Self.access(UInt8(quiet), "ap-1"))
                distant.send(Self.access(UInt8(quiet), "ap-2"))
                quiet += 1
            }
        }
        #expect(host.server.receiveQueues.authentication.dropped == 0)
        host.server.start()
        #expect(Set((0..<quiet).map { _ in near.receive().prefix(2).last }).count == quiet)
        #expect(Set((0..<quiet).map { _ in distant.receive().prefix(2).last }).count == quiet)
        for client in [sibling, far] { #expect(client.observation.shed.load(ordering: .relaxed) == 0) }
        if hasRest {
            #expect(host.count(ServerCounter.shed) > 0)
        } else {
            #expect(eventually { host.count(ServerCounter.unknownClients) == UInt64(sent) })
            // The report keeps a few of them, so that other addresses have room.
            #expect(host.server.environment.unknownClients.drain().count == UnknownClients.identifierLimit)
        }
    }
}
