import Support
import Testing

@testable import RadiusCore

/// What of a responder's answers counts, and in which order it is asked; `openssl ocsp` answers.
@Suite struct OCSPSubjectTests {
    private static func subject(_ authority: TestAuthority, _ name: String, below authorities: [String] = ["ca"]) throws -> OCSPSubject {
        func certificate(_ name: String) throws -> [CertificateHandle] { try PEMFile(path: "\(authority.path)/\(name).pem").certificates() }
        let (own, above) = (try certificate(name), try authorities.flatMap { try certificate($0) })
        let root = try certificate("ca")
        return try withExtendedLifetime((own, above, root)) {
            let trust = try #require(OCSPTrust(root.map(\.handle)))
            return try #require(OCSPSubject(own[0].handle, authorities: above.map(\.handle), trust: trust))
        }
    }

    private static func ask(_ subject: OCSPSubject, _ responder: TestResponder, keptSeconds: Int = 3600) async throws -> OCSPSubject.Answer
    {
        let url = responder.url
        return try await onOwnThread { subject.ask(url, seconds: 20, keptSeconds: keptSeconds) }
    }

    @Test func anAnswerWithoutAnEndCountsWhileItIsYoung() async throws {
        try await TestAuthority.with { authority in
            try await authority.issue("nemo", from: "20200101000000Z", to: "20990101000000Z")
            try await TestResponder.with(authority) { responder in
                let subject = try Self.subject(authority, "nemo")
                responder.behave(.ahead)
                guard case .good(let seconds?) = try await Self.ask(subject, responder) else {
                    Issue.record("an answer of now does not count")
                    return
                }
                #expect((3000...3600).contains(seconds))
                // As if it had been made an hour ago, and more.
                guard case .useless(let reason) = try await Self.ask(subject, responder, keptSeconds: -3600) else {
                    Issue.record("an old answer counts")
                    return
                }
                #expect(reason.contains("not of this time"))
                responder.behave(.honest)
                guard case .good(let day?) = try await Self.ask(subject, responder) else {
                    Issue.record("an answer with an end does not count")
                    return
                }
                #expect((80_000...86_400).contains(day))
            }
        }
    }

    /// Root, two authorities, device: the one between root and issuer need not be known here.
    @Test func issuersFarBelowTheRootAreBelieved() async throws {
        try await TestAuthority.with { authority in
            try await authority.issueAuthority("upper")
            try await authority.issueAuthority("lower", by: "upper")
            try await authority.issue("nemo", by: "lower", from: "20200101000000Z", to: "20990101000000Z")
            try await TestResponder.with(authority, of: "lower") { responder in
                let whole = try Self.subject(authority, "nemo", below: ["lower", "upper", "ca"])
                guard case .good = try await Self.ask(whole, responder) else {
                    Issue.record("the issuer of a device deep below the root is not believed")
                    return
                }
                guard case .useless = try await Self.ask(try Self.subject(authority, "nemo", below: ["lower"]), responder) else {
                    Issue.record("whose chain is unknown is believed")
                    return
                }
                #expect(responder.asked == 2)
            }
        }
    }

    // MARK: Order

    private static let slow = "http://slow.example.net/"
    private static let quick = "http://quick.example.net/"

    @Test func aSlowResponderLeavesThreadsToOthers() async throws {
        try await TestAuthority.with { authority in
            var subjects: [OCSPSubject] = []
            for number in 0...OCSPMemory.laneLimit + 1 {
                try await authority.issue("device\(number)", usage: "clientAuth")
                subjects.append(try Self.subject(authority, "device\(number)"))
            }
            var memory = OCSPMemory()
            for subject in subjects.dropLast() { #expect(Self.isPending(memory.status(of: subject, url: Self.slow, at: 1))) }
            var taken: [OCSPInquiry] = []
            while let inquiry = memory.take() { taken.append(inquiry) }
            #expect(taken.count == OCSPMemory.laneLimit)
            let last = try #require(subjects.last)
            #expect(Self.isPending(memory.status(of: last, url: Self.quick, at: 1)))
            #expect(memory.take()?.url == Self.quick)
            #expect(memory.take() == nil && memory.statistics.waiting == subjects.count)
            memory.settle(taken[0], .good(seconds: nil), keptSeconds: 60, at: 2)
            #expect(memory.take()?.subject.identifier == subjects[OCSPMemory.laneLimit].identifier)
            #expect(memory.status(of: subjects[0], url: Self.slow, at: 2) == .good)
            #expect(memory.statistics.waiting == subjects.count - 1)
        }
    }

    @Test func onlyWhoSaysNothingIsLeftAlone() async throws {
        try await TestAuthority.with { authority in
            try await authority.issue("one", usage: "clientAuth")
            try await authority.issue("two", usage: "clientAuth")
            let (one, two) = (try Self.subject(authority, "one"), try Self.subject(authority, "two"))
            for (answer, isAsked) in [(OCSPSubject.Answer.useless("no"), true), (.unreachable("no"), false)] {
                var memory = OCSPMemory()
                #expect(Self.isPending(memory.status(of: one, url: Self.slow, at: 1)))
                let inquiry = memory.take()
                memory.settle(try #require(inquiry), answer, keptSeconds: 60, at: 1)
                #expect(memory.status(of: one, url: Self.slow, at: 2) == .unreachable && memory.statistics.failure == "no")
                #expect(Self.isPending(memory.status(of: two, url: Self.slow, at: 2)) == isAsked)
                #expect(memory.subject(two.identifier) == nil || !isAsked)
                // Both are asked about again once the pause is over.
                let later = 2 + OCSPMemory.pauseNanoseconds
                #expect(Self.isPending(memory.status(of: one, url: Self.slow, at: later)))
                #expect(Self.isPending(memory.status(of: two, url: Self.slow, at: later)))
            }
        }
    }

    private static func isPending(_ status: OCSPMemory.Status) -> Bool { if case .pending = status { true } else { false } }
}
