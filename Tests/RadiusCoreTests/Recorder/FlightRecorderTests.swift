import Support
import Testing

@testable import RadiusCore

/// The recorder behind a real server.
@Suite struct FlightRecorderTests {
    private func filter(_ adjust: (inout FlightFilter) -> Void = { _ in }) -> FlightFilter {
        var filter = FlightFilter(tenant: 1)
        adjust(&filter)
        return filter
    }

    private func seen(_ test: TestServer, _ filter: FlightFilter) -> [TransactionReport] {
        test.server.environment.recorder.last(100, filter).records.map { TransactionReport($0, in: test.store.snapshot) }
    }

    private func server(bytes: Int = 1 << 20, slowChecks: SlowChecks? = nil, delay: Int = 0) throws -> TestServer {
        var carol = TestServer.subscriber("carol", password: "$2b$04$abcdefghijklmnopqrstuuDVE8t3WJYyPkq6nZnYPqYJ4UDP5lzy6", kind: .hash)
        carol.id = 43
        return try TestServer(
            subscribers: [TestServer.subscriber("nemo"), carol], rejectDelayMilliseconds: delay, slowChecks: slowChecks,
            recorder: FlightRecorder(memoryOctets: bytes, workers: 1))
    }

    @Test func tellsOfAcceptRejectAndRetransmission() throws {
        let test = try server()
        let nas = try TestNAS(to: test.server.authenticationPort)
        let accept = nas.exchange(TestPacket.access(1))
        _ = nas.exchange(TestPacket.access(1))
        let reject = nas.exchange(TestPacket.access(2, password: "wrong"))
        _ = nas.exchange(TestPacket.access(3, user: "nobody"))
        let reports = seen(test, filter())
        #expect(reports.map(\.outcome) == ["accept", "repeated", "reject", "reject"])
        #expect(reports.map(\.reason) == ["accepted", "", "wrong_password", "unknown_subscriber"])
        #expect(reports.map(\.userName) == ["nemo", "nemo", "nemo", "nobody"])
        #expect(reports.map(\.subscriber) == [42, 0, 42, 0])
        #expect(reports.map(\.method) == ["pap", "none", "pap", "pap"])
        #expect(reports.allSatisfy { $0.nas == "loopback" && $0.peer.hasPrefix("127.0.0.1:") })
        let records = test.server.environment.recorder.last(100, filter()).records
        #expect(records[0].request == TestPacket.access(1))
        #expect(records[0].reply == accept)
        #expect(records[2].reply == reject)
        #expect(reports[0].request.attributes.contains(.init(name: "User-Password", value: "(hidden)")))
        #expect(reports[2].reply?.code == "Access-Reject")
    }

    @Test func tellsWhyAPacketWasDroppedAndNothingBehindIt() throws {
        let test = try server()
        let nas = try TestNAS(to: test.server.authenticationPort)
        // Behind the packet the server puts the secret while it computes: padding must not come out.
        nas.send(TestPacket.access(1, secret: SharedSecret(Array("another-secret".utf8))) + [UInt8](repeating: 0x5A, count: 200))
        let accounting = try TestNAS(to: test.server.accountingPort)
        accounting.send(
            TestPacket.accounting(2, status: 1, session: "s", secret: SharedSecret(Array("x".utf8))) + [UInt8](repeating: 0, count: 200))
        #expect(eventually { seen(test, filter()).count == 2 })
        let reports = seen(test, filter())
        #expect(Set(reports.map(\.reason)) == ["messageAuthenticatorInvalid", "requestAuthenticatorInvalid"])
        #expect(reports.allSatisfy { $0.outcome == "dropped" && $0.sentence.contains("Compare the shared secret") })
        for record in test.server.environment.recorder.last(10, filter()).records {
            #expect(record.request.count == Int(record.request[2]) << 8 | Int(record.request[3]))
            #expect(record.reply.isEmpty)
        }
    }

    @Test func tellsOfAccountingAndNotOfStatus() throws {
        let test = try server()
        let accounting = try TestNAS(to: test.server.accountingPort)
        #expect(!accounting.exchange(TestPacket.accounting(7, status: 1, session: "s1")).isEmpty)
        #expect(!accounting.exchange(TestPacket.status()).isEmpty)
        let reports = seen(test, filter())
        #expect(reports.map(\.outcome) == ["response"])
        #expect(reports.map(\.subscriber) == [42])
        #expect(reports.first?.request.code == "Accounting-Request")
        #expect(reports.first?.reply?.code == "Accounting-Response")
    }

