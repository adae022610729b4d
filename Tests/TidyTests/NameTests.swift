import Testing

@Suite struct NameTests {
    private static let empty = ["Util", "Utils", "Helper", "Helpers", "Manager", "Base", "Misc", "Common", "New"]

    @Test func filesAreNamedAfterWhatTheyHold() {
        #expect(SourceTree.checkout.files.filter(Self.saysNothing).map(\.path) == [])
    }

    @Test(arguments: ["Sources/A/SessionManager.swift", "Sources/A/Utils.swift", "Sources/A/StringHelpers.swift", "Sources/A/A+Misc.swift"])
    func refuses(path: String) {
        #expect(Self.saysNothing(TextFile(path: path, text: "")))
    }

    @Test(arguments: ["Sources/A/Database.swift", "Sources/A/Renew.swift", "Sources/A/NASManagerAddress.swift", "scripts/utils"])
    func allows(path: String) {
        #expect(!Self.saysNothing(TextFile(path: path, text: "")))
    }

    private static func saysNothing(_ file: TextFile) -> Bool {
        guard file.isSwift else { return false }
        let stem = file.name.dropLast(".swift".count)
        return empty.contains { stem.hasSuffix($0) }
    }
}
