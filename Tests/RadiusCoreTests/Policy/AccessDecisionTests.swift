import Testing

@testable import RadiusCore

@Suite struct AccessDecisionTests {
    /// `status`, most severe lock, whether plan and garden exist: the reason and the profile that is sent.
    private static let table = """
        pending       active     status_pending      -
        pending       captive    status_pending      -
        pending       suspended  status_pending      -
        active        active     accepted            plan
        active        captive    accepted_captive    garden
        active        suspended  locked              -
        quarantined   active     accepted_captive    garden
        quarantined   captive    accepted_captive    garden
        quarantined   suspended  locked              -
        suspended     active     status_suspended    -
        suspended     captive    status_suspended    -
        suspended     suspended  status_suspended    -
        disconnected  active     status_disconnected -
        disconnected  captive    status_disconnected -
        disconnected  suspended  status_disconnected -
        terminated    active     status_terminated   -
        terminated    captive    status_terminated   -
        terminated    suspended  status_terminated   -
        """
    static let lines = table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }

    private func subscriber(_ line: [String], reasons: [LockReason] = [.admin]) throws -> SubscriberEntry {
        let status = try #require(SubscriberStatus(name: line[0]))
        let level = try #require(AccessLevel.allCases.first { $0.name == line[1] })
        var entry = PolicyDesk.subscriber("alice", status: status)
        for reason in reasons { entry.locks.insert(reason, at: level) }
        return entry
    }

    @Test func theTableHoldsEveryCase() {
        #expect(Set(Self.lines.map { $0[0] + $0[1] }).count == SubscriberStatus.allCases.count * AccessLevel.allCases.count)
    }

    @Test(arguments: lines) func everyStatusUnderEveryLock(line: [String]) throws {
        for reason in LockReason.allCases {
            var desk = PolicyDesk()
            desk.subscribers = [try subscriber(line, reasons: [reason])]
            let decision = try #require(try desk.decision())
            #expect(decision.reason.name == line[2])
            #expect(decision.profile?.id == ["plan": PolicyDesk.plan, "garden": PolicyDesk.garden][line[3]])
            #expect(decision.isAccepted == (line[3] != "-"))
            let explanation = try #require(try desk.explain("alice"))
            #expect(explanation.reason == decision.reason && explanation.level == decision.level)
            #expect(explanation.isAccepted == decision.isAccepted && explanation.encoded.isEmpty != decision.isAccepted)
        }
    }

    /// Without its profile an answer that would be an Accept is a reject with its own reason; the others stay as they are.
    @Test(arguments: lines) func everyStatusWithoutProfiles(line: [String]) throws {
        let reasons = ["accepted": "profile_missing", "accepted_captive": "no_walled_garden"]
        var desks = [PolicyDesk(), PolicyDesk(), PolicyDesk()]
        // Not named; named but gone; gone though assigned.
        desks[0].policy.walledGardenProfile = 0
        desks[1].policy.walledGardenProfile = 999
        desks[2].profiles = []
        let plans: [Int64] = [0, 999, PolicyDesk.plan]
        for (desk, plan) in zip(desks, plans) {
            var desk = desk
            var entry = try subscriber(line)
            entry.profile = plan
            desk.subscribers = [entry]
            let decision = try #require(try desk.decision())
            #expect(decision.reason.name == reasons[line[2]] ?? line[2])
            #expect(!decision.isAccepted && decision.profile == nil)
        }
    }

    @Test func aCaptiveSubscriberNeedsNoPlanOfItsOwn() throws {
        var desk = PolicyDesk()
        desk.subscribers = [PolicyDesk.subscriber("alice", profile: 0, status: .quarantined)]
        #expect(try desk.decision()?.reason == .acceptedCaptive)
    }

    @Test func timeoutsComeFromTheNearest() throws {
        // Subscriber, profile, tenant: what counts.
        let cases: [(own: UInt32, profile: UInt32, expected: UInt32, interim: UInt32)] = [
            (0, 0, 0, 77), (0, 300, 300, 300), (60, 300, 60, 60), (60, 0, 60, 60),
        ]
        for (own, profile, expected, interim) in cases {
            var desk = PolicyDesk()
            desk.profiles[0] = PolicyDesk.profile(PolicyDesk.plan, "home50", 50, 10, timeouts: (profile, profile, profile))
            var entry = PolicyDesk.subscriber("alice")
            (entry.sessionTimeoutSeconds, entry.idleTimeoutSeconds, entry.interimSeconds) = (own, own, own)
            desk.subscribers = [entry]
            let snapshot = try desk.snapshot()
            let record = try #require(entry.name.withUnsafeBytes { snapshot.subscribers.find(tenant: 1, name: $0) })
            let decision = AccessDecision(record, in: snapshot, at: 1_769_862_896)
            #expect(decision.sessionTimeoutSeconds(record) == expected)
            #expect(decision.idleTimeoutSeconds(record) == expected)
            #expect(decision.interimSeconds(record, in: snapshot) == interim)
        }
    }

    @Test func theGardenHasItsOwnTimeouts() throws {
        var desk = PolicyDesk()
        desk.profiles[1] = PolicyDesk.profile(PolicyDesk.garden, "garden", 1, 1, timeouts: (900, 0, 0))
        var entry = PolicyDesk.subscriber("alice", status: .quarantined)
        (entry.sessionTimeoutSeconds, entry.idleTimeoutSeconds, entry.interimSeconds) = (60, 61, 62)
        desk.subscribers = [entry]
        #expect(
            try desk.explain("alice")?.lines == ["Mikrotik-Rate-Limit = 1M/1M", "Session-Timeout = 900", "Acct-Interim-Interval = 77"])
    }
}
