import Testing

@Suite struct DocumentTests {
    private static let files = SourceTree.checkout.files

    @Test func theReadMeHasItsSections() throws {
        let file = try #require(Self.files.first { $0.path == "README.md" })
        #expect(DocumentRule.headings(of: file) == DocumentRule.readme)
    }

    @Test func everyDomainHasItsSections() {
        #expect(DocumentRule.domainsWithoutSections(in: Self.files) == [])
    }

    @Test func dictionariesHoldNoProse() {
        #expect(Self.files.flatMap(DocumentRule.prose) == [])
    }

    @Test func migrationsAreNumberedWithoutGaps() {
        #expect(DocumentRule.misnumberedMigrations(in: Self.files) == [])
    }

    @Test func everyTargetOfTheMakefileIsExplained() throws {
        let file = try #require(Self.files.first { $0.path == "Makefile" })
        for target in ["run", "test", "build", "lint", "fmt", "bench", "counts", "fuzz", "e2e", "soak", "clean"] {
            #expect(file.lines.contains { $0.hasPrefix(target + ":") && $0.contains("## ") }, "\(target)")
        }
    }

    @Test func headingsInCodeDoNotCount() {
        let file = TextFile(path: "A.md", text: "# A\n## B\n```\n## C\n```\n### D\n## E\n")
        #expect(DocumentRule.headings(of: file) == ["B", "E"])
    }

    @Test func refusesADomainWithoutReadMeOrSections() {
        let bare = TextFile(path: "Sources/Admin/AAA/Card.swift", text: "\n")
        #expect(DocumentRule.domainsWithoutSections(in: [bare]) == ["Sources/Admin/AAA/README.md: is missing"])
        let wrong = TextFile(path: "Sources/Admin/AAA/README.md", text: "# AAA\n## What\n## Rules\n## Resources\n## Settings\n")
        #expect(DocumentRule.domainsWithoutSections(in: [bare, wrong]).count == 1)
        let right = TextFile(path: "Sources/Admin/AAA/README.md", text: "# AAA\n## What\n## Resources\n## Rules\n## Settings\n")
        let kernel = TextFile(path: "Sources/Admin/Kernel/Resource.swift", text: "\n")
        #expect(DocumentRule.domainsWithoutSections(in: [bare, right, kernel]) == [])
    }

    @Test func refusesProseInADictionary() {
        let file = TextFile(path: "dictionaries/dictionary.a", text: "# A, 1\nVENDOR A 1\n# more\nATTRIBUTE A 1 string # why\n")
        #expect(DocumentRule.prose(in: file).count == 2)
        #expect(DocumentRule.prose(in: TextFile(path: "dictionaries/dictionary.a", text: "# A, 1\nVENDOR A 1\n")) == [])
    }

    @Test(arguments: [
        ["0001_a.sql", "0003_b.sql"], ["0002_a.sql"], ["1_a.sql"], ["0001_a.sql", "0001_b.sql"], ["0001_a.txt"], ["0001_.sql"],
    ])
    func refusesMigrationNumbers(names: [String]) {
        let files = names.map { TextFile(path: "Sources/Database/Migrations/\($0)", text: "") }
        #expect(DocumentRule.misnumberedMigrations(in: files).count == 1)
    }
}
