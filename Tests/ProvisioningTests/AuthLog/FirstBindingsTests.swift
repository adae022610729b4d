import Database
import RadiusCore
import Support
import Testing

@testable import Provisioning

@Suite struct FirstBindingsTests {
    private static func login(
        _ bench: AccountingBench, _ subscriber: Int64, _ note: BindingNote, at offset: Int64, outcome: AuthEvent.Outcome = .accept
    ) -> AuthEvent {
        var event = AuthEvent(
            atMicroseconds: AccountingBench.noon + offset, tenant: bench.tenant, nas: 3, subscriber: subscriber, profile: 5,
            outcome: outcome,
            method: 1, reason: 0)
        event.binding = note
        return event
    }

    private static func push(
        _ ring: AuthEventRing, _ event: AuthEvent, station: String = "", port: String = "", circuit: [UInt8] = [], remote: String = ""
    ) {
        let (name, station, port, remote) = (Array("x".utf8), Array(station.utf8), Array(port.utf8), Array(remote.utf8))
        ring.push(
            event, userName: name.span, callingStation: station.span, nasPortID: port.span, circuitID: circuit.span, remoteID: remote.span)
    }

    /// Stores what the ring holds.
    private static func store(_ ring: AuthEventRing, _ bench: AccountingBench) throws {
        let log = AuthLogShipper(
            rings: [ring], configuration: bench.configuration, reasonNames: [0: "accepted"], logger: AccountingBench.quiet)
        try log.start()
        log.stop()
    }

    private static let columns = """
        SELECT concat_ws('|', username, macs, circuit_ids, remote_ids, nas_port_ids, version) FROM aaa.subscriber
        WHERE line_binding <> 'ignore' ORDER BY username
        """

    @Test func theFirstAcceptedLoginBindsAndNoOther() async throws {
        try await AccountingBench.run { bench in
            let (alice, bob, eve) = (
                try await bench.subscriber("alice"), try await bench.subscriber("bob"), try await bench.subscriber("eve")
            )
            try await bench.execute(
                """
                UPDATE aaa.subscriber SET mac_binding = 'enforce', line_binding = 'log', bind_on_first_use = true,
                    macs = CASE username WHEN 'eve' THEN '{00:53:00:00:00:01}'::text[] ELSE '{}' END
                """)
            let awaited: BindingNote = [.macAwaited, .lineAwaited]
            let ring = AuthEventRing()
            Self.push(ring, Self.login(bench, alice, awaited, at: 7), station: "00-53-00-00-00-0B", circuit: [0, 4])
            Self.push(
                ring, Self.login(bench, alice, awaited, at: 5), station: "0053.0000.000a", circuit: Array("slot 1/7".utf8), remote: "node")
            Self.push(ring, Self.login(bench, alice, awaited, at: 1, outcome: .reject), station: "00-53-00-00-00-0C", circuit: [9])
            Self.push(ring, Self.login(bench, bob, awaited, at: 1), station: "no address", port: " eth 0/1 ")
            Self.push(ring, Self.login(bench, bob, awaited, at: 2), station: "00:53:00:00:00:0d", port: "eth 0/2")
            // The snapshot that let eve in was older than the row.
            Self.push(ring, Self.login(bench, eve, awaited, at: 1), station: "00:53:00:00:00:0e", circuit: [0, 4])
            try Self.store(ring, bench)
            let rows = [
                "alice|{00:53:00:00:00:0a}|{\"slot 1/7\"}|{node}|{}|3", "bob|{00:53:00:00:00:0d}|{}|{}|{\"eth 0/1\"}|3",
                "eve|{00:53:00:00:00:01}|{0x0004}|{}|{}|2",
            ]
            #expect(try await bench.texts(Self.columns) == rows)
            Self.push(ring, Self.login(bench, alice, awaited, at: 99), station: "00-53-00-00-00-0F", circuit: [0, 5])
            try Self.store(ring, bench)
            #expect(try await bench.texts(Self.columns) == rows)
        }
    }

    @Test func theLogTellsTheLineAndWhatDiffers() async throws {
        try await AccountingBench.run { bench in
            let ring = AuthEventRing()
            Self.push(ring, Self.login(bench, 4, [.macDiffers, .lineDiffers], at: 0), circuit: [0, 4, 0xff], remote: "node")
            Self.push(ring, Self.login(bench, 4, [], at: 1))
            try Self.store(ring, bench)
            let rows = try await bench.texts("SELECT concat_ws('|', binding, circuit_id, remote_id) FROM aaa.auth_log ORDER BY at")
            #expect(rows == ["mac_and_line|0x0004ff|node", ""])
        }
    }
}
