import Testing

@testable import DaemonSettings

@Suite struct YAMLReaderTests {
    @Test(arguments: ["", "# only a comment\n", "---\n"])
    func takesAnEmptyFile(text: String) {
        let file = SettingsFile(text: Array(text.utf8), name: "f")
        #expect(file.mistakes == [])
        #expect(file.values.isEmpty)
    }

    @Test(arguments: [
        ("http: [", 2, "did not find"), ("http:\n\tport: 1\n", 2, "token"), ("a: &x 1\nb: *x\n", 2, "aliases"),
        ("http: !!map {}", 1, "tags"),
        ("http.port: !x 1", 1, "tags"), ("[a, b]", 1, "the file must hold keys"), ("? [a]\n: 1", 1, "a key must be"),
        ("http.port: 1\n---\nhttp.port: 2\n", 2, "second document"), (String(repeating: "[", count: 300), 1, "nested deeper"),
        (String(repeating: "a: {", count: 300), 1, ""),
    ])
    func refusesWhatSettingsMustNotHold(text: String, line: Int, word: String) throws {
        let file = SettingsFile(text: Array(text.utf8), name: "f")
        let mistake = try #require(file.mistakes.last)
        #expect(mistake.place.hasPrefix("f:\(line):"), "\(mistake)")
        #expect(word.isEmpty || mistake.problem.contains(word), "\(mistake)")
    }

    @Test func saysWhereTheEncodingBreaks() {
        let file = SettingsFile(text: Array("http.port: 80\nlog.level: ".utf8) + [0xFF, 0x0A], name: "f")
        #expect(file.mistakes.map(\.place) == ["f:2:12"])
        #expect(file.mistakes.map(\.remedy) == ["save the file as UTF-8"])
    }

    @Test func hidesControlCharactersOfAStrangeKey() {
        let file = SettingsFile(text: Array("\"a\\e[31m\": 1".utf8), name: "f")
        #expect(file.mistakes.map(\.key) == ["a\\u{1b}[31m"])
    }

    @Test func refusesAFileThatIsNotOne() {
        #expect(SettingsFile(path: "/", name: "/").mistakes.map(\.problem) == ["cannot be read: Is a directory"])
    }
}
