import Testing

@testable import RadiusCore

@Suite struct BindingReportTests {
    private static func explain(_ attributes: [AttributeText]) throws -> Explanation {
        var desk = PolicyDesk()
        var entry = PolicyDesk.subscriber("alice")
        entry.bindings = BindingServerTests.bound(mac: .enforce, line: .log, [(.mac, "0053.0012.3456"), (.circuit, "slot 1/7")]).bindings
        (entry.credentialKind, entry.credential) = (.clearText, Array("correct-horse".utf8))
        desk.subscribers = [entry]
        let snapshot = try desk.snapshot()
        let request = try PolicyRequest(userName: "alice", attributes: attributes, dictionary: snapshot.dictionary, seconds: 1_769_862_896)
        return try #require(Explanation(userName: "alice", tenant: 1, client: PolicyDesk.client(), in: snapshot, request: request))
    }

    private static func text(_ line: BindingReport.Line) -> String {
        "\(line.attribute) \(line.mode.name) \(line.bound.joined(separator: ",")) \(line.received ?? "-") \(line.result.rawValue)"
    }

    @Test func aNameAloneIsNotCompared() throws {
        let explanation = try Self.explain([])
        #expect(explanation.isAccepted)
        #expect(
            explanation.bindings.map(Self.text) == [
                "Calling-Station-Id enforce 00:53:00:12:34:56 - not_asked", "ADSL-Agent-Circuit-Id log slot 1/7 - not_asked",
            ])
    }

    @Test func expectedAndReceivedStandSideBySide() throws {
        let station = AttributeText(name: "Calling-Station-Id", value: "00-53-00-12-34-57")
        let refused = try Self.explain([station, AttributeText(name: "ADSL-Agent-Circuit-Id", value: "0x0104")])
        #expect(refused.reason == .macNotBound && !refused.isAccepted && refused.attributes.isEmpty)
        #expect(
            refused.bindings.map(Self.text) == [
                "Calling-Station-Id enforce 00:53:00:12:34:56 00-53-00-12-34-57 differs",
                "ADSL-Agent-Circuit-Id log slot 1/7 0x0104 differs",
            ])
        let right = AttributeText(name: "Calling-Station-Id", value: "00-53-00-12-34-56")
        let accepted = try Self.explain([right])
        #expect(accepted.reason == .accepted)
        #expect(accepted.bindings.map(\.result) == [.matches, .absent])
    }
}
