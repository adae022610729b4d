import Database
import Support
import Testing

@Suite struct CopyTests {
    private static let create = """
        CREATE TEMPORARY TABLE usage (
            id bigint, small smallint, plain int, name text, raw bytea, at timestamptz, open boolean, address inet, rate float8,
            extra jsonb, key uuid, net cidr)
        """

    private static func write(_ number: Int, to writer: inout CopyWriter) throws {
        let address: [UInt8] = [10, UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255)]
        try writer.row(columns: 12)
        try writer.int8(Int64(number))
        try writer.int2(Int16(number % 1000))
        try writer.int4(Int32(number))
        try writer.text("name \(number)")
        if number % 2 == 0 { try writer.bytes(address) } else { try writer.null() }
        try writer.timestamp(microsecondsSinceUnixEpoch: Int64(number) * 1_000_000)
        try writer.bool(number % 3 == 0)
        try address.withUnsafeBytes { try writer.inet($0) }
        try writer.float8(Double(number) / 4)
        try writer.jsonb(#"{"n": \#(number)}"#)
        try ([UInt8](repeating: 0, count: 12) + address).withUnsafeBytes { try writer.uuid($0) }
        try address.withUnsafeBytes { try writer.inet($0, prefixLength: 32, isCIDR: true) }
    }

