import Testing

@testable import lastmile

@Suite struct CSVSheetTests {
    private func faults(_ text: String) -> [String] { CSVSheet(Array(text.utf8)).faults.map(\.text) }

    @Test func takesAGoodFile() {
        let sheet = CSVSheet(Array("\u{feff}username,password,profile\r\nalice,\"a,\"\"b\",home50\r\n\r\n\"bob\nx\",b,home50".utf8))
        #expect(sheet.faults.isEmpty)
        #expect(sheet.rows == 2)
    }

    @Test func namesBothLinesOfADuplicate() {
        #expect(
            faults("username,password\na,1\n\"b\nc\",2\na,3\na,4\n") == [
                "line 5, username: “a” stands on line 2 already", "line 6, username: “a” stands on line 2 already",
            ])
    }

    @Test func checksTheHeader() {
        #expect(faults("").first?.contains("the file is empty") == true)
        #expect(faults("username,profil\n") == ["line 1, profil: there is no such column; did you mean profile?"])
        #expect(faults("password\nx\n") == ["line 1, username: the column is missing; the first line names the columns"])
        #expect(faults("username,username\n") == ["line 1, username: the column stands here a second time"])
        #expect(faults("username\n") == ["line 1: no subscriber follows the first line"])
    }

    @Test func countsCells() {
        #expect(
            faults("username,password\na\nb,c,d\n") == [
                "line 2: 1 cell, but the first line names 2 columns", "line 3: 3 cells, but the first line names 2 columns",
            ])
    }

    @Test func refusesBrokenQuotes() {
        #expect(faults("username,password\n\"a\"b,c\nd,e\n") == ["line 2: text follows a closing quote"])
        #expect(faults("username,password\nx,\"a\nb\n") == ["line 2: a quote is opened on line 2 and never closed"])
    }

    @Test func refusesOtherEncodings() {
        let sheet = CSVSheet(Array("username,password\n".utf8) + [0xfc, 0x2c, 0x78, 0x0a] + Array("b,\0\n,c\n".utf8))
        #expect(
            sheet.faults.map(\.text) == [
                "line 2, username: not UTF-8; save the file as UTF-8", "line 3, password: a NUL character", "line 4, username: it is empty",
            ])
    }

    @Test func aConflictIsOnlyWhatExistsAlready() throws {
        let taken = try JSONReader.parse(#"[{"line":2,"column":"username","code":"unique","detail":"x"}]"#).elements
        let other = try JSONReader.parse(#"[{"line":3,"column":"vlan","code":"range","detail":"x"}]"#).elements
        #expect(ImportCommand.status(taken) == .conflict)
        #expect(ImportCommand.status(taken + other) == .failed)
    }

    @Test func aRehearsalDoesNotAskForAFileOfTheRefusedLinesAlone() throws {
        let answer = try JSONReader.parse(
            #"{"imported":1,"refused":1,"errors":[{"line":3,"column":"vlan","code":"range","detail":"x"}]}"#)
        let rehearsed = try #require(ImportCommand.failure(answer, isRehearsal: true))
        #expect(rehearsed.message == "1 line would be refused" && rehearsed.details == ["line 3, vlan: x"])
        #expect(rehearsed.next == "Nothing was stored. Mend them, or leave --dry-run out to store the others.")
        let stored = try #require(ImportCommand.failure(answer, isRehearsal: false))
        #expect(stored.message == "1 line was refused" && stored.next == "Mend them and import a file of only those lines.")
        let good = try JSONReader.parse(#"{"imported":1,"refused":0,"errors":[]}"#)
        #expect(ImportCommand.failure(good, isRehearsal: false) == nil)
    }
}
