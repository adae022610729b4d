import Testing

@testable import RadiusCore

/// Log-ins whose profile names pools, through sockets.
@Suite struct AddressLoginTests {
    private static let station = [AttributeNumber.callingStationID, 6] + Array("line".utf8)

    private struct Host {
        let pools = AddressPools()
        let server: TestServer
        let nas: TestNAS

        /// Pools of `items` items each, whose rules and whose subscriber the closures may change.
        init(
            items: Int = 2, rules: (inout AddressPoolRules) -> Void = { _ in }, subscriber: (inout SubscriberEntry) -> Void = { _ in },
            isInTouch: Bool = true, recorder: FlightRecorder = FlightRecorder(memoryOctets: 0, workers: 1)
        ) throws {
            let kinds: [(Int64, AddressPoolKind, Int, String)] = [
                (1, .ipv4, 32, "192.0.2.8"), (2, .ipv6Prefix, 64, "2001:db8:0:8::"), (3, .delegatedPrefix, 56, "2001:db8:1::"),
            ]
            for (id, kind, length, first) in kinds {
                var own = AddressPoolRules(name: "pool-\(id)", kind: kind, prefixLength: length)
                rules(&own)
                pools.pool(id).set(own)
                let block = AddressBlock(id: id, first: try #require(IPAddress(text: first)), count: items, settlesAt: 0)
                pools.pool(id).add(block, [])
            }
            let now = AddressClock.monotonic
            if isInTouch { pools.clock.renew(database: 1, asked: now, answered: now, wall: AddressClock.wall, seconds: 60) }
            var entry = TestServer.subscriber("nemo")
            subscriber(&entry)
            let named = ProfilePools(ipv4: pools.pool(1), ipv6Prefix: pools.pool(2), delegatedPrefix: pools.pool(3))
            let profile = ReplyProfile(
                id: 1, tenant: 1, name: "pooled", rate: BandwidthRate(downloadBitsPerSecond: 0, uploadBitsPerSecond: 0),
                sessionTimeoutSeconds: 0, idleTimeoutSeconds: 0, interimSeconds: 0, filters: [], free: { _ in [] }, keyed: { _ in [] },
                pools: named)
            server = try TestServer(subscribers: [entry], profiles: [profile], recorder: recorder)
            nas = try TestNAS(to: server.server.authenticationPort)
        }

        func login(_ identifier: UInt8 = 1, extra: [UInt8] = AddressLoginTests.station) -> [UInt8] {
            nas.exchange(TestPacket.access(identifier, extra: extra))
        }

        func values(_ reply: [UInt8], _ name: String) throws -> [String] {
            try AttributeDecoder.decode(reply.span, dictionary: server.store.snapshot.dictionary).filter { $0.name == name }.map(\.value)
        }
    }

    @Test func anAcceptBringsAnItemOfEachPool() throws {
        let host = try Host()
        let reply = host.login()
        #expect(reply.first == PacketCode.accessAccept.rawValue)
        #expect(TestPacket.isSigned(reply))
        #expect(try host.values(reply, "Framed-IP-Address") == ["192.0.2.8"])
        #expect(try host.values(reply, "Framed-IPv6-Prefix") == ["2001:db8:0:8::/64"])
        #expect(try host.values(reply, "Delegated-IPv6-Prefix") == ["2001:db8:1::/56"])
        // The same line once more; and another one.
        #expect(try host.values(host.login(2), "Framed-IP-Address") == ["192.0.2.8"])
        #expect(try host.values(host.login(3, extra: []), "Framed-IP-Address") == ["192.0.2.9"])
    }

    @Test func whatTheSubscriberBringsComesFirst() throws {
        let host = try Host(subscriber: { $0.identity = [AttributeNumber.framedIPAddress, 6, 198, 51, 100, 7] })
        let reply = host.login()
        #expect(try host.values(reply, "Framed-IP-Address") == ["198.51.100.7"])
        #expect(try host.values(reply, "Delegated-IPv6-Prefix").count == 1)
        #expect(host.pools.pool(1).counts.offers == 0)
    }

    @Test func anExhaustedPoolRejectsOrLetsInWithout() throws {
        let strict = try Host(items: 1)
        #expect(strict.login(1).first == 2)
        #expect(strict.login(2, extra: []).first == 3)
        #expect(strict.server.count(.addressPoolExhausted as AccessReason) == 1)
        let lenient = try Host(items: 1, rules: { $0.acceptsWithout = true })
        #expect(lenient.login(1).first == 2)
        let without = lenient.login(2, extra: [])
        #expect(without.first == 2)
        #expect(try lenient.values(without, "Framed-IP-Address").isEmpty)
    }

