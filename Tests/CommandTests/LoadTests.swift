import Glibc
import Support
import Synchronization
import Testing

@testable import RadiusCore
@testable import lastmile

/// A server of the tests that answers every request, or only repetitions.
private final class AnsweringServer: Sendable {
    let port: UInt16
    private let secret: SharedSecret
    private let fd: Int32
    private let stopping = Atomic<Bool>(false)
    private let records = Mutex<[[UInt8]]>([])

    init(secret: SharedSecret, dropsFirst: Bool) throws {
        self.secret = secret
        let socket = try DatagramSocket(port: 0, on: IPAddress(ipv4: 0x7f00_0001))
        port = socket.port
        fd = dup(socket.fd)
        Thread.start(name: "answers") { [self] in serve(dropsFirst) }
    }

    func stop() { stopping.store(true, ordering: .relaxed) }

    /// Accounting requests, each once, in the order of their answers.
    var answered: [[UInt8]] { records.withLock { $0 } }

    private func serve(_ dropsFirst: Bool) {
        var seen: Set<[UInt8]> = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !stopping.load(ordering: .relaxed) {
            guard DatagramSocket.wait(for: [fd], milliseconds: 20) else { continue }
            var address = sockaddr_in6()
            var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
                    let count = recvfrom(fd, &buffer, buffer.count, 0, peer, &length)
                    guard count >= 20 else { return }
                    let request = Array(buffer[..<count])
                    let isNew = seen.insert(request).inserted
                    if dropsFirst && isNew { return }
                    if isNew || dropsFirst { records.withLock { $0.append(request) } }
                    let reply = reply(to: request)
                    _ = sendto(fd, reply, reply.count, 0, peer, length)
                }
            }
        }
        close(fd)
    }

    private func reply(to request: [UInt8]) -> [UInt8] {
        var reply = [request[0] == 4 ? 5 : 2, request[1], 0, 20] + [UInt8](repeating: 0, count: 16)
        var span = reply.mutableSpan
        ResponseAuthenticator.sign(&span, requestAuthenticator: Digest16 { request[4 + $0] }, secret: secret)
        return reply
    }
}

@Suite struct LoadTests {
    private let secret = SharedSecret(Array("testing123".utf8))

    private func plan(_ port: UInt16, _ mode: LoadPlan.Mode) throws -> LoadPlan {
        let users = try LoadNames.read("user%03d", count: 10, password: Array("p".utf8))
        var plan = LoadPlan(target: IPAddress(ipv4: 0x7f00_0001), port: port, secret: secret, users: users)
        plan.mode = mode
        plan.outstanding = 20
        plan.timeoutMilliseconds = 100
        plan.retries = 100
        return plan
    }

    private func run(_ plan: LoadPlan) throws -> LoadGenerator {
        #expect(plan.fault == nil)
        let generator = LoadGenerator(plan)
        try generator.start()
        try eventuallyBlocking { generator.isDone }
        return generator
    }

    @Test(arguments: [LoadPlan.Mode.pap, .chap, .msCHAPv2])
    func everyRequestIsAnsweredOnce(_ mode: LoadPlan.Mode) throws {
        let server = try AnsweringServer(secret: secret, dropsFirst: false)
        defer { server.stop() }
        var plan = try plan(server.port, mode)
        plan.count = 501
        plan.threads = 2
        plan.sockets = 2
        plan.verifies = true
        let tally = try run(plan).tally
        #expect(tally.sent == 501)
        #expect(tally.accepted == 501)
        #expect(tally.lost == 0)
        #expect(tally.bad == 0)
        #expect(Set(server.answered.map { $0[4..<20] }).count == 501)
    }

    @Test func countsRepliesThatDoNotVerify() throws {
        let server = try AnsweringServer(secret: SharedSecret([1, 2]), dropsFirst: false)
        defer { server.stop() }
        var plan = try plan(server.port, .pap)
        plan.count = 20
        plan.retries = 0
        plan.verifies = true
        let tally = try run(plan).tally
        #expect(tally.answered == 0)
        #expect(tally.bad == 20)
        #expect(tally.lost == 20)
    }