    @Test func movesAHundredThousandRowsBothWays() async throws {
        let rows = 100_000
        try await withConnection(try await PostgresFixture.shared()) { connection in
            try connection.script(Self.create)
            let stored = try connection.copyIn("COPY usage FROM STDIN (FORMAT binary)") { writer in
                for number in 0..<rows { try Self.write(number, to: &writer) }
            }
            #expect(stored == rows)
            let row = try #require(
                try connection.queryOne(
                    """
                    SELECT count(*), sum(id), count(raw), count(*) FILTER (WHERE open), count(*) FILTER (
                        WHERE name = 'name ' || id AND at = to_timestamp(id) AND plain = id AND small = id % 1000 AND rate = id / 4.0
                        AND address = '10.0.0.0'::inet + id AND extra ->> 'n' = id::text AND net = set_masklen(address, 32)::cidr
                        AND key::text LIKE '00000000-0000-0000-0000-00000a%') FROM usage
                    """))
            #expect(try (0...4).map { try row.int($0) } == [rows, 4_999_950_000, rows / 2, 33_334, rows])

            var seen = 0
            try connection.copyRows("COPY (SELECT * FROM usage ORDER BY id) TO STDOUT (FORMAT binary)") { row in
                let number = try row.int64(0)
                let address = try row.inet(7)
                let isRight =
                    try row.columnCount == 12 && number == seen && row.string(3) == "name \(seen)" && row.isNull(4) == (seen % 2 != 0)
                    && row.timestamp(5) == number * 1_000_000 && row.bool(6) == (seen % 3 == 0) && row.double(8) == Double(seen) / 4
                    && address.prefixLength == 32 && address.address[3] == UInt8(seen & 255) && row.int16(1) == Int16(seen % 1000)
                if isRight { seen += 1 }
            }
            #expect(seen == rows)
        }
    }

    @Test func carriesFieldsLargerThanItsBuffer() async throws {
        try await withConnection(try await PostgresFixture.shared()) { connection in
            try connection.script("CREATE TEMPORARY TABLE large (raw bytea)")
            let sizes = [0, 1, 65_500, 65_536, 3_000_000]
            try connection.copyIn("COPY large FROM STDIN (FORMAT binary)") { writer in
                for size in sizes {
                    try writer.row(columns: 1)
                    try writer.bytes([UInt8](repeating: 7, count: size))
                }
            }
            #expect(try connection.queryAll("SELECT length(raw) FROM large ORDER BY 1") { try $0.int(0) } == sizes)
            var read: [Int] = []
            try connection.copyRows("COPY large TO STDOUT (FORMAT binary)") { read.append(try $0.bytes(0).count) }
            #expect(read == sizes)
        }
    }

    @Test func writesArraysWithNullsAndWithoutElements() async throws {
        try await withConnection(try await PostgresFixture.shared()) { connection in
            try connection.script("CREATE TEMPORARY TABLE lists (numbers bigint[], small int[], at timestamptz[])")
            try connection.copyIn("COPY lists FROM STDIN (FORMAT binary)") { writer in
                try writer.row(columns: 3)
                try writer.int8Array([.min, 0, 7, .max], null: 0)
                try writer.int4Array([-1, 5, .max], null: -1)
                try writer.timestampArray(microsecondsSinceUnixEpoch: [1, -1, 1_772_366_400_123_456, .max])
                try writer.row(columns: 3)
                try writer.int8Array([])
                try writer.int4Array([3])
                try writer.timestampArray(microsecondsSinceUnixEpoch: [])
            }
            try connection.script("SET TIME ZONE 'UTC'")
            let rows = try connection.queryAll("SELECT concat_ws('|', numbers, small, at) FROM lists") { try $0.string(0) }
            let instants = [
                "1970-01-01 00:00:00.000001+00", "1969-12-31 23:59:59.999999+00", "2026-03-01 12:00:00.123456+00",
            ]
            let quoted = instants.map { "\"\($0)\"" }.joined(separator: ",")
            #expect(rows == ["{-9223372036854775808,NULL,7,9223372036854775807}|{NULL,5,2147483647}|{\(quoted),infinity}", "{}|{3}|{}"])
            #expect(try connection.queryOne("SELECT array_lower(numbers, 1) FROM lists LIMIT 1")?.int(0) == 1)
        }
    }

    @Test func writesArraysAcrossTheEndOfItsBufferAndRefusesThoseThatItCannotHold() async throws {
        try await withConnection(try await PostgresFixture.shared()) { connection in
            try connection.script("CREATE TEMPORARY TABLE long (first bigint[], gap bytea, second bigint[], last bigint)")
            let numbers = (0..<3800).map { Int64($0) }
            try connection.copyIn("COPY long FROM STDIN (FORMAT binary)") { writer in
                for length in stride(from: 3800, to: 0, by: -37) {
                    try writer.row(columns: 4)
                    try writer.int8Array(Array(numbers[..<length]))
                    try writer.bytes([UInt8](repeating: 1, count: length * 11))
                    try writer.int8Array(Array(numbers[..<length]), null: 5)
                    try writer.int8(Int64(length))
                }
            }
            let wrong = try connection.queryOne(
                """
                SELECT count(*) FROM long WHERE first IS DISTINCT FROM (SELECT array_agg(i) FROM generate_series(0, last - 1) i)
                    OR second IS DISTINCT FROM (SELECT array_agg(nullif(i, 5)) FROM generate_series(0, last - 1) i) OR length(gap) <> last * 11
                """)
            #expect(try wrong?.int(0) == 0)
            #expect(try connection.queryOne("SELECT count(*) FROM long")?.int(0) == 103)
            #expect(throws: DatabaseError.self) {
                try connection.copyIn("COPY long (first) FROM STDIN (FORMAT binary)") { writer in
                    try writer.row(columns: 1)
                    try writer.int8Array([Int64](repeating: 1, count: 4000))
                }
            }
            #expect(throws: DatabaseError.self) {
                try connection.copyIn("COPY long (first) FROM STDIN (FORMAT binary)") { writer in
                    try writer.row(columns: 1)
                    try writer.timestampArray(microsecondsSinceUnixEpoch: [.min + 1])
                }
            }
            #expect(try connection.queryOne("SELECT count(*) FROM long")?.int(0) == 103)
        }
    }

    @Test func keepsNothingWhenTheSenderGivesUp() async throws {
        struct GaveUp: Error {}
        try await withConnection(try await PostgresFixture.shared()) { connection in
            try connection.script("CREATE TEMPORARY TABLE t (i int)")
            #expect(throws: GaveUp.self) {
                try connection.copyIn("COPY t FROM STDIN (FORMAT binary)") { writer in
                    try writer.row(columns: 1)
                    try writer.int4(1)
                    throw GaveUp()
                }
            }
            #expect(try connection.queryOne("SELECT count(*) FROM t")?.int(0) == 0)
        }
    }

    @Test func reportsWhatTheServerRefused() async throws {
        try await withConnection(try await PostgresFixture.shared()) { connection in
            try connection.script("CREATE TEMPORARY TABLE t (i int CONSTRAINT small CHECK (i < 10))")
            #expect {
                try connection.copyIn("COPY t FROM STDIN (FORMAT binary)") { writer in
                    for number in 0..<100_000 {
                        try writer.row(columns: 1)
                        try writer.int4(Int32(number))
                    }
                }
            } throws: {
                ($0 as? DatabaseError)?.constraint == "small"
            }
            #expect { try connection.copyIn("SELECT 1") { _ in } } throws: { SQLState.syntaxError ~= $0 }
            #expect { try connection.copyIn("COPY t TO STDOUT") { _ in } } throws: { SQLState.syntaxError ~= $0 }
            #expect(try connection.queryOne("SELECT 1")?.int(0) == 1)
        }
    }

    @Test func refusesAWrongNumberOfFields() async throws {
        try await withConnection(try await PostgresFixture.shared()) { connection in
            try connection.script("CREATE TEMPORARY TABLE t (i int, j int)")
            for fields in [1, 3] {
                #expect {
                    try connection.copyIn("COPY t FROM STDIN (FORMAT binary)") { writer in
                        try writer.row(columns: 2)
                        for _ in 0..<fields { try writer.int4(1) }
                    }
                } throws: {
                    SQLState.badCopyFileFormat ~= $0
                }
            }
        }
    }

    @Test func stopsReadingWhenToldTo() async throws {
        struct Enough: Error {}
        try await withConnection(try await PostgresFixture.shared()) { connection in
            #expect(throws: Enough.self) {
                try connection.copyOut("COPY (SELECT generate_series(1, 100000000)) TO STDOUT") { _ in throw Enough() }
            }
            #expect(try connection.queryOne("SELECT 1")?.int(0) == 1)
            var text = ""
            try connection.copyOut("COPY (VALUES (1), (2)) TO STDOUT") { text += String(decoding: $0, as: UTF8.self) }
            #expect(text == "1\n2\n")
        }
    }

    /// PostgreSQL has no COPY into a table under row-level security; the way around is part of what we promise.
    @Test func fillsAProtectedTableThroughATemporaryOne() async throws {
        try await withConnection(try await PostgresFixture.freshDatabase()) { connection in
            try connection.script("CREATE SCHEMA app; CREATE TABLE app.note (tenant_id bigint); SELECT lastmile.protect('app.note')")
            let stored = try connection.transaction(.system) { inner in
                try inner.script("CREATE TEMPORARY TABLE incoming (tenant_id bigint) ON COMMIT DROP")
                try inner.copyIn("COPY incoming FROM STDIN (FORMAT binary)") { writer in
                    for tenant in 1...1000 {
                        try writer.row(columns: 1)
                        try writer.int8(Int64(tenant))
                    }
                }
                return try inner.execute("INSERT INTO app.note SELECT * FROM incoming")
            }
            #expect(stored == 1000)
            #expect {
                try connection.transaction(.system) { try $0.copyIn("COPY app.note FROM STDIN (FORMAT binary)") { _ in } }
            } throws: {
                SQLState.featureNotSupported ~= $0
            }
        }
    }
}
