import Testing

@Suite struct ImportTests {
    @Test func layersImportOnlyDownwards() {
        #expect(SourceTree.checkout.files.flatMap(ImportRule.violations) == [])
    }

    @Test(arguments: [
        ("Sources/RadiusCore/Wire/A.swift", "import Foundation"), ("Sources/RadiusCore/Wire/A.swift", "internal import Logging"),
        ("Sources/RadiusCore/Wire/A.swift", "@preconcurrency import struct FoundationEssentials.Data"),
        ("Sources/Database/A.swift", "import RadiusCore"), ("Sources/Provisioning/A.swift", "import CPostgres"),
        ("Sources/Admin/AAA/A.swift", "public import CLinux"), ("Sources/Admin/A.swift", "import lastmiled"),
        ("Sources/lastmile/A.swift", "import Database"), ("Tests/AdminTests/A.swift", "import Foundation"),
    ])
    func refuses(path: String, line: String) {
        #expect(ImportRule.violations(in: TextFile(path: path, text: "// A\n\(line)\n")).count == 1)
    }

    @Test(arguments: [
        ("Sources/RadiusCore/Wire/A.swift", "internal import CLinux"), ("Sources/Admin/A.swift", "import Hummingbird"),
        ("Sources/Database/A.swift", "public import struct Logging.Logger"), ("Sources/lastmiled/A.swift", "import Admin"),
        ("Sources/Admin/A.swift", "/// see import Foundation"), ("README.md", "import Foundation"),
    ])
    func allows(path: String, line: String) {
        #expect(ImportRule.violations(in: TextFile(path: path, text: line)) == [])
    }
}