    @Test func acknowledgedRecordsAreThoseThatWereAnswered() throws {
        let server = try AnsweringServer(secret: secret, dropsFirst: true)
        defer { server.stop() }
        var template = Array("/tmp/lastmile-load-XXXXXX".utf8CString)
        let fd = mkstemp(&template)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            close(fd)
            unlink(path)
        }
        var plan = try plan(server.port, .accounting)
        plan.count = 30
        plan.interims = 7
        plan.run = "t"
        plan.acknowledgedFD = fd
        let tally = try run(plan).tally
        #expect(tally.sessions == 30)
        #expect(tally.sent == 30 * 9)
        #expect(tally.retransmitted >= 30 * 9)
        let lines = String(decoding: try File.read(path), as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(lines.count == 30 * 9)
        #expect(Set(lines) == Set(server.answered.map(Self.line)))
        #expect(lines.contains("t-0\t2\t8000024\t5600000000\t2400"))
        // Start, seven interims, Stop, in that order.
        let statuses = lines.filter { $0.hasPrefix("t-7\t") }.map { $0.split(separator: "\t")[1] }
        #expect(statuses == ["1", "3", "3", "3", "3", "3", "3", "3", "2"])
    }

    /// What the acknowledged file should say of a request.
    private static func line(_ request: [UInt8]) -> String {
        let attributes = Array(request[20...])
        func number(_ type: UInt8) -> UInt64 { UInt64(AttributeOctets.number(type, in: attributes) ?? 0) }
        let session = String(decoding: AttributeOctets.values(44, in: attributes).first ?? [], as: UTF8.self)
        let (input, output) = (number(52) << 32 | number(42), number(53) << 32 | number(43))
        return "\(session)\t\(number(40))\t\(input)\t\(output)\t\(number(46))"
    }

    @Test func stoppingClosesOpenSessions() throws {
        let server = try AnsweringServer(secret: secret, dropsFirst: false)
        defer { server.stop() }
        var plan = try plan(server.port, .accounting)
        plan.interims = 1000
        let generator = LoadGenerator(plan)
        try generator.start()
        try eventuallyBlocking { generator.tally.answered >= 100 }
        generator.stop()
        try eventuallyBlocking { generator.isDone }
        #expect(generator.tally.sessions == 20)
        #expect(generator.tally.inFlight == 0)
    }

    @Test func patternsNumberTheirNames() throws {
        #expect(NamePattern("user%06d@x")?.name(42) == Array("user000042@x".utf8))
        #expect(NamePattern("u%d")?.name(1234) == Array("u1234".utf8))
        for text in ["alice", "100%", "a%sd", "%9999d"] { #expect(NamePattern(text) == nil) }
        #expect(try LoadNames.read("alice", count: 5, password: []).count == 1)
        #expect(throws: CommandFailure.self) { try LoadNames.read("/nonexistent/users", count: 5, password: []) }
    }

    @Test func plansThatCannotRunSayWhy() throws {
        let good = try plan(1812, .pap)
        #expect(good.fault == nil)
        for change in [{ $0.outstanding = 257 }, { $0.sockets = 9 }, { $0.threads = 0 }, { $0.rate = -1 }, { $0.count = 0 }]
            as [(inout LoadPlan) -> Void]
        {
            var plan = good
            change(&plan)
            #expect(plan.fault != nil)
        }
    }

    @Test func lostRequestsFailTheReport() throws {
        var tally = LoadTally()
        tally.sent = 10
        tally.answered = 9
        tally.lost = 1
        let plan = try plan(1812, .pap)
        var report = LoadReport(tally: tally, histogram: LatencyHistogram(), elapsed: 2_000_000_000, plan: plan)
        #expect(report.failure?.status == .failed)
        #expect(report.record["answers_per_second"]?.integer == 4)
        #expect(report.record["seconds"]?.cell == "2.000")
        tally.answered = 0
        report = LoadReport(tally: tally, histogram: LatencyHistogram(), elapsed: 1, plan: plan)
        #expect(report.failure?.status == .unreachable)
    }
}
