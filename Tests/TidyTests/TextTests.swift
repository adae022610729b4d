import Testing

@Suite struct TextTests {
    @Test func filesAreTidy() {
        #expect(SourceTree.checkout.files.flatMap(TextRule.violations) == [])
    }

    @Test(arguments: [
        "", "no line end", "a\n\n", "blank \n", "tab at the end\t\n", "\tlet a = 1\n", "a\r\n", "// TO" + "DO: later\n", "// FIX" + "ME\n",
        "see /wo" + "rk/main\n", "\"/ho" + "me/me/x\"\n", "https" + "://registry.corp.internal/x\n", "http" + "://user@10.1.2.3:8080/\n",
    ])
    func refuses(text: String) {
        #expect(TextRule.violations(in: TextFile(path: "A.swift", text: text)) != [])
    }

    @Test(arguments: [
        "mkdtemp(\"lm.XXXXXX\")\n", "https" + "://github.com/apple/swift-nio\n", "http" + "://127.0.0.1:8080/x\n",
        "http" + "://[::1]:80/\n",
        "http" + "://nas1.example.net:80/\n", "http" + "://\\(address):\\(port)\n", "postgresql://db.local/x\n",
    ])
    func allows(text: String) {
        #expect(TextRule.violations(in: TextFile(path: "A.swift", text: text)) == [])
    }
}
