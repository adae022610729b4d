import Database
import Provisioning
import Support
import Testing

@testable import RadiusCore

/// Partners' CoA and Disconnect, from their datagram to the NAS and back.
@Suite struct SessionRelayTests {
    private typealias Desk = SessionRelayDesk

    private static func isACK(_ outcome: CoAOutcome) -> Bool { outcome.name == "ack" }
    private static let notFound = CoAOutcome.nak(errorCause: 503)

    @Test func aPartnerDisconnectsItsUser() async throws {
        try await Desk.with { desk in
            try await desk.session("bob@a.example")
            #expect(Self.isACK(try await desk.ask("a", .disconnect, Desk.user("bob"), Desk.session("S-bob@a.example"))))
            let request = try #require(desk.nas.received.first)
            #expect(request.kind == .disconnect)
            // The name that the NAS knows, and what its vendor finds sessions by.
            #expect(request.value(AttributeNumber.userName) == Array("bob@a.example".utf8))
            #expect(request.value(AttributeNumber.acctSessionID) == Array("S-bob@a.example".utf8))
            #expect(request.value(AttributeNumber.framedIPAddress) == [100, 64, 0, 7])
            #expect(try await desk.records() == ["disconnect ack bob@a.example home server a"])
            let meter = try #require(desk.proxy.reports.first { $0.server.name == "a" }?.meter)
            #expect(meter[.disconnectRequests] == 1 && meter[.coaACKs] == 1)
        }
    }

    @Test func aPartnerChangesItsUserAsFarAsTheRealmLetsIt() async throws {
        try await Desk.with { desk in
            try await desk.session("Bob@A.example")
            let timeout: [UInt8] = [27, 6, 0, 0, 14, 16]
            let states: [UInt8] = [33, 3, 1, 33, 3, 2]
            let outcome = try await desk.ask(
                "a", .coa, Desk.user("Bob"), timeout, Desk.attribute(AttributeNumber.filterID, "wild"), states)
            guard case .ack(let attributes) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(attributes.suffix(6) == states)
            let request = try #require(desk.nas.received.first)
            #expect(request.kind == .coa)
            #expect(request.value(AttributeNumber.sessionTimeout) == [0, 0, 14, 16])
            #expect(request.value(AttributeNumber.filterID) == nil)
            #expect(request.value(AttributeNumber.proxyState) == nil)
        }
    }

    @Test func nobodyReachesSessionsOfOthers() async throws {
        try await Desk.with { desk in
            let alice = try await desk.desk.subscriber("alice", profile: nil)
            // A subscriber of ours stays ours, whatever realm came to have the name.
            let carol = try await desk.desk.subscriber("carol@b.example", profile: nil)
            try await desk.session("bob@a.example")
            try await desk.session("alice", subscriber: alice)
            try await desk.session("carol@b.example", subscriber: carol)
            try await desk.session("dave")
            for user in ["bob@a.example", "alice", "carol@b.example", "dave"] {
                let id = Desk.session("S-" + user)
                #expect(try await desk.ask("b", .disconnect, id) == Self.notFound, "\(user)")
                #expect(try await desk.ask("b", .disconnect, Desk.user(user), id) == Self.notFound, "\(user)")
                #expect(try await desk.ask("b", .coa, Desk.user(user)) == Self.notFound, "\(user)")
                let token = desk.desk.secrets.operatorNASIdentifiers.attribute(tenant: desk.desk.tenant, nas: desk.nasID)
                #expect(try await desk.ask("b", .disconnect, Desk.user(user), id, token) == Self.notFound, "\(user)")
                // The realm has the same name in another tenant.
                #expect(try await desk.ask("c", .disconnect, Desk.user(user), id) == Self.notFound, "\(user)")
            }
            #expect(desk.nas.received.isEmpty)
            #expect(try await desk.records().isEmpty)
            let meter = try #require(desk.proxy.reports.first { $0.server.name == "b" }?.meter)
            #expect(meter[.coaNotFound] == 16)
        }
    }

