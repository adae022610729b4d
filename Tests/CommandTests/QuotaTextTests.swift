import Testing

@testable import lastmile

/// A subscriber's quota as people read it.
@Suite struct QuotaTextTests {
    private static let answer = #"""
        {"name":"fair","period":"cycle","direction":"both","octets":100000000000,"window_start":"2026-11-04T23:00:00Z",
         "window_end":"2026-12-04T23:00:00Z","used":120000000000,"limit":150000000000,"percent":80,"estimated":true,"action":"throttle",
         "profile":"slow","thresholds":[{"percent":80,"action":"throttle","profile":"slow","fired":true},
         {"percent":100,"action":"block","profile":null,"fired":false}],
         "top_ups":[{"id":7,"octets":50000000000,"remaining":30000000000,"expires_at":"2026-12-31T22:00:00Z"}]}
        """#

    @Test func saysHowMuchUntilWhenAndWhatHolds() throws {
        let lines = QuotaText.lines(try JSONReader.parse(Self.answer))
        #expect(lines.count == 6)
        #expect(lines[0].hasPrefix("quota       fair: "))
        #expect(lines[0].contains("(80 %), until 2026-12-04T23:00:00Z; throttled to slow; estimated, since accounting is late"))
        #expect(lines[1] == "window      cycle, 2026-11-04T23:00:00Z to 2026-12-04T23:00:00Z")
        #expect(lines[2] == "counts      both")
        #expect(lines[3] == "threshold   80 % throttle to slow (reached)")
        #expect(lines[4] == "threshold   100 % block")
        #expect(lines[5].hasSuffix(" left, until 2026-12-31T22:00:00Z"))
    }

    @Test func saysWhoWasLetInByHand() throws {
        let answer = Self.answer.replacing("\"action\":\"throttle\",\n", with: "\"action\":\"unlocked\",\n")
        #expect(QuotaText.lines(try JSONReader.parse(answer))[0].contains("; used up, but let in: its lock was taken away by hand; "))
    }

    @Test func nothingIsSaidOfNoQuota() {
        #expect(QuotaText.lines(JSONValue.null).isEmpty)
        #expect(QuotaText.lines(nil).isEmpty)
    }
}
