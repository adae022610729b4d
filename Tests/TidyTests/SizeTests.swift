import Testing

@Suite struct SizeTests {
    private static let files = SourceTree.checkout.files

    @Test func filesAreShort() {
        #expect(SizeRule.longFiles(in: Self.files) == [])
    }

    @Test func functionsAreShort() {
        #expect(Self.files.flatMap(SizeRule.longFunctions) == [])
    }

    @Test func foldersAreSmall() {
        #expect(SizeRule.fullFolders(in: Self.files) == [])
    }

    @Test func refusesALongFile() {
        let long = TextFile(path: "Sources/A/B.swift", text: String(repeating: "\n", count: 401))
        let enough = TextFile(path: "Sources/A/B.swift", text: String(repeating: "\n", count: 400))
        #expect(SizeRule.longFiles(in: [long]) == ["Sources/A/B.swift: 401 lines, allowed 400"])
        #expect(SizeRule.longFiles(in: [enough]) == [])
    }

    @Test(arguments: ["func a() {", "    private static func a(_ b: Int)\n    {", "public init?(a: Int) {", "subscript(a: Int) -> Int {"])
    func refusesALongFunction(head: String) {
        let heads = head.split(separator: "\n").count
        let text = "struct A {\n" + head + "\n" + String(repeating: "x()\n", count: 70 - heads) + "}\n}\n"
        #expect(SizeRule.longFunctions(in: TextFile(path: "A.swift", text: text)).count == 1)
        let shorter = "struct A {\n" + head + "\n" + String(repeating: "x()\n", count: 69 - heads) + "}\n}\n"
        #expect(SizeRule.longFunctions(in: TextFile(path: "A.swift", text: shorter)) == [])
    }

    @Test func refusesAFullFolder() {
        let files = (1...21).map { TextFile(path: "Sources/A/F\($0).swift", text: "") }
        #expect(SizeRule.fullFolders(in: files) == ["Sources/A: 21 Swift files, allowed 20"])
        #expect(SizeRule.fullFolders(in: Array(files.dropLast())) == [])
    }
}
