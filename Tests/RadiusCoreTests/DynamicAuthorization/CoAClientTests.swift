import CLinux
import Glibc
import RadiusCore
import Support
import Synchronization
import Testing

@Suite struct CoAClientTests {
    private static let session = SessionIdentity(userName: "alice", acctSessionID: "81a00001", framedIPv4: 0x6440_0007)

    /// Few and fast attempts, for exchanges that are to fail.
    private static let hasty = CoARetransmission.Timing(initial: 20_000_000, longest: 40_000_000, attempts: 3, duration: 0)
    /// Fast attempts that only an answer ends, however long the machine stands still.
    private static let persistent = CoARetransmission.Timing(initial: 20_000_000, longest: 40_000_000, attempts: 0, duration: 0)
    /// One attempt, for longer than any test.
    private static let patient = CoARetransmission.Timing(initial: 600_000_000_000, attempts: 1, duration: 0)

    private static func request(_ kind: CoARequest.Kind = .coa) throws -> CoARequest {
        let change = kind == .coa ? [AttributeNumber.sessionTimeout, 6, 0, 0, 14, 16] : []
        return try CoARequest(kind, of: session, at: .mikrotik, change: change)
    }

    @Test(arguments: CoARequest.Kind.allCases) func returnsTheAck(kind: CoARequest.Kind) async throws {
        let nas = try ScriptedNAS { datagram, _ in
            ScriptedNAS.answer(datagram) {
                DynamicAuthorizationServer(secret: ScriptedNAS.secret).acknowledge($0, attributes: [18, 4, 111, 107])
            }
        }
        let client = try CoAClient()
        let outcome = await client.send(try Self.request(kind), to: nas.peer())
        guard case .ack(let attributes) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(Array(attributes.suffix(4)) == [18, 4, 111, 107])
        #expect(client.counters.acks == 1)
        #expect(nas.received.first?.first == kind.code.rawValue)
    }

    @Test func returnsTheNakWithItsCause() async throws {
        let nas = try ScriptedNAS { datagram, _ in
            ScriptedNAS.answer(datagram) {
                DynamicAuthorizationServer(secret: ScriptedNAS.secret).refuse($0, cause: .sessionContextNotFound)
            }
        }
        let client = try CoAClient()
        let outcome = await client.send(try Self.request(.disconnect), to: nas.peer())
        #expect(outcome == .nak(errorCause: 503))
        #expect(outcome.message.contains("Session-Context-Not-Found (503)"))
    }

    @Test func repeatsTheSameOctetsAndGivesUpOnSilence() async throws {
        let nas = try ScriptedNAS { _, _ in [] }
        let client = try CoAClient(timing: Self.hasty)
        let outcome = await client.send(try Self.request(), to: nas.peer())
        #expect(outcome == .timeout(attempts: 3))
        #expect(await eventually { nas.received.count == 3 })
        #expect(Set(nas.received).count == 1)
        #expect(client.counters.resent == 2)
        #expect(client.counters.timeouts == 1)
    }

    @Test func takesAnAnswerToALaterAttempt() async throws {
        let nas = try ScriptedNAS { datagram, count in count < 2 ? [] : ScriptedNAS.ack(datagram) }
        let client = try CoAClient(timing: Self.persistent)
        guard case .ack = await client.send(try Self.request(), to: nas.peer()) else {
            Issue.record("no ACK")
            return
        }
        #expect(nas.received.count >= 2)
    }

    @Test func countsAnAnswerThatComesAfterTheEnd() async throws {
        let held = Mutex<[UInt8]>([])
        let nas = try ScriptedNAS { datagram, count in
            if count <= 3 { held.withLock { $0 = datagram } }
            // The answer to the first request goes out with the second one's.
            let late = count == 4 ? ScriptedNAS.ack(held.withLock { $0 }) : []
            return count <= 3 ? [] : late + ScriptedNAS.ack(datagram)
        }
        let client = try CoAClient(timing: Self.hasty)
        #expect(await client.send(try Self.request(), to: nas.peer()) == .timeout(attempts: 3))
        #expect(await eventually { nas.received.count == 3 })
        let request = try Self.request()
        // Where the machine stands still, this one ends as well before it is answered.
        try await Support.eventually {
            guard case .ack = await client.send(request, to: nas.peer()) else { return false }
            return true
        }
        // One answer for each datagram but the first three, and the late one; one of them all was awaited.
        #expect(await eventually { client.counters.unmatched + client.counters.unverified == nas.received.count - 3 })
    }

    /// What a client counted whose attempts got a false answer each, and from the third on the true one behind it.
    private static func counters(afterFalse answers: @escaping @Sendable ([UInt8]) -> [[UInt8]]) async throws -> CoACounters {
        let nas = try ScriptedNAS { datagram, count in answers(datagram) + (count < 3 ? [] : ScriptedNAS.ack(datagram)) }
        let client = try CoAClient(timing: persistent)
        let outcome = await client.send(try request(), to: nas.peer())
        let counters = client.counters
        guard case .ack = outcome else {
            Issue.record("\(outcome)")
            return counters
        }
        #expect(nas.received.count >= 3)
        return counters
    }

    @Test func ignoresAnswersSignedWithAnotherSecret() async throws {
        let counters = try await Self.counters { ScriptedNAS.ack($0, secret: SharedSecret(Array("other".utf8))) }
        #expect(counters.unverified == 3)
        #expect(counters.acks == 1)
    }

