import FreeRADIUSImport
import Testing

@Suite struct DumpReaderTests {
    private struct Found: Equatable {
        let table: String
        let columns: [String]
        let cells: [SQLCell]
        let line: Int
    }

    private static func read(_ text: String, _ dialect: SQLDialect, block: Int = 7) throws -> [Found] {
        try read(Array(text.utf8), dialect, block: block)
    }

    /// Reads in blocks of a few octets, so that everything crosses their borders.
    private static func read(_ octets: [UInt8], _ dialect: SQLDialect, block: Int = 7) throws -> [Found] {
        var rest = octets[...]
        let input = OctetReader {
            defer { rest = rest.dropFirst(block) }
            return Array(rest.prefix(block))
        }
        var reader = DumpReader(input, dialect: dialect, tables: TableRows.tables)
        var found: [Found] = []
        try reader.read { found.append(Found(table: $0, columns: $1, cells: $2, line: $3)) }
        return found
    }

    private static let columns = ["id", "username", "attribute", "op", "value"]

    private static let mysql = #"""
        -- MySQL dump 10.13  Distrib 8.0.36
        /*!40101 SET NAMES utf8mb4 */;
        DROP TABLE IF EXISTS `radcheck`;
        CREATE TABLE `radcheck` (
          `id` int unsigned NOT NULL AUTO_INCREMENT,
          `username` varchar(64) NOT NULL DEFAULT 'a);b' COMMENT 'it''s; \' fine',
          `attribute` varchar(64) DEFAULT '',
          `op` char(2) NOT NULL DEFAULT '==',
          `value` varchar(253) NOT NULL,
          PRIMARY KEY (`id`), KEY `username` (`username`(32))
        ) ENGINE=InnoDB;
        LOCK TABLES `radcheck` WRITE;
        INSERT INTO `radcheck` VALUES (1,'alice','Cleartext-Password',':=','it''s \'x\', (y); z'),(2,'b\\ob','NT-Password',':=',0x4142),
        (3,_binary 'c','X',':=',NULL),(-4,"q",'n\n',':=',X'c3a9');
        UNLOCK TABLES;
        INSERT INTO `radius`.`radreply` (`username`, `id`) VALUES ('x',1);
        INSERT IGNORE INTO other VALUES (1,'INSERT INTO radcheck VALUES (9)');
        """#

    @Test func readsMySQLRowsWithEscapesAndOctets() throws {
        let found = try Self.read(Self.mysql, .mysql)
        #expect(found.map(\.table) == ["radcheck", "radcheck", "radcheck", "radcheck", "radreply"])
        #expect(found[0].columns == Self.columns)
        #expect(found[0].cells == [.text("1"), .text("alice"), .text("Cleartext-Password"), .text(":="), .text("it's 'x', (y); z")])
        #expect(found[1].cells[1] == .text("b\\ob"))
        #expect(found[1].cells[4] == .text("AB"))
        #expect(found[2].cells[1] == .text("c"))
        #expect(found[2].cells[4] == .null)
        #expect(found[3].cells == [.text("-4"), .text("q"), .text("n\n"), .text(":="), .text("é")])
        #expect(found.map(\.line) == [13, 13, 14, 14, 16])
        #expect(found[4].columns == ["username", "id"])
    }

    @Test(arguments: 1...40) func blocksOfAnySizeGiveTheSame(size: Int) throws {
        #expect(try Self.read(Self.mysql, .mysql, block: size) == Self.read(Self.mysql, .mysql, block: 1 << 20))
    }

    @Test func readsPostgreSQLCopyAndInserts() throws {
        let text = #"""
            --
            -- PostgreSQL database dump
            --
            \restrict abc
            SET standard_conforming_strings = on;
            CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $_$ SELECT 'INSERT INTO radcheck VALUES (1);' $_$;
            CREATE TABLE public.radreply (
                id integer NOT NULL,
                username text DEFAULT ''::text NOT NULL,
                "Attribute" text,
                op character varying(2) DEFAULT '='::character varying NOT NULL,
                value text,
                CONSTRAINT c CHECK ((op <> ')'::text))
            );
            COPY public.radcheck (id, username, attribute, op, value) FROM stdin;
            1→alice→Cleartext-Password→:=→tab\there\\ \x41\101
            2→bob→NT-Password→:=→\N
            \.
            INSERT INTO public.radreply VALUES (7, 'c:\dir', 'Framed-Route', '+=', E'a\'b');
            """#
        let found = try Self.read(text.replacing("→", with: "\t"), .postgresql)
        #expect(found.count == 3)
        #expect(found[0].cells == [.text("1"), .text("alice"), .text("Cleartext-Password"), .text(":="), .text("tab\there\\ AA")])
        #expect(found[1].cells[4] == .null)
        #expect(found[1].line == 17)
        #expect(found[2].columns == Self.columns)
        #expect(found[2].cells == [.text("7"), .text("c:\\dir"), .text("Framed-Route"), .text("+="), .text("a'b")])
    }

    @Test func readsSQLite() throws {
        let text = "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nINSERT INTO radcheck VALUES(1,'a\\','X',':=','it''s');\nCOMMIT;\n"
        #expect(try Self.read(text, .sqlite).map(\.cells) == [[.text("1"), .text("a\\"), .text("X"), .text(":="), .text("it's")]])
    }

    @Test func tellsDialects() {
        #expect(SQLDialect.detect("-- MariaDB dump 10.19".utf8) == .mysql)
        #expect(SQLDialect.detect("INSERT INTO `nas` VALUES".utf8) == .mysql)
        #expect(SQLDialect.detect("--\n-- PostgreSQL database dump\n".utf8) == .postgresql)
        #expect(SQLDialect.detect("PRAGMA foreign_keys=OFF;".utf8) == .sqlite)
        #expect(SQLDialect.detect("INSERT INTO nas VALUES (1)".utf8) == nil)
    }

    /// A password that looks like another tool's header, and with a backslash would end its string early.
    @Test(arguments: [
        ("--\n-- PostgreSQL database dump\n--\nSET standard_conforming_strings = on;\n", SQLDialect.postgresql),
        ("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE radcheck (id integer);\n", .sqlite),
    ]) func aPasswordDoesNotSteerTheDialect(header: String, expected: SQLDialect) throws {
        let password = "`\n-- MySQL dump\n/*!40101 \\''),(2,''root'',''Cleartext-Password'','':='',''x''); "
        let rows = "INSERT INTO radcheck (id, username, attribute, op, value) VALUES (1,'eve','Cleartext-Password',':=','\(password)');\n"
        let dump = header + rows
        let dialect = try #require(SQLDialect.detect(dump.utf8))
        #expect(dialect == expected)
        let found = try Self.read(dump, dialect)
        #expect(found.map { $0.cells[1] } == [.text("eve")])
        #expect(found.first?.cells[4] == .text(password.replacing("''", with: "'")))
    }

    @Test func rowsWithoutAHeaderSayNothing() {
        #expect(SQLDialect.detect("INSERT INTO radcheck VALUES (1,'`','\n-- MySQL dump\n');".utf8) == nil)
        #expect(SQLDialect.detect("INSERT INTO radcheck VALUES (1,'x');\n/*!40101 */\nPRAGMA x;".utf8) == nil)
    }

    @Test(arguments: [
        ("INSERT INTO radcheck VALUES (1,'a", "line 1: a quote is opened here and never closed"),
        ("\n/* x", "line 2: a comment is opened here and never closed"),
        ("INSERT INTO radcheck VALUES (1,'a'", "line 1: a row of radcheck is not closed where it should be"),
        ("INSERT INTO radcheck SELECT * FROM x;", "line 1: INSERT INTO radcheck is not followed by VALUES; only rows can be read"),
        ("INSERT INTO radcheck VALUES (1,concat('a'));", "line 1: “concat” is no value that a dump has"),
        ("COPY radcheck (id) FROM stdin;\n1\n", "line 3: COPY radcheck ends without \\."),
        ("INSERT INTO radcheck VALUES (1);\nI", "line 2: the dump ends inside of a statement"),
        ("INSERT INTO radcheck VALUES (1)", "line 1: the dump ends inside of a statement"),
    ]) func refusesWhatIsNoDump(text: String, reason: String) {
        let fault = #expect(throws: SourceFault.self) { try Self.read(text, .postgresql) }
        #expect(fault?.description == reason)
    }

    private static let wholeDumps: [(SQLDialect, String)] = [
        (.mysql, mysql + "\n/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;\n\n-- Dump completed"),
        (
            .postgresql,
            """
            --
            -- PostgreSQL database dump
            --
            \\restrict abc
            CREATE TABLE public.radcheck (id integer, username text);
            COPY public.radcheck (id, username) FROM stdin;
            1\talice
            2\t-- PostgreSQL database dump complete
            \\.
            INSERT INTO radreply (id, username) VALUES (1, 'a
            -- PostgreSQL database dump complete
            ');
            --
            -- PostgreSQL database dump complete
            """
        ),
        (.sqlite, "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nINSERT INTO radcheck VALUES(1,'COMMIT;');\nCOMMIT;"),
    ]

    /// Wherever a dump is cut, also between two statements, it is told: by a fault, or since its tool's end is missing.
    @Test(arguments: wholeDumps) func tellsADumpThatWasCutAnywhere(dialect: SQLDialect, dump: String) throws {
        func hasEnd(_ text: Substring) throws -> Bool {
            var reader = DumpReader(OctetReader(String(text)), dialect: dialect, tables: TableRows.tables)
            try reader.read { _, _, _, _ in }
            return reader.hasEnd
        }
        #expect(try hasEnd(dump[...]))
        #expect(try hasEnd((dump + "\n\n")[...]))
        #expect(try !hasEnd((dump + "\nSELECT 1;")[...]))
        for count in 0..<dump.count {
            do { #expect(try !hasEnd(dump.prefix(count)), "cut behind \(count)") } catch is SourceFault {}
        }
    }

    @Test func knowsTheTablesOfADump() throws {
        let text = """
            CREATE TABLE radcheck (id integer);
            CREATE TABLE other (id integer);
            INSERT INTO radreply VALUES (1);
            COPY public.radusergroup (username) FROM stdin;
            \\.
            COPY public.other (id) FROM stdin;
            1
            \\.

            """
        var reader = DumpReader(OctetReader(text), dialect: .postgresql, tables: TableRows.tables)
        try reader.read { _, _, _, _ in }
        #expect(reader.tables == ["radcheck", "radreply", "radusergroup"])
        var source = FreeRADIUSSource()
        #expect(source.missingTables == [])
        source.tables = ["nas", "radacct"]
        #expect(source.missingTables == [])
        source.tables = reader.tables
        #expect(source.missingTables == ["radgroupcheck", "radgroupreply"])
        source.tables = ["radcheck", "radreply", "radgroupcheck", "radgroupreply", "usergroup"]
        #expect(source.missingTables == [])
    }

    @Test func keepsOctetsThatAreNoText() throws {
        let octets = Array("INSERT INTO radcheck VALUES (1,'".utf8) + [0xFF, 0xFE] + Array("');".utf8)
        #expect(try Self.read(octets, .mysql).first?.cells == [.text("1"), .octets([0xFF, 0xFE])])
    }

    /// Whatever is done to a dump, reading it ends, with rows or with a fault that names a line.
    @Test func mutilatedDumpsEndInFaultsOrRows() {
        var generator = SplitMix(state: 59)
        let seed = Array(Self.mysql.utf8)
        var faults = 0
        for _ in 0..<3000 {
            var octets = seed
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let position = Int.random(in: 0..<octets.count, using: &generator)
                switch Int.random(in: 0...3, using: &generator) {
                case 0: octets[position] = UInt8.random(in: 0...255, using: &generator)
                case 1: octets.removeSubrange(position..<min(octets.count, position + Int.random(in: 1...40, using: &generator)))
                case 2: octets.insert(contentsOf: Array("'`(;\\$/*".utf8).shuffled(using: &generator).prefix(2), at: position)
                default: octets.removeLast(min(octets.count - 1, Int.random(in: 0...200, using: &generator)))
                }
            }
            for dialect in SQLDialect.allCases {
                do { _ = try Self.read(octets, dialect, block: 64) } catch let fault as SourceFault {
                    faults += 1
                    #expect(fault.line >= 1)
                } catch {
                    Issue.record("\(error)")
                }
            }
        }
        #expect(faults > 100)
    }

    @Test func longRowsAndValuesAreRefused() {
        let wide = "INSERT INTO radcheck VALUES (" + Array(repeating: "1", count: 300).joined(separator: ",") + ");"
        #expect(throws: SourceFault(line: 1, "a row has more than 200 values")) { try Self.read(wide, .mysql, block: 4096) }
        let long = "INSERT INTO radcheck VALUES ('" + String(repeating: "x", count: 1_100_000) + "');"
        #expect(throws: SourceFault(line: 1, "a value has more than 1048576 octets")) { try Self.read(long, .mysql, block: 1 << 16) }
    }
}

/// The same numbers in each run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