    @Test func findsByUserStationAndNAS() throws {
        let test = try server()
        let nas = try TestNAS(to: test.server.authenticationPort)
        let station = [31, 19] + Array("00-53-00-AB-CD-EF".utf8)
        _ = nas.exchange(TestPacket.access(1, extra: station.map { UInt8($0) }))
        _ = nas.exchange(TestPacket.access(2, user: "nobody"))
        #expect(seen(test, filter { $0.userName = Array("nobody".utf8) }).map(\.userName) == ["nobody"])
        #expect(seen(test, filter { ($0.userName, $0.subscriber) = (Array("other".utf8), 42) }).map(\.userName) == ["nemo"])
        #expect(seen(test, filter { $0.station = Array("0053.00ab.cdef".utf8) }).map(\.userName) == ["nemo"])
        #expect(seen(test, filter { $0.station = Array("0053.00ab.cdee".utf8) }).isEmpty)
        #expect(seen(test, filter { $0.nas = 7 }).count == 2)
        #expect(seen(test, filter { $0.nas = 8 }).isEmpty)
        #expect(seen(test, FlightFilter(tenant: 2)).isEmpty)
    }

    @Test func aReaderGoesOnWhereItWasAndIsToldWhatItMissed() throws {
        let recorder = FlightRecorder(memoryOctets: 1 << 19, workers: 1)
        let lane = try #require(recorder.lane())
        func push(_ count: Int) {
            var header = FlightHeader()
            header.tenant = 1
            let request = [UInt8](repeating: 1, count: 400)
            for position in 0..<count {
                header.atMicroseconds += Int64(position)
                request.withUnsafeBufferPointer { octets in
                    guard let start = octets.baseAddress else { return }
                    lane.access.push(header, request: start, 400, reply: nil, 0)
                }
            }
        }
        push(10)
        var (past, cursor) = recorder.last(3, filter())
        #expect(past.map(\.header.number) == [7, 8, 9])
        push(5)
        var portion = recorder.next(&cursor, limit: 2, filter())
        #expect(portion.records.map(\.header.number) == [10, 11])
        portion = recorder.next(&cursor, limit: 100, filter())
        #expect(portion.records.map(\.header.number) == [12, 13, 14])
        #expect(portion.missed == 0)
        #expect(recorder.next(&cursor, limit: 100, filter()).records.isEmpty)
        push(10_000)
        portion = recorder.next(&cursor, limit: 100_000, filter())
        #expect(portion.missed > 0)
        #expect(portion.missed + UInt64(portion.records.count) == 10_000)
        past = recorder.last(100_000, FlightFilter(tenant: 2)).records
        #expect(past.isEmpty)
    }

    @Test func withoutMemoryNothingIsRecorded() throws {
        let test = try server(bytes: 0)
        let nas = try TestNAS(to: test.server.authenticationPort)
        #expect(!nas.exchange(TestPacket.access(1)).isEmpty)
        #expect(seen(test, filter()).isEmpty)
    }

    @Test func countsHowLongAnswersTook() throws {
        let test = try server()
        let nas = try TestNAS(to: test.server.authenticationPort)
        for identifier in 0..<5 as Range<UInt8> { _ = nas.exchange(TestPacket.access(identifier)) }
        let (counts, microseconds) = test.server.counters[0].latency.read(.direct)
        #expect(counts.reduce(0, +) == 5)
        #expect(microseconds > 0)
        #expect(test.server.counters[0].latency.read(.eap).counts.reduce(0, +) == 0)
    }

    @Test(arguments: [(0, 0), (16, 0), (17, 1), (32, 1), (33, 2), (8_388_608, 19), (8_388_609, 20), (.max, 20)] as [(UInt64, Int)])
    func timesFallIntoTheBoundThatHoldsThem(_ microseconds: UInt64, _ place: Int) {
        #expect(LatencyCells.place(microseconds) == place)
        if place < LatencyCells.bounds.count { #expect(LatencyCells.bounds[place] >= microseconds) }
        if place > 0 { #expect(LatencyCells.bounds[place - 1] < microseconds) }
    }
}