    @Test func ignoresAnAckOfTheOtherKind() async throws {
        let counters = try await Self.counters { datagram in
            ScriptedNAS.ack(datagram).map { reply in
                // A Disconnect-ACK, truly signed, for a CoA-Request.
                var forged = reply
                forged[0] = PacketCode.disconnectACK.rawValue
                var span = forged.mutableSpan
                let authenticator = Digest16 { datagram[4 + $0] }
                MessageAuthenticator.sign(&span, attributeOffset: 20, authenticator: authenticator, secret: ScriptedNAS.secret)
                ResponseAuthenticator.sign(&span, requestAuthenticator: authenticator, secret: ScriptedNAS.secret)
                return forged
            }
        }
        #expect(counters.wrongCode == 3)
        #expect(counters.acks == 1)
    }

    @Test func ignoresAnAnswerWithAFalseMessageAuthenticator() async throws {
        let counters = try await Self.counters { datagram in
            ScriptedNAS.ack(datagram).map { reply in
                var forged = reply
                forged[30] ^= 1
                var span = forged.mutableSpan
                ResponseAuthenticator.sign(&span, requestAuthenticator: Digest16 { datagram[4 + $0] }, secret: ScriptedNAS.secret)
                return forged
            }
        }
        #expect(counters.unverified == 3)
        #expect(counters.acks == 1)
    }

    @Test func completesOnceForADuplicateAnswer() async throws {
        let nas = try ScriptedNAS { datagram, _ in ScriptedNAS.ack(datagram) + ScriptedNAS.ack(datagram) }
        let client = try CoAClient(timing: Self.patient)
        let ends = Mutex(0)
        client.send(try Self.request(), to: nas.peer()) { _ in ends.withLock { $0 += 1 } }
        #expect(await eventually { client.counters.unmatched == 1 })
        #expect(ends.withLock { $0 } == 1)
    }

    @Test func ignoresGarbageAndAnswersFromElsewhere() async throws {
        let other = try ScriptedNAS { _, _ in [] }
        let nas = try ScriptedNAS { datagram, count in
            count == 1 ? [[1, 2, 3], Array(datagram.prefix(20))] : ScriptedNAS.ack(datagram)
        }
        let client = try CoAClient(timing: Self.persistent)
        async let silent = client.send(try Self.request(), to: other.peer())
        guard case .ack = await client.send(try Self.request(), to: nas.peer()) else {
            Issue.record("no ACK")
            return
        }
        #expect(client.counters.malformed + client.counters.wrongCode == 2)
        client.shutdown()
        #expect(try await silent == .refused(.shutDown))
    }

    @Test func keepsIdentifiersApartWhen256Wait() async throws {
        let held = Mutex<[[UInt8]]>([])
        let nas = try ScriptedNAS { datagram, count in
            let batch = held.withLock { held in
                held.append(datagram)
                return held.count >= 256 || count > 256 ? held : []
            }
            if !batch.isEmpty { held.withLock { $0 = [] } }
            return batch.flatMap { ScriptedNAS.ack($0) }
        }
        let client = try CoAClient(timing: .init(initial: 20_000_000_000, duration: 60_000_000_000))
        let acks = await withTaskGroup(of: CoAOutcome.self) { group in
            for _ in 0..<300 {
                group.addTask { (try? await client.send(Self.request(), to: nas.peer())) ?? .refused(.shutDown) }
            }
            return await group.reduce(into: 0) { if case .ack = $1 { $0 += 1 } }
        }
        #expect(acks == 300)
        #expect(Set(nas.received.prefix(256).map { $0[1] }).count == 256)
    }

    @Test func refusesBeyondItsQueue() async throws {
        let nas = try ScriptedNAS { _, _ in [] }
        let client = try CoAClient(queueLimit: 2)
        for _ in 0..<2 { client.send(try Self.request(), to: nas.peer()) { _ in } }
        #expect(await client.send(try Self.request(), to: nas.peer()) == .refused(.queueFull))
        client.shutdown()
    }

    @Test func shutdownEndsWhatIsInHandAndRefusesTheRest() async throws {
        let nas = try ScriptedNAS { _, _ in [] }
        let client = try CoAClient(outstandingPerNAS: 1)
        let ends = Mutex<[CoAOutcome]>([])
        for _ in 0..<3 { client.send(try Self.request(), to: nas.peer()) { end in ends.withLock { $0.append(end) } } }
        client.shutdown()
        #expect(ends.withLock { $0 } == [CoAOutcome](repeating: .refused(.shutDown), count: 3))
        #expect(await client.send(try Self.request(), to: nas.peer()) == .refused(.shutDown))
        client.shutdown()
    }

    @Test func reportsWhatTheSystemRefuses() async throws {
        let client = try CoAClient()
        let nowhere = CoAPeer(address: ScriptedNAS.loopback, port: 0, secret: ScriptedNAS.secret)
        #expect(await client.send(try Self.request(), to: nowhere) == .refused(.transport(EINVAL)))
        #expect(client.counters.refused == 1)
    }

    @Test func speaksIPv6() async throws {
        let client = try CoAClient(bindAddress: IPAddress(high: 0, low: 1))
        let nowhere = CoAPeer(address: IPAddress(high: 0, low: 1), port: 0, secret: ScriptedNAS.secret)
        #expect(await client.send(try Self.request(), to: nowhere) == .refused(.transport(EINVAL)))
    }
}
