import Database
import Logging
import Support
import Testing

@testable import Provisioning
@testable import RadiusCore

@Suite struct SessionReplacerTests {
    @Test func theOldestSessionIsDisconnected() async throws {
        try await ReauthorizerDesk.with { desk in
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
                pool: desk.desk.pool, client: client, open: { [desk] in try desk.desk.secrets.open($0) }, attributes: { _, _ in nil },
                closeGhost: { try SessionCloser.close($0, reason: .contextNotFound, on: $1) })
            let replacer = SessionReplacer(pool: desk.desk.pool, control: control, census: census, logger: Logger(label: "tests"))
            let work = Task { await replacer.run() }
            try await eventually { desk.told == ["disconnect alice"] }
            try await eventually {
                try await desk.desk.sql(
                    "SELECT count(*) FROM aaa.dynamic_authorization WHERE requested_by = 'session limit' AND outcome = 'ack'") == 1
            }
            work.cancel()
            await work.value
            client.shutdown()
            #expect(census.takeReplacements(atMost: 9).isEmpty)
        }
    }
}
