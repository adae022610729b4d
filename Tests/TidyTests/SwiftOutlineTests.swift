import Testing

@Suite struct SwiftOutlineTests {
    @Test(arguments: [
        ("a // { b", "a "), ("a /* { /* { */ */ b", "a  b"), ("f(\"{\") {", "f() {"), ("f(\"\\\"{\") }", "f() }"),
        ("f(\"\\(g(\"{\", {1}))\") }", "f() }"), ("f(#\"\\(\"{\"#) }", "f() }"), ("\"\"\"\n{ \"quoted\"\n\"\"\" }", "\n\n }"),
        ("#if os(Linux)", "#if os(Linux)"), ("'{'", "'{'"),
    ])
    func keepsOnlyCode(source: String, code: String) {
        #expect(SwiftOutline(source).lines.joined(separator: "\n") == code)
    }

    @Test func measuresFromTheNameToTheClosingBrace() {
        let source = """
            struct A {
                var b: Int { 1 }

                func c(
                    _ d: Int
                ) -> Int {
                    if d > 0 {
                        return 1
                    }
                    return 2
                }
            }
            """
        #expect(SwiftOutline(source).functions == [.init(firstLine: 4, lineCount: 8)])
    }

    @Test(arguments: [
        "protocol A {\n    func b()\n}\nstruct C {\n}\n", "protocol A {\n    func b()\n    var c: Int { get }\n}\n",
        "func b()\nclass C {\n}\n", "func b()\nfinal class C {\n}\n",
    ])
    func aRequirementHasNoBody(source: String) {
        #expect(SwiftOutline(source).functions == [])
    }
}
