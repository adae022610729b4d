import Testing

@testable import RadiusCore

@Suite struct LockSetTests {
    @Test func anEmptySetAllowsEverything() {
        #expect(LockSet().level == .active)
        #expect(LockSet().locks.isEmpty)
    }

    @Test(arguments: LockReason.allCases) func eachReasonStandsForItself(reason: LockReason) {
        for level in AccessLevel.allCases {
            var set = LockSet()
            set.insert(reason, at: level)
            #expect(set.level == level)
            #expect(set.locks.map(\.reason) == (level == .active ? [] : [reason]))
            #expect(set.locks.allSatisfy { $0.level == level })
        }
    }

    /// Every combination of nothing, captive and suspended over all reasons.
    @Test func theMostSevereOfAnyCombinationDecides() {
        let reasons = LockReason.allCases
        let combinations = reasons.reduce(1) { count, _ in count * 3 }
        for number in 0..<combinations {
            var (set, rest) = (LockSet(), number)
            var expected: [AccessLevel: [LockReason]] = [:]
            for reason in reasons {
                let level = AccessLevel.allCases[rest % 3]
                rest /= 3
                set.insert(reason, at: level)
                expected[level, default: []].append(reason)
            }
            let (suspended, captive) = (expected[.suspended] ?? [], expected[.captive] ?? [])
            #expect(set.level == (!suspended.isEmpty ? .suspended : !captive.isEmpty ? .captive : .active))
            #expect(set.locks.map(\.reason) == suspended + captive)
        }
    }

    @Test func oneReasonAtBothLevelsCountsAsTheSevere() {
        var set = LockSet()
        set.insert(.fraud, at: .suspended)
        set.insert(.fraud, at: .captive)
        #expect(set.level == .suspended)
    }

    @Test func namesAreTakenBackAndOthersRefused() {
        for reason in LockReason.allCases { #expect(LockReason(name: reason.name) == reason) }
        for status in SubscriberStatus.allCases { #expect(SubscriberStatus(name: status.name) == status) }
        #expect(LockReason(name: "Overdue") == nil && LockReason(name: "") == nil)
        #expect(SubscriberStatus(name: "ACTIVE") == nil && SubscriberStatus(name: "") == nil)
    }

    @Test func levelsAreOrderedBySeverity() {
        #expect(AccessLevel.allCases.sorted() == [.active, .captive, .suspended])
        #expect(max(AccessLevel.captive, .active) == .captive && max(AccessLevel.captive, .suspended) == .suspended)
    }
}
