import Testing

@testable import DaemonSettings

@Suite struct SuggestionTests {
    @Test(arguments: [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("port", "prot", 1), ("same", "same", 0), ("ca", "abc", 3)])
    func countsEdits(first: String, second: String, distance: Int) {
        #expect(Suggestion.distance(Array(first.utf8), Array(second.utf8)) == distance)
    }

    @Test func proposesNothingForAStranger() {
        #expect(Suggestion.nearest(to: "colour", among: ["http.port", "acs.port"]) == nil)
        #expect(Suggestion.nearest(to: String(repeating: "x", count: 100_000), among: ["http.port"]) == nil)
    }
}
