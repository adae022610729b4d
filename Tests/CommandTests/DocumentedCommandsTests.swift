import FoundationEssentials
import Support
import Testing

@testable import lastmile

/// What the documents tell to type is there to be typed.
@Suite struct DocumentedCommandsTests {
    /// The words of each command in `text`: of code between backticks, and of lines of code; without `lastmile` in front when the first
    /// word is a noun.
    private static func commands(in text: String) -> [[String]] {
        var commands: [[String]] = []
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            let spans = parts.filter { $0.offset % 2 == 1 }.map { $0.element }
            for code in [line] + spans {
                let words = code.split(separator: " ").map(String.init)
                if words.first == "lastmile" {
                    commands.append(Array(words.dropFirst().prefix(2)))
                } else if code.endIndex != line.endIndex, words.count > 1, Noun.all.contains(where: { $0.name == words[0] }) {
                    commands.append(Array(words.prefix(2)))
                }
            }
        }
        return commands.map { Array($0.prefix { word in word.allSatisfy { $0.isLowercase || $0 == "-" } && !word.hasPrefix("-") }) }
    }

    @Test func everyCommandOfTheDocumentsIsThere() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Shipped.root + "/docs").filter { $0.hasSuffix(".md") }
        let files = ["README.md"] + names.sorted().map { "docs/" + $0 }
        let commands = files.flatMap { file in
            Self.commands(in: TextFile.read(Shipped.root + "/" + file)).map { (file: file, words: $0) }
        }
        #expect(commands.count > 100)
        for command in commands {
            do {
                try Lastmile.checkWords(command.words)
            } catch {
                Issue.record("\(command.file): lastmile \(command.words.joined(separator: " ")): \(error.message)")
            }
        }
    }

    @Test func findsCommandsInTextAndInCode() {
        let text =
            "See `session show` and `lastmile nas list -o csv`, `lastmile NOUN`.\nlastmile realm match alice\nsession show\n`fair use`"
        #expect(Self.commands(in: text) == [["session", "show"], ["nas", "list"], [], ["realm", "match"]])
        #expect(throws: CommandFailure.self) { try Lastmile.checkWords(["session", "show"]) }
        #expect(throws: CommandFailure.self) { try Lastmile.checkWords(["show"]) }
    }
}