    @Test func aRefusalSaysWhatTheNodeLacks() throws {
        let off = try Host(rules: { $0.isEnabled = false })
        #expect(off.login().first == 3)
        #expect(off.server.count(.addressPoolSwitchedOff as AccessReason) == 1)
        let settling = try Host(items: 1)
        #expect(settling.login(1).first == 2)
        let awaited = AddressBlock(id: 9, first: try #require(IPAddress(text: "192.0.2.200")), count: 1, settlesAt: .max)
        settling.pools.pool(1).add(awaited, [])
        #expect(settling.login(2, extra: []).first == 3)
        #expect(settling.server.count(.addressPoolSettling as AccessReason) == 1)
        let poor = try Host(items: 1)
        #expect(poor.login(1).first == 2)
        poor.pools.pool(1).endRound(lowWater: 1, canRefill: false, isElsewhere: true)
        #expect(poor.login(2, extra: []).first == 3)
        #expect(poor.server.count(.addressPoolElsewhere as AccessReason) == 1)
        let explanation = try #require(
            Explanation(userName: "nemo", tenant: 1, client: TestServer.loopback(), in: poor.server.store.snapshot))
        #expect(explanation.reason == .addressPoolElsewhere)
        #expect(explanation.addresses.first?.offer == .exhausted(.elsewhere, acceptsWithout: false))
    }

    @Test func aNodeThatIsOutOfTouchHandsOutNothing() throws {
        let host = try Host(isInTouch: false)
        #expect(host.login().first == 3)
        #expect(host.server.count(.addressPoolUnavailable as AccessReason) == 1)
        #expect(host.pools.pool(1).counts.free == 2)
    }

    /// A profile may name a pool before whoever fills pools has seen its row.
    @Test func aPoolThatWasNeverLookedForIsWaitedForAndOneThatIsGoneIsNot() {
        let pools = AddressPools()
        let pool = pools.pool(7)
        let claimant = AddressClaimant(subscriber: 1, station: 0)
        #expect(pool.offer(claimant) == .cutOff && pool.preview(claimant).offer == .cutOff)
        let now = AddressClock.monotonic
        pools.clock.renew(database: 1, asked: now, answered: now, wall: AddressClock.wall, seconds: 60)
        #expect(pool.offer(claimant) == .refilling && pool.preview(claimant).offer == .refilling)
        pool.set(nil)
        #expect(pool.offer(claimant) == .cutOff && pool.preview(claimant).offer == .cutOff)
    }

    @Test func whileMoreIsOnItsWayThereIsNoAnswerAndTheNextTryGetsIt() throws {
        let recorder = FlightRecorder(memoryOctets: 1 << 20, workers: 1)
        let host = try Host(items: 1, recorder: recorder)
        #expect(host.login(1).first == 2)
        for id in 1...3 { host.pools.pool(Int64(id)).endRound(lowWater: 1, canRefill: true) }
        let request = TestPacket.access(2)
        host.nas.send(request)
        #expect(eventually { host.server.count(.addressesAwaited) == 1 })
        #expect(host.server.count(.addressPoolRefilling as AccessReason) == 1)
        var outcomes: [AuthEvent.Outcome] = []
        for ring in host.server.server.authEvents { _ = ring.drain(limit: 100) { outcomes.append($0.event.outcome) } }
        #expect(outcomes == [.accept, .silence])
        var filter = FlightFilter(tenant: 1)
        filter.userName = Array("nemo".utf8)
        let silence = try #require(recorder.last(1, filter).records.first.map { TransactionReport($0, in: host.server.store.snapshot) })
        #expect(silence.outcome == "expired" && silence.reason == "address_pool_refilling" && silence.reply == nil)
        #expect(silence.subscriber == 42)
        for (id, first) in [(1, "192.0.2.200"), (2, "2001:db8:0:c8::"), (3, "2001:db8:c8::")] as [(Int64, String)] {
            let block = AddressBlock(id: 9 + id, first: try #require(IPAddress(text: first)), count: 1, settlesAt: 0)
            host.pools.pool(id).add(block, [])
        }
        // The same packet: it is no duplicate, for it was not answered.
        #expect(try host.values(host.nas.exchange(request), "Framed-IP-Address") == ["192.0.2.200"])
    }

    @Test func explainNamesTheItemAndTakesNothing() throws {
        let host = try Host()
        let snapshot = host.server.store.snapshot
        let explanation = try #require(Explanation(userName: "nemo", tenant: 1, client: TestServer.loopback(), in: snapshot))
        #expect(explanation.isAccepted)
        #expect(explanation.addresses.map(\.pool) == ["pool-1", "pool-2", "pool-3"])
        #expect(explanation.attributes.first { $0.name == "Framed-IP-Address" }?.value == "192.0.2.8")
        #expect(host.pools.pool(1).counts.free == 2)
        for id in 1...3 { host.pools.pool(Int64(id)).remove(Int64(id)) }
        let refused = try #require(Explanation(userName: "nemo", tenant: 1, client: TestServer.loopback(), in: snapshot))
        #expect(!refused.isAccepted && refused.reason == .addressPoolExhausted)
        #expect(refused.attributes.isEmpty && refused.encoded.isEmpty)
    }
}
