import Glibc
import Provisioning
import Support
import Testing

@Suite struct KeyFileTests {
    private let keys: KeyDirectory
    private static let digits = String(repeating: "0123456789abcdef", count: 4)

    init() throws {
        keys = try KeyDirectory()
    }

    @Test func theFirstOpeningMakesAFileForItsOwnerAlone() throws {
        let sealed = try keys.box().seal([1, 2, 3])
        var status = stat()
        #expect(stat(keys.path, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o600)
        let words = keys.text().split(whereSeparator: \.isWhitespace)
        #expect(words.count == 2 && words[0] == "1" && words[1].count == 64)
        #expect(keys.text().hasSuffix("\n"))
        #expect(keys.names() == ["secrets.key"])
        #expect(try keys.box().open(sealed) == [1, 2, 3])
    }

    @Test func aFileMadeAtOnceByManyIsOneFile() async throws {
        let path = keys.path
        let sealed = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<8 { group.addTask { try await onOwnThread { try KeyFile.open(path: path).seal([7]) } } }
            return try await group.reduce(into: [[UInt8]]()) { $0.append($1) }
        }
        let box = try keys.box()
        for one in sealed { #expect(try box.open(one) == [7]) }
        #expect(keys.text().split(separator: "\n").count == 1)
        #expect(keys.names() == ["secrets.key"])
    }

    @Test(arguments: [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666] as [mode_t])
    func aFileThatOthersMayTouchIsRefused(mode: mode_t) throws {
        try keys.write("1 \(Self.digits)\n", mode: mode)
        #expect(keys.complaint() == "the key file \(keys.path) can be read by others; run: chmod 600 \(keys.path)")
        #expect(keys.complaint { try KeyFile.rotate(path: $0) }.contains("chmod 600"))
    }

    @Test(arguments: [
        "1", "one HEX", "1 HEX more", "1 HE", "1 HEXHEX", "-1 HEX", "4294967296 HEX", "1 xyzw", "1 0x", "HEX",
        "1 " + String(repeating: "é", count: 32),
    ])
    func aMalformedLineIsNamedAndNotRepeated(line: String) throws {
        let text = line.replacing("HEX", with: Self.digits).replacing("HE", with: Self.digits.dropLast())
        try keys.write("7 \(Self.digits)\n\n\(text)\n")
        let complaint = keys.complaint()
        #expect(complaint == "the key file \(keys.path), line 3: expected a number and 64 hex digits")
        #expect(keys.complaint { try KeyFile.rotate(path: $0) } == complaint)
    }

    @Test func aNumberThatStandsTwiceIsRefused() throws {
        try keys.write("1 \(Self.digits)\n1 \(String(Self.digits.reversed()))\n")
        #expect(keys.complaint() == "the key file \(keys.path), line 2: key 1 stands there twice; remove the wrong one")
    }

    @Test(arguments: ["", "\n \n"]) func aFileWithoutAKeyIsRefusedByName(text: String) throws {
        try keys.write(text)
        #expect(keys.complaint().hasPrefix("the key file \(keys.path) holds no key"))
    }

    @Test func upperCaseWindowsLinesAndEmptyLinesAreTaken() throws {
        try keys.write("1 \(Self.digits)\n")
        let sealed = try keys.box().seal([5])
        try keys.write("\r\n1\t\(Self.digits.uppercased())\r\n\n")
        #expect(try keys.box().open(sealed) == [5])
    }

    @Test func rotationMindsALastLineWithoutItsEnd() throws {
        try keys.write("3 \(Self.digits)")
        let sealed = try keys.box().seal([5])
        #expect(try KeyFile.rotate(path: keys.path) == 4)
        #expect(try keys.box().open(sealed) == [5])
        #expect(keys.text().split(separator: "\n").map { $0.prefix(2) } == ["3 ", "4 "])
    }

    @Test func noNumberIsLeftAboveTheLast() throws {
        try keys.write("4294967295 \(Self.digits)\n")
        #expect(keys.complaint { try KeyFile.rotate(path: $0) }.contains("no number is left"))
        #expect(try keys.box().open(keys.box().seal([5])) == [5])
    }

    @Test func aMissingDirectoryIsNamed() {
        let complaint = keys.complaint { _ = try KeyFile.open(path: $0 + "/below/key") }
        #expect(complaint.hasPrefix("cannot write the key file \(keys.path)/below/key"))
        #expect(complaint.contains("No such file or directory"))
    }
}
