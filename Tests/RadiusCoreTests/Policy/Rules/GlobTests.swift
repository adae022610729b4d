import Glibc
import Testing

@testable import RadiusCore

@Suite struct GlobTests {
    /// The C library's own matching, where both know the same signs.
    @Test func matchesAsTheCLibraryDoes() throws {
        let patterns = [
            "", "*", "a", "a*", "*a", "*a*", "a*b", "?", "??", "a?c", "a*b*c", "**", "*?", "[abc]", "[a-c]x", "[!a-c]*", "a\\*", "\\[a]",
            "*[bc]*a",
        ]
        var texts = [""]
        for length in 1...4 {
            texts += texts.filter { $0.utf8.count == length - 1 }.flatMap { text in ["a", "b", "c", "x", "*"].map { text + $0 } }
        }
        for pattern in patterns {
            let glob = try Glob(pattern)
            for text in texts {
                #expect(glob.matches(Array(text.utf8)) == (fnmatch(pattern, text, 0) == 0), "\(pattern) \(text)")
            }
        }
    }

    /// The same on the packet path, with texts above and below eight octets.
    @Test(arguments: ["", "0", "00:53:0", "00:53:00:12", "00:53:00:12:34:56", "00:53:00:12:34:57", "11:53:00:12:34:56"])
    func compiledPatternsMatchLikewise(text: String) throws {
        for pattern in ["*", "00*", "00:53:00:12:34:*", "00:53:00:12:34:56", "*56", "00:53*6", "?0:53:00:*", "[01]*", "0*:5*"] {
            let request = text.isEmpty ? [] : [("Calling-Station-Id", text)]
            let holds = try RuleDesk.holds("Calling-Station-Id matches \"\(pattern)\"", request)
            #expect(holds == (!text.isEmpty && fnmatch(pattern, text, 0) == 0), "\(pattern)")
        }
    }

    @Test(arguments: ["[", "[]", "[a", "a\\", "[b-a]", String(repeating: "?", count: 64)])
    func refusesWhatIsNoPattern(pattern: String) {
        #expect(throws: RuleFault.self) { try Glob(pattern) }
    }

    @Test func takesSixtyThreeSigns() throws {
        let pattern = "*" + String(repeating: "a", count: 63) + "*"
        let glob = try Glob(pattern)
        #expect(glob.matches(Array("b".utf8) + [UInt8](repeating: UInt8(ascii: "a"), count: 63)))
        #expect(!glob.matches([UInt8](repeating: UInt8(ascii: "a"), count: 62)))
    }
}
