import Testing

@testable import RadiusCore

/// The parts of the proxy that are functions: realms, pools, liveness, identifiers.
@Suite struct ProxyRulesTests {
    private static let pool = HomeServerPool(id: 1, tenant: 1, name: "p", kind: .failover, servers: [])

    private static func realm(_ id: Int64, _ kind: Realm.Kind, _ text: String, priority: Int = 0, tenant: Int64 = 1) throws -> Realm {
        try #require(
            Realm(id: id, tenant: tenant, name: "r\(id)", kind: kind, text: text, priority: priority, accessPool: pool, strips: true))
    }

    private static func plan() throws -> ProxyPlan {
        ProxyPlan(
            servers: [],
            realms: [
                try realm(1, .suffix, "Example.org"), try realm(2, .prefix, "CORP"), try realm(3, .pattern, "*@*.example.net", priority: 5),
                try realm(4, .pattern, "guest-*", priority: 1), try realm(5, .null, ""), try realm(6, .other, ""),
                try realm(7, .suffix, "example.org", tenant: 2),
            ])
    }

    @Test(
        arguments: [
            ("bob@example.org", 1, "bob"), ("bob@EXAMPLE.ORG", 1, "bob"), ("a@b@example.org", 1, "a@b"), ("corp\\bob", 2, "bob"),
            ("Corp/bob", 2, "bob"), ("bob@lab.example.net", 3, "bob@lab.example.net"), ("guest-7", 4, "guest-7"), ("bob", 5, "bob"),
            ("bob@elsewhere.org", 6, "bob"), ("other\\bob", 6, "bob"), ("bob@", 6, "bob"), ("@example.org", 1, "@example.org"),
            ("corp\\bob@example.org", 1, "corp\\bob"),
        ])
    func findsTheRealm(name: String, id: Int64, user: String) throws {
        let match = try #require(try Self.plan().realm(tenant: 1, userName: name))
        #expect(match.realm.id == id)
        #expect(match.forwardedName == user)
    }

    @Test func keepsTenantsApart() throws {
        #expect(try Self.plan().realm(tenant: 2, userName: "bob@example.org")?.realm.id == 7)
        #expect(try Self.plan().realm(tenant: 2, userName: "bob") == nil)
        #expect(try Self.plan().realm(tenant: 3, userName: "bob") == nil)
    }

    private static func candidate(
        _ id: Int64, _ state: HomeServerLiveness.State = .alive, latency: UInt64 = 0, outstanding: Int = 0, full: Bool = false
    ) -> PoolChoice.Candidate {
        .init(id: id, state: state, latencyMicroseconds: latency, outstanding: outstanding, isFull: full)
    }

    @Test func prefersTheLivingInOrder() {
        let all = [Self.candidate(1, .dead), Self.candidate(2, .zombie), Self.candidate(3), Self.candidate(4)]
        #expect(PoolChoice.choose(.failover, all, tried: [], key: 0) == .server(2))
        #expect(PoolChoice.choose(.failover, all, tried: [3], key: 0) == .server(3))
        #expect(PoolChoice.choose(.failover, all, tried: [3, 4], key: 0) == .server(1))
        #expect(PoolChoice.choose(.failover, all, tried: [2, 3, 4], key: 0) == .none)
        #expect(PoolChoice.choose(.failover, [Self.candidate(1, full: true)], tried: [], key: 0) == .full)
        #expect(PoolChoice.choose(.failover, [], tried: [], key: 0) == .none)
    }

    @Test func balancesByTheTimeThatIsToBeExpected() {
        let all = [Self.candidate(1, latency: 900, outstanding: 0), Self.candidate(2, latency: 200, outstanding: 3)]
        #expect(PoolChoice.choose(.balance, all, tried: [], key: 0) == .server(1))
        let busy = [Self.candidate(1, latency: 900, outstanding: 0), Self.candidate(2, latency: 200, outstanding: 9)]
        #expect(PoolChoice.choose(.balance, busy, tried: [], key: 0) == .server(0))
    }

    @Test func staysWithTheHolderOfAConversation() {
        let all = [Self.candidate(1), Self.candidate(2, .zombie), Self.candidate(3, .dead)]
        #expect(PoolChoice.choose(.failover, all, tried: [], preferred: 2, key: 0) == .server(1))
        #expect(PoolChoice.choose(.failover, all, tried: [], preferred: 3, key: 0) == .server(0))
        #expect(PoolChoice.choose(.failover, [Self.candidate(1), Self.candidate(2, full: true)], tried: [], preferred: 2, key: 0) == .full)
    }

    @Test func movesOnlyTheKeysOfAServerThatGoes() {
        let all = (1...5).map { Self.candidate(Int64($0)) }
        let lame = all.map { $0.id == 3 ? Self.candidate(3, .dead) : $0 }
        var counts = [0, 0, 0, 0, 0]
        for key: UInt64 in 0..<5000 {
            let hash = StickyServers.key(String(key).utf8, 1)
            guard case .server(let before) = PoolChoice.choose(.keyed, all, tried: [], key: hash),
                case .server(let after) = PoolChoice.choose(.keyed, lame, tried: [], key: hash)
            else {
                Issue.record("no choice")
                return
            }
            counts[before] += 1
            #expect(before == 2 ? after != 2 : after == before)
        }
        #expect(counts.allSatisfy { $0 > 700 && $0 < 1300 })
    }

    private static let second: UInt64 = 1_000_000_000

    @Test func diesAndRevivesByTheClock() {
        var timing = HomeServer.Timing()
        (timing.zombieSeconds, timing.checkSeconds, timing.answersToRevive) = (40, 10, 3)
        var liveness = HomeServerLiveness(timing, probes: true, at: 0)
        let isDue1 = liveness.tick(at: Self.second)
        #expect(!isDue1)
        liveness.answered(at: 5 * Self.second)
        // Something was answered since this one was sent: the server lives, it was the request.
        liveness.missed(sentAt: 4 * Self.second, at: 8 * Self.second)
        #expect(liveness.state == .alive)
        liveness.missed(sentAt: 6 * Self.second, at: 10 * Self.second)
        #expect(liveness.state == .zombie)
        let isDue2 = liveness.tick(at: 10 * Self.second)
        #expect(isDue2)
        let isDue3 = liveness.tick(at: 11 * Self.second)
        #expect(!isDue3)
        let isDue4 = liveness.tick(at: 20 * Self.second)
        #expect(isDue4)
        #expect(liveness.state == .zombie)
        _ = liveness.tick(at: 50 * Self.second)
        #expect(liveness.state == .dead)
        liveness.probeAnswered(at: 60 * Self.second)
        liveness.probeAnswered(at: 70 * Self.second)
        liveness.probeMissed()
        liveness.probeAnswered(at: 90 * Self.second)
        liveness.probeAnswered(at: 100 * Self.second)
        #expect(liveness.state == .dead)
        liveness.probeAnswered(at: 110 * Self.second)
        #expect(liveness.state == .alive)
        #expect(liveness.since == 110 * Self.second)
    }

    @Test func triesADeadServerAgainThatNeverAnsweredAStatusServer() {
        var timing = HomeServer.Timing()
        (timing.zombieSeconds, timing.reviveSeconds, timing.answersToRevive) = (40, 120, 3)
        var liveness = HomeServerLiveness(timing, probes: true, at: 0)
        liveness.missed(sentAt: 1, at: Self.second)
        _ = liveness.tick(at: 41 * Self.second)
        let isDue = liveness.tick(at: 160 * Self.second)
        #expect(isDue)
        #expect(liveness.state == .dead)
        _ = liveness.tick(at: 161 * Self.second)
        #expect(liveness.state == .alive)
        // This one answers Status-Server: its silence means that it is gone.
        liveness.probeAnswered(at: 162 * Self.second)
        liveness.missed(sentAt: 163 * Self.second, at: 164 * Self.second)
        _ = liveness.tick(at: 204 * Self.second)
        _ = liveness.tick(at: 1000 * Self.second)
        #expect(liveness.state == .dead)
        // Or that it answers them no more.
        liveness.probesIgnored()
        _ = liveness.tick(at: 1001 * Self.second)
        #expect(liveness.state == .alive)
    }

    @Test func leavesTheZombieStateByAnyAnswer() {
        var liveness = HomeServerLiveness(.init(), probes: true, at: 0)
        liveness.missed(sentAt: 1, at: 2)
        liveness.answered(at: 3)
        #expect(liveness.state == .alive)
    }

    @Test func aZombieThatAnswersStatusServersOnlyMustDoSoSeveralTimesAndIsNotDeadMeanwhile() {
        var timing = HomeServer.Timing()
        (timing.zombieSeconds, timing.checkSeconds, timing.answersToRevive) = (15, 10, 3)
        var liveness = HomeServerLiveness(timing, probes: true, at: 0)
        liveness.missed(sentAt: 1, at: Self.second)
        for second in [UInt64(2), 12] {
            liveness.probeAnswered(at: second * Self.second)
            _ = liveness.tick(at: (second + 9) * Self.second)
            #expect(liveness.state == .zombie)
        }
        liveness.probeAnswered(at: 22 * Self.second)
        #expect(liveness.state == .alive)
        // Silence counts from the last answer.
        liveness.missed(sentAt: 23 * Self.second, at: 24 * Self.second)
        liveness.probeAnswered(at: 30 * Self.second)
        _ = liveness.tick(at: 44 * Self.second)
        #expect(liveness.state == .zombie)
        _ = liveness.tick(at: 45 * Self.second)
        #expect(liveness.state == .dead)
    }

    @Test func whatAlwaysPassesCannotBeRemovedAndReplyMessageIsNoneOfIt() throws {
        let dictionary = try ShippedDictionaries.loaded.get()
        for name in ["State", "User-Name", "EAP-Message", "MS-MPPE-Send-Key"] {
            var problems: [String] = []
            let filter = AttributeFilter(allow: [], remove: [name], dictionary: dictionary, problems: &problems)
            #expect(problems == ["\(name) is what a log-in or a session lives on, and always passes"] && filter.passesAll)
        }
        var problems: [String] = []
        let removing = AttributeFilter(
            allow: [], remove: ["Reply-Message", "Vendor-Specific", "vendor:Microsoft"], dictionary: dictionary, problems: &problems)
        let allowing = AttributeFilter(allow: ["Session-Timeout", "State"], remove: [], dictionary: dictionary, problems: &problems)
        #expect(problems.isEmpty, "\(problems)")
        #expect(!removing.passes(18) && !allowing.passes(18) && allowing.passes(24) && allowing.passes(27))
    }

    @Test func revivesByTimeWithoutStatusServer() {
        var timing = HomeServer.Timing()
        (timing.zombieSeconds, timing.reviveSeconds) = (5, 30)
        var liveness = HomeServerLiveness(timing, probes: false, at: 0)
        liveness.missed(sentAt: 1, at: Self.second)
        let isDue5 = liveness.tick(at: 6 * Self.second)
        #expect(!isDue5)
        #expect(liveness.state == .dead)
        let isDue6 = liveness.tick(at: 35 * Self.second)
        #expect(!isDue6)
        #expect(liveness.state == .dead)
        let isDue7 = liveness.tick(at: 36 * Self.second)
        #expect(!isDue7)
        #expect(liveness.state == .alive)
    }

    @Test func givesEachIdentifierOnce() {
        var space = IdentifierSpace(startingAt: 250)
        let all = (0..<256).compactMap { _ in space.claim() }
        #expect(Set(all).count == 256)
        #expect(all.first == 250)
        #expect(space.isFull)
        let got8 = space.claim()
        #expect(got8 == nil)
        space.release(9)
        space.release(9)
        #expect(space.count == 255)
        let got9 = space.claim()
        #expect(got9 == 9)
    }

    @Test func forgetsTheOldestConversations() {
        var sticky = StickyServers(limit: 8, keepSeconds: 10)
        for key: UInt64 in 0..<100 { sticky.remember(key, Int64(key), at: 1) }
        #expect(sticky.count <= 8)
        let isDue10 = sticky.find(99, at: 1)
        #expect(isDue10 == 99)
        let isDue11 = sticky.find(0, at: 1)
        #expect(isDue11 == nil)
        let isDue12 = sticky.find(99, at: 60 * Self.second)
        #expect(isDue12 == nil)
    }

    @Test func growsTheDelayOfAnAccountingRecord() throws {
        let dictionary = try ShippedDictionaries.loaded.get()
        let passage = ForwardedRequest.Passage(
            userName: nil, filter: AttributeFilter(), dictionary: dictionary, proxyState: ProxyState(mark: 1, number: 2))
        let record = TestPacket.accounting(1, status: 1, session: "s")
        let fresh = try ForwardedRequest.accounting(
            record.span, passage, secret: ScriptedHomeServer.secret, delaySeconds: 0, identifier: 9)
        let isSigned = RequestAuthenticator.verify(fresh.octets.span, secret: ScriptedHomeServer.secret)
        #expect(isSigned)
        #expect(ScriptedHomeServer.values(41, in: fresh.octets).isEmpty)
        #expect(ScriptedHomeServer.values(33, in: fresh.octets) == [[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2]])
        let late = try ForwardedRequest.accounting(
            record.span, passage, secret: ScriptedHomeServer.secret, delaySeconds: 300, identifier: 9)
        #expect(ScriptedHomeServer.values(41, in: late.octets) == [[0, 0, 1, 44]])
        let again = try ForwardedRequest.accounting(
            late.octets.span, passage, secret: ScriptedHomeServer.secret, delaySeconds: 5, identifier: 9)
        #expect(ScriptedHomeServer.values(41, in: again.octets) == [[0, 0, 1, 49]])
    }

    @Test func signsAStatusServer() {
        let hop = Hop(ScriptedHomeServer.secret, TestPacket.authenticator)
        let probe = ForwardedRequest.statusServer(to: hop, identifier: 3)
        #expect(probe.octets.count == 38)
        #expect(probe.octets[0] == 12)
        let isSigned = MessageAuthenticator.verify(
            probe.octets.span, attributeOffset: 20, authenticator: TestPacket.authenticator, secret: ScriptedHomeServer.secret)
        #expect(isSigned)
    }

    @Test func knowsItsProxyStateBehindOthers() {
        let own = ProxyState(mark: 7, number: 8)
        let header = [UInt8](repeating: 0, count: 20)
        let (mine, foreign) = (ScriptedHomeServer.attribute(33, own.octets), ScriptedHomeServer.attribute(33, [1]))
        func isLast(_ packet: [UInt8]) -> Bool { own.isLast(in: packet.span) }
        func isLooping(_ packet: [UInt8], _ mark: UInt64) -> Bool { ProxyState.isLooping(packet.span, mark: mark) }
        #expect(isLast(header + foreign + mine))
        #expect(!isLast(header + mine + foreign))
        #expect(!isLast(header))
        #expect(isLooping(header + mine + foreign, 7))
        #expect(!isLooping(header + mine + foreign, 9))
    }
}
