import Glibc
import Testing

@testable import RadiusCore

@Suite struct DictionaryIncludeTests {
    private let directory: DictionaryDirectory

    init() throws {
        directory = try DictionaryDirectory()
    }

    @Test func looksBesideTheIncludingFile() throws {
        #expect(mkdir(directory.file("vendors"), 0o755) == 0)
        try directory.write("vendors/all", "$include one\nATTRIBUTE Two 202 string\n")
        try directory.write("vendors/one", "ATTRIBUTE One 201 string\n")
        let dictionary = try directory.load("$INCLUDE vendors/all\n$INCLUDE \(directory.file("vendors/one"))\n")
        #expect(dictionary.attributes.map(\.name) == ["One", "Two"])
    }

    @Test func readsEachFileOnce() throws {
        try directory.write("one", "ATTRIBUTE One 201 string\n$INCLUDE dictionary\n")
        #expect(symlink("one", directory.file("link")) == 0)
        let dictionary = try directory.load("$INCLUDE one\n$INCLUDE ./one\n$INCLUDE link\nATTRIBUTE Two 202 string\n")
        #expect(dictionary.attributeCount == 2)
    }

    @Test func absentOptionalFileIsNoError() throws {
        #expect(try directory.load("$INCLUDE- nowhere\nATTRIBUTE A 200 string\n").attributeCount == 1)
        try directory.write("somewhere", "ATTRIBUTE B 201 string\n")
        #expect(try directory.load("$INCLUDE- somewhere\n").attributeCount == 1)
    }

    @Test func absentFileIsRefused() throws {
        let error = try #require(try directory.refusal(of: "\n$INCLUDE nowhere\n"))
        #expect(error.file == directory.file("dictionary"))
        #expect(error.line == 2)
        #expect(error.reason == "\(directory.file("nowhere")) cannot be opened: No such file or directory")
    }

    @Test func blockDoesNotReachIntoAnIncludedFile() throws {
        try directory.write("one", "ATTRIBUTE Standard 201 string\n")
        let dictionary = try directory.load(
            "VENDOR Cisco 9\nBEGIN-VENDOR Cisco\n$INCLUDE one\nATTRIBUTE Cisco-AVPair 1 string\nEND-VENDOR Cisco\n")
        #expect(dictionary.attribute(named: "Standard")?.path == AttributePath(numbers: [201]))
        #expect(dictionary.attribute(number: 1, vendor: 9)?.name == "Cisco-AVPair")
    }

    @Test func blockEndsWithItsFile() throws {
        try directory.write("one", "VENDOR Cisco 9\nBEGIN-VENDOR Cisco\nATTRIBUTE Cisco-AVPair 1 string\n")
        let dictionary = try directory.load("$INCLUDE one\nATTRIBUTE User-Name 1 string\n")
        #expect(dictionary.attribute(number: 1)?.name == "User-Name")
    }

    @Test func refusesTooDeepInclusion() throws {
        for depth in 1...DictionaryParser.deepestInclude {
            try directory.write("level\(depth)", "$INCLUDE level\(depth + 1)\n")
        }
        let error = try #require(try directory.refusal(of: "$INCLUDE level1\n"))
        #expect(error.file == directory.file("level\(DictionaryParser.deepestInclude - 1)"))
        #expect(error.reason.hasSuffix("32 files include one another here; that is the limit"))
    }

    @Test func refusesFileThatEverybodyMayWrite() throws {
        try directory.write("open", "ATTRIBUTE A 200 string\n", mode: 0o646)
        let error = try #require(try directory.refusal(of: "$INCLUDE open\n"))
        #expect(error.reason == "\(directory.file("open")) is writable by everybody; take that away with chmod o-w")
        #expect(
            throws: DictionaryError(
                file: directory.file("open"), line: 0, reason: "is writable by everybody; take that away with chmod o-w")
        ) {
            try RadiusDictionary.load(path: directory.file("open"))
        }
    }

    @Test func refusesWhatIsNoRegularFile() throws {
        #expect(mkfifo(directory.file("pipe"), 0o600) == 0)
        for name in ["pipe", ""] {
            #expect(throws: DictionaryError(file: directory.file(name), line: 0, reason: "is not a regular file")) {
                try RadiusDictionary.load(path: directory.file(name))
            }
        }
    }

    @Test func namesTheIncludedFileInItsErrors() throws {
        try directory.write("bad", "ATTRIBUTE A 200 string\nNONSENSE\n")
        let error = try #require(try directory.refusal(of: "ATTRIBUTE B 201 string\n$INCLUDE bad\n"))
        #expect(error.file == directory.file("bad"))
        #expect(error.line == 2)
        #expect(error.description == "\(directory.file("bad")):2: NONSENSE is no keyword of a dictionary")
    }
}
