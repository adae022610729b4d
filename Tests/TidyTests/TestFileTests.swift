import Testing

@Suite struct TestFileTests {
    @Test func testsExpectSomethingAndDoNotSleep() {
        #expect(SourceTree.checkout.files.flatMap(TestFileRule.violations) == [])
    }

    @Test(arguments: [
        ("Tests/A/ATests.swift", "@Test func a() {}\n"), ("Tests/A/B.swift", "try await Task.sl" + "eep(for: .seconds(1))\n"),
        ("Tests/A/B.swift", "sl" + "eep(1)\n"), ("Tests/A/B.swift", "    _ = usl" + "eep(1)\n"),
    ])
    func refuses(path: String, text: String) {
        #expect(TestFileRule.violations(in: TextFile(path: path, text: text)).count == 1)
    }

    @Test(arguments: [
        ("Tests/A/ATests.swift", "#expect(true)\n"), ("Tests/A/B.swift", "poll(nil, 0, 10)\n"),
        ("Tests/Support/Eventually.swift", "try await Task.sl" + "eep(for: .milliseconds(5))\n"), ("Sources/A/B.swift", "sl" + "eep(1)\n"),
    ])
    func allows(path: String, text: String) {
        #expect(TestFileRule.violations(in: TextFile(path: path, text: text)) == [])
    }
}
