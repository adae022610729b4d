import Database
import Logging
import Support
import Testing

@testable import Provisioning
@testable import RadiusCore

@Suite struct SessionReplacerTests {
    @Test func theOldestSessionIsDisconnected() async throws {
        try await ReauthorizerDesk.with { desk in
            try await Self.replacing(desk) {
                try await eventually { desk.told == ["disconnect alice"] }
                try await Self.recorded("ack", desk)
            }
        }
    }

    @Test func aConnectionThatComesBackIsWaitedFor() async throws {
        try await ReauthorizerDesk.with { desk in
            try await desk.desk.sql("UPDATE aaa.nas SET coa_over = 'connection'")
            let connections = LooseConnections()
            connections.connect(try await desk.desk.sql("SELECT id FROM aaa.nas"))
            try await Self.replacing(desk, connections) {
                #expect(try await connections.answer(.refused(.connectionLost)) == [.disconnect])
                #expect(try await connections.answer(.ack(attributes: [])) == [.disconnect])
                try await Self.recorded("ack", desk)
            }
        }
    }

    @Test func aSessionWhoseNASIsNotConnectedGoesOnAndTheLogSaysSo() async throws {
        try await ReauthorizerDesk.with { desk in
            try await desk.desk.sql("UPDATE aaa.nas SET coa_over = 'connection'")
            let log = KeptLog(.warning)
            try await Self.replacing(desk, logger: log.logger) { try await eventually { !log.lines.isEmpty } }
            let line = try #require(log.lines.first).text
            #expect(line.contains("subscriber alice: session") && line.contains("has none to this node"))
            let refusals = "SELECT count(*) FROM aaa.dynamic_authorization WHERE outcome = 'refused'"
            #expect(try await desk.desk.sql(refusals) == 6)
        }
    }

    /// Runs `body` while a session of alice gives way to another one of hers.
    private static func replacing(
        _ desk: ReauthorizerDesk, _ connections: LooseConnections = LooseConnections(), logger: Logger = Logger(label: "tests"),
        _ body: () async throws -> Void
    ) async throws {
        let alice = try await desk.online("alice")
        let nas = try await desk.desk.sql("SELECT id FROM aaa.nas")
        // Five parts behind their lengths: NAS, its address, session, user, port.
        let key: [UInt8] = [0, 4, 127, 0, 0, 1, 2, 0x53, 0x31, 5] + Array("alice".utf8) + [0]
        try await desk.desk.sql("UPDATE aaa.session_header SET session_key = $1", [.bytes(key)])
        let census = SessionCensus()
        let old = SessionTrace(key: key, nas: nas, callingStation: [])
        census.note(alice, tenant: desk.desk.tenant, old, isStop: false, silence: 600, at: 1000)
        var new = SessionTrace.nowhere
        new.station = 9
        let limit = SessionLimit(count: 1, replaces: true)
        #expect(census.admit(alice, tenant: desk.desk.tenant, new, limit: limit, silence: 600, at: 1001) == .replaced(1))
        let client = try CoAClient()
        let control = SessionControl(
            pool: desk.desk.pool, client: client, connections: connections.reverse, open: { [desk] in try desk.desk.secrets.open($0) },
            attributes: { _, _ in nil })
        let replacer = SessionReplacer(
            pool: desk.desk.pool, control: control, census: census, logger: logger, pause: .milliseconds(1))
        let work = Task { await replacer.run() }
        try await body()
        work.cancel()
        await work.value
        client.shutdown()
        #expect(census.takeReplacements(atMost: 9).isEmpty)
    }

    private static func recorded(_ outcome: String, _ desk: ReauthorizerDesk) async throws {
        try await eventually {
            try await desk.desk.sql(
                "SELECT count(*) FROM aaa.dynamic_authorization WHERE requested_by = 'session limit' AND outcome = $1", [.text(outcome)])
                == 1
        }
    }
}
