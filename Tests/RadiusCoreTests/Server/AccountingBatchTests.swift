import Synchronization
import Testing

@testable import RadiusCore

/// Accounting records of one batch go into the journal together.
@Suite struct AccountingBatchTests {
    private let host: TestServer
    private let gateway: Gateway

    init() throws {
        host = try TestServer(subscribers: [TestServer.subscriber("nemo")], started: false)
        gateway = try Gateway(to: "127.0.0.1", port: host.server.accountingPort)
    }

    private func request(_ identifier: UInt8) -> [UInt8] { TestPacket.accounting(identifier, status: 1, session: "s\(identifier)") }

    @Test func recordsAreKeptInTheOrderOfArrivalWhateverStandsBetweenThem() throws {
        for identifier in UInt8(0)..<100 {
            gateway.send(request(identifier))
            gateway.send(identifier % 2 == 0 ? request(identifier) : TestPacket.accounting(identifier, status: 1, session: ""))
        }
        host.server.start()
        #expect((0..<100).map { _ in gateway.receive()[1] } == Array(0..<100))
        let journal = host.server.environment.journal
        #expect(journal.durableSequence == 100)
        var reader = JournalReader(directory: journal.directory, after: 0)
        #expect(try KeptRecord.all(&reader, through: 100).map(\.packet) == (0..<100).map(request))
        #expect(eventually { host.count(DecodeError.accountingIncomplete) == 50 })
    }

    @Test func whatTheJournalRefusesGetsNoResponseAndIsNewWhenItComesAgain() throws {
        host.server.environment.journal.close()
        for identifier in UInt8(0)..<20 {
            gateway.send(request(identifier))
            if identifier == 10 { gateway.send(TestPacket.status()) }
        }
        host.server.start()
        #expect(gateway.receive().prefix(2) == [PacketCode.accountingResponse.rawValue, 9])
        #expect(eventually { host.count(ServerCounter.journalRefused) == 20 })
        gateway.send(request(3))
        #expect(eventually { host.count(ServerCounter.journalRefused) == 21 })
        // An answer to one of them would have been sent before this one.
        gateway.send(TestPacket.status())
        #expect(TestPacket.isSigned(gateway.receive()))
        #expect(host.count(ServerCounter.accountingResponses) == 0)
        #expect(host.count(ServerCounter.duplicatesInWork) == 0)
        #expect(host.count(ServerCounter.sendFailures) == 0)
        #expect(host.client.observation.accountingResponses.load(ordering: .relaxed) == 0)
    }
}