    @Test func whatARuleForwardedIsItsPartnersAlone() async throws {
        try await Desk.with { desk in
            let (realm, gone) = (try await desk.realm(of: "b"), try await desk.realm(of: "b") + 1000)
            try await desk.session("carol", forwardedTo: realm)
            try await desk.session("bob@a.example", forwardedTo: realm)
            try await desk.session("eve@b.example", forwardedTo: gone)
            for user in ["carol", "bob@a.example", "eve@b.example"] {
                let id = Desk.session("S-" + user)
                #expect(try await desk.ask("a", .disconnect, id) == Self.notFound, "\(user)")
                #expect(try await desk.ask("a", .coa, Desk.user(user), id) == Self.notFound, "\(user)")
            }
            #expect(try await desk.ask("b", .disconnect, Desk.session("S-eve@b.example")) == Self.notFound)
            #expect(desk.nas.received.isEmpty)
            #expect(Self.isACK(try await desk.ask("b", .disconnect, Desk.user("carol"))))
            #expect(Self.isACK(try await desk.ask("b", .disconnect, Desk.session("S-bob@a.example"))))
            #expect(
                try await desk.records() == [
                    "disconnect ack carol home server b", "disconnect ack bob@a.example home server b",
                ])
        }
    }

    @Test func theTokenTellsNASApart() async throws {
        try await Desk.with { desk in
            let other = try LoopbackNAS { $0.acknowledge($1) }
            let otherID = try await Desk.addNAS("core2", address: "127.0.0.9/32", port: other.port, desk.desk)
            try await desk.desk.sql("UPDATE aaa.nas SET coa_address = '127.0.0.1' WHERE id = $1", [.int(otherID)])
            try await desk.session("bob@a.example", id: "00000001")
            try await desk.session("bob@a.example", id: "00000001", nas: otherID)
            let identifiers = desk.desk.secrets.operatorNASIdentifiers
            #expect(try await desk.ask("a", .disconnect, Desk.session("00000001")) == .nak(errorCause: 508))
            let token = identifiers.attribute(tenant: desk.desk.tenant, nas: otherID)
            #expect(Self.isACK(try await desk.ask("a", .disconnect, Desk.session("00000001"), token)))
            #expect(other.received.count == 1 && desk.nas.received.isEmpty)
            // It is for us alone to read.
            let told = try #require(other.received.first)
            #expect(told.value(AttributeNumber.extendedAttribute1) == nil)
            let foreign = identifiers.attribute(tenant: desk.desk.tenant + 1, nas: otherID)
            #expect(try await desk.ask("a", .disconnect, Desk.session("00000001"), foreign) == Self.notFound)
        }
    }

    @Test func aProxysNameForTheNASGoesBackToIt() async throws {
        try await Desk.with { desk in
            let (first, second) = (try await desk.session("bob@a.example", id: "1"), try await desk.session("rob@a.example", id: "1"))
            for (session, name) in [(first, [0, 1, 255]), (second, [2])] as [(Int64, [UInt8])] {
                try await desk.desk.sql(
                    "UPDATE aaa.session_header SET operator_nas_identifier = $2 WHERE id = $1", [.int(session), .bytes(name)])
            }
            let bobs: [UInt8] = [AttributeNumber.extendedAttribute1, 6, 8, 0, 1, 255]
            // The session says it, and the partner by saying it tells the sessions apart.
            #expect(Self.isACK(try await desk.ask("a", .disconnect, Desk.user("rob"))))
            #expect(Self.isACK(try await desk.ask("a", .disconnect, Desk.session("1"), bobs)))
            let told = desk.nas.received.map { $0.value(AttributeNumber.extendedAttribute1) }
            #expect(told == [[8, 2], [8, 0, 1, 255]])
            let last = try #require(desk.nas.received.last?.attributes)
            var (cursor, names) = (AttributeCursor(0..<last.count), 0)
            while let member = cursor.next(in: last.span) {
                if OperatorNASIdentifiers.isMeant(member, in: last.span) { names += 1 }
            }
            #expect(names == 1)
            #expect(
                try await desk.records() == [
                    "disconnect ack rob@a.example home server a", "disconnect ack bob@a.example home server a",
                ])
            let stranger: [UInt8] = [AttributeNumber.extendedAttribute1, 4, 8, 3]
            #expect(try await desk.ask("a", .disconnect, Desk.session("1"), stranger) == Self.notFound)
        }
    }

    @Test func whatTheNASSaysIsPassedOn() async throws {
        let answer: LoopbackNAS.Answer = { server, request in
            server.refuse(request, cause: request.kind == .coa ? .unsupportedAttribute : .sessionContextNotFound)
        }
        try await Desk.with(answer: answer) { desk in
            let session = try await desk.session("bob@a.example")
            #expect(try await desk.ask("a", .coa, Desk.user("bob@a.example")) == .nak(errorCause: 401))
            // A NAS that does not know the session proves it a ghost, whoever asks.
            #expect(try await desk.ask("a", .disconnect, Desk.user("bob")) == Self.notFound)
            let open = try await desk.desk.sql("SELECT count(*) FROM aaa.session WHERE id = $1 AND stopped_at IS NULL", [.int(session)])
            #expect(open == 0)
            #expect(try await desk.records().map { $0.prefix(14) } == ["coa nak 401 bo", "disconnect nak"])
            #expect(try await desk.ask("a", .disconnect, Desk.user("bob")) == Self.notFound)
            #expect(try await desk.records().count == 2)
        }
    }

    @Test func aSilentNASIsSaidToBe() async throws {
        let hasty = CoARetransmission.Timing(initial: 20_000_000, longest: 40_000_000, attempts: 2, duration: 10_000_000_000)
        try await Desk.with(answer: { _, _ in nil }, timing: hasty) { desk in
            try await desk.session("bob@a.example")
            #expect(try await desk.ask("a", .disconnect, Desk.user("bob")) == .nak(errorCause: 505))
            #expect(try await desk.records() == ["disconnect timeout bob@a.example home server a"])
        }
    }

    @Test func aNASThatCannotBeReachedIsNotRoutable() async throws {
        try await Desk.with { desk in
            try await desk.session("bob@a.example")
            try await desk.desk.sql("UPDATE aaa.nas SET address = '127.0.0.0/8'")
            #expect(try await desk.ask("a", .disconnect, Desk.user("bob")) == .nak(errorCause: 502))
            #expect(try await desk.records() == ["disconnect refused bob@a.example home server a"])
            #expect(desk.nas.received.isEmpty)
        }
    }

    @Test func aRequestWithoutANameIsRefused() async throws {
        try await Desk.with { desk in
            try await desk.session("bob@a.example")
            #expect(try await desk.ask("a", .disconnect, [8, 6, 100, 64, 0, 7]) == .nak(errorCause: 402))
        }
    }
}
