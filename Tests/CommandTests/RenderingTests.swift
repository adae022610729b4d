import Testing

@testable import lastmile

@Suite struct RenderingTests {
    private let records: [JSONValue]
    private let columns = [Column("name"), Column("download", .rate), Column("session_timeout", .seconds)]

    init() throws {
        records = try JSONReader.parse(
            """
            [{"name":"home50","download":50000000,"session_timeout":null},
             {"name":"a, \\"b\\"\\u001b[31m","download":0,"session_timeout":7500}]
            """
        ).elements
    }

    private func text(_ format: OutputFormat, pretty: Bool = false, colour: Bool = false, header: Bool = true) -> String {
        Rendering(format: format, isPretty: pretty, hasColour: colour, hasHeader: header).list(records, columns: columns)
    }

    @Test func alignsATableOnATerminal() {
        let lines = text(.table, pretty: true).split(separator: "\n")
        #expect(lines[0] == "NAME            DOWNLOAD  SESSION_TIMEOUT")
        #expect(lines[1] == "home50               50M" + String(repeating: " ", count: 17))
        #expect(lines[2] == #"a, "b"\x1b[31m  no limit            2h 5m"#)
        #expect(lines.count == 3)
    }

    @Test func separatesByTabsInAPipe() {
        #expect(text(.table) == "name\tdownload\tsession_timeout\nhome50\t50000000\t\na, \"b\"\\x1b[31m\t0\t7500\n")
        #expect(text(.table, header: false).hasPrefix("home50\t"))
    }

    @Test func whatIsGoneIsNamedByItsID() throws {
        let record = try JSONReader.parse(
            #"{"nas":null,"nas_id":39,"profile":null,"profile_id":null,"home_server":"a","home_server_id":7}"#)
        let cells = [Column("nas"), Column("profile"), Column("home_server")].map { $0.plain(record) }
        #expect(cells == ["id:39", "", "a"])
    }

    @Test func coloursOnlyTheHeader() {
        let lines = text(.table, pretty: true, colour: true).split(separator: "\n")
        #expect(lines[0].hasPrefix("\u{1b}[1mNAME"))
        #expect(!lines[1].contains("\u{1b}"))
        #expect(!lines[2].contains("\u{1b}"))
    }

    @Test func quotesCSV() {
        #expect(text(.csv) == "name,download,session_timeout\nhome50,50000000,\n\"a, \"\"b\"\"\u{1b}[31m\",0,7500\n")
    }

    @Test func quotesYAMLThatAReaderWouldMistake() throws {
        let value = try JSONReader.parse(
            "{\"plain\":\"core1\",\"word\":\"no\",\"number\":\"1e3\",\"colon\":\"a: b\",\"empty\":\"\",\"list\":[{\"name\":\"x\",\"value\":1}],\"none\":[]}"
        )
        #expect(
            YAMLText.document(value) == """
                plain: core1
                word: "no"
                number: "1e3"
                colon: "a: b"
                empty: ""
                list:
                  - name: x
                    value: 1
                none: []

                """)
    }

    @Test func printsOneRecordAMemberALine() throws {
        let record = try JSONReader.parse("{\"name\":\"home50\",\"download\":1500000,\"filters\":[\"a\",\"b\"]}")
        let rendering = Rendering(format: .table, isPretty: true, hasColour: false)
        #expect(rendering.record(record, columns: columns) == "name      home50\ndownload  1500k\nfilters   a, b\n")
    }

    @Test func showsQuantitiesWithUnits() {
        #expect(Quantity.octets(12_585_600_000) == "12.5 GB")
        #expect(Quantity.octets(999) == "999 B")
        #expect(Quantity.rate(1_234_567) == "1234567")
        #expect(Quantity.rate(1_500_000_000) == "1500M")
        #expect(Quantity.seconds(90_061) == "1d 1h")
        #expect(Quantity.seconds(0) == "0s")
    }

    @Test func progressIsABarOnATerminalAndLinesElsewhere() {
        for (isTerminal, expected) in [(true, ["\rx [...............", "\n"]), (false, ["x 0%\n", "x 100%\n"])] {
            var written: [String] = []
            var line = ProgressLine("x", isTerminal: isTerminal) { written.append($0) }
            for done in [0, 0, 100] { line.update(done, of: 100) }
            line.abandon()
            #expect(written.first?.hasPrefix(expected[0]) == true)
            #expect(written.last == expected[1])
            #expect(written.count == (isTerminal ? 3 : 2))
        }
    }
}
