import Testing

@testable import lastmile

@Suite struct JSONTests {
    @Test(arguments: [
        "null", "[1,2.50,-3e+7]", "{\"b\":1,\"a\":{\"c\":[]}}", "\"a\\u0001\\\"\\\\ü\"", "{}",
    ])
    func writesWhatItRead(_ text: String) throws {
        #expect(JSONText.compact(try JSONReader.parse(text)) == text)
    }

    @Test func joinsSurrogatePairs() throws {
        #expect(try JSONReader.parse("\"\\ud83d\\ude00\\n\"") == .string("\u{1f600}\n"))
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\" 1}", "01", "1.", "\"a", "\"\\x\"", "\"\\ud800\"", "tru", "1 2", "\"\u{1}\"", "nul", "-",
        String(repeating: "[", count: 65) + String(repeating: "]", count: 65),
    ])
    func refusesWhatIsNoJSON(_ text: String) {
        #expect(throws: JSONFault.self) { try JSONReader.parse(text) }
    }

    @Test func refusesStringsThatAreNotUTF8() {
        #expect(throws: JSONFault.self) { try JSONReader.parse([0x22, 0xff, 0x22]) }
    }

    @Test func indentsPrettyText() throws {
        let value = try JSONReader.parse("{\"a\":[1,{\"b\":null}],\"c\":{}}")
        #expect(
            JSONText.pretty(value) == """
                {
                  "a": [
                    1,
                    {
                      "b": null
                    }
                  ],
                  "c": {}
                }
                """)
    }
}
