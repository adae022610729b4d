import Database
import Logging
import Support
import Testing

/// Runs `body` on a connection of its own, off the cooperative pool.
func withConnection<T: Sendable>(
    _ configuration: DatabaseConfiguration, _ body: @escaping @Sendable (Connection) throws -> T
) async throws -> T {
    var single = configuration
    single.poolSize = 1
    single.waitTimeoutSeconds = max(configuration.waitTimeoutSeconds, 1)
    let pool = try Pool(configuration: single, logger: Logger(label: "tests"))
    defer { pool.shutdown() }
    return try await pool.run(body)
}

@Suite struct ConnectionTests {
    @Test func readsWhatPostgreSQLComputes() async throws {
        try await withConnection(try await PostgresFixture.shared()) { connection in
            let row = try #require(
                try connection.queryOne(
                    """
                    SELECT 2::bigint ^ 0 AS f8, 9223372036854775807 AS i8, (-7)::smallint AS i2, true AS b, 'naïve' AS t,
                        decode('00ff10', 'hex') AS raw, timestamptz '2001-09-09 01:46:40.000001+00' AS at, '{"a": [1]}'::jsonb AS j,
                        inet '2001:db8::1/64' AS net, inet '192.0.2.1' AS host, '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid AS u,
                        -12345.0678::numeric AS n, ARRAY['a,"b', ''] AS ts, ARRAY[1, -2]::bigint[] AS ns, NULL::text AS nothing,
                        date '0001-01-01' AS d, timestamptz 'infinity' AS forever, 0.1::real AS f4
                    """))
            #expect(try row.double("f8") == 1)
            #expect(try row.int64("i8") == .max)
            #expect(try row.int32("i2") == -7)
            #expect(try row.bool("b"))
            #expect(try row.string("t") == "naïve")
            #expect(try row.bytes("raw") == [0, 255, 16])
            #expect(try row.timestamp("at") == 1_000_000_000_000_001)
            #expect(try row.string("at") == "2001-09-09 01:46:40.000001+00")
            #expect(try row.string("j") == #"{"a": [1]}"#)
            #expect(try row.string("net") == "2001:db8::1/64")
            #expect(try row.string("host") == "192.0.2.1")
            #expect(try row.string("u") == "6ba7b810-9dad-11d1-80b4-00c04fd430c8")
            #expect(try row.string("n") == "-12345.0678")
            #expect(try row.strings("ts") == [#"a,"b"#, ""])
            #expect(try row.int64s("ns") == [1, -2])
            #expect(try row.optionalString("nothing") == nil)
            #expect(try row.string("d") == "0001-01-01")
            #expect(try row.timestamp("forever") == .max)
            #expect(try row.string("f4") == "0.1")
        }
    }

    @Test(arguments: [
        "0", "0.00", "1", "10000", "100000000", "0.0001", "-0.5", "123456789012345678901234567890.123456789", "99999.9999", "NaN",
    ])
    func readsNumericAsPostgreSQLPrintsIt(text: String) async throws {
        let read = try await withConnection(try await PostgresFixture.shared()) { connection in
            let row = try connection.queryOne("SELECT $1::numeric, ($1::numeric)::text", [.text(text)])
            return [try row?.string(0), try row?.string(1)]
        }
        #expect(read[0] == read[1])
    }

    /// Over a Unix socket they have no value, but are asked for all the same.
    @Test func theServerLooksWhetherTheClientIsStillThere() async throws {
        let asked = try await withConnection(try await PostgresFixture.shared()) { connection in
            try connection.queryAll(
                "SELECT name FROM pg_settings WHERE source = 'session' AND name LIKE 'tcp%' ORDER BY name"
            ) { try $0.string(0) }
        }
        #expect(asked == ["tcp_keepalives_count", "tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_user_timeout"])
    }

    @Test func parametersArriveAsTheyWereMeant() async throws {
        try await withConnection(try await PostgresFixture.shared()) { connection in
            try connection.script(
                """
                CREATE TEMPORARY TABLE kept (i bigint, s smallint, f float8, t text, raw bytea, j jsonb, at timestamptz, net inet, u uuid,
                    ts text[], ns bigint[], raws bytea[], b boolean)
                """)
            let awkward = "'; DROP TABLE kept; -- \\ \" {}, NULL 漢"
            try connection.execute(
                "INSERT INTO kept VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                [
                    .int(.min), 7, 0.1, .text(awkward), .bytes([0, 1, 255]), .json(#"{"k": "v"}"#),
                    .timestamp(microsecondsSinceUnixEpoch: -62_135_596_800_000_001), .inet("10.0.0.0/8"),
                    .uuid("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), .textArray([awkward, "", "NULL"]), .intArray([-1, 2]),
                    .bytesArray([[0, 0xAB], []]), nil,
                ])
            let row = try #require(
                try connection.queryOne(
                    """
                    SELECT i, s, f, t, encode(raw, 'hex'), j ->> 'k', at, host(net), u::text, ts, ns, encode(raws[1], 'hex'),
                        cardinality(raws), b FROM kept
                    """))
            #expect(try row.int64(0) == .min)
            #expect(try row.int(1) == 7)
            #expect(try row.double(2) == 0.1)
            #expect(try row.string(3) == awkward)
            #expect(try row.string(4) == "0001ff")
            #expect(try row.string(5) == "v")
            #expect(try row.timestamp(6) == -62_135_596_800_000_001)
            #expect(try row.string(7) == "10.0.0.0")
            #expect(try row.string(8) == "6ba7b810-9dad-11d1-80b4-00c04fd430c8")
            #expect(try row.strings(9) == [awkward, "", "NULL"])
            #expect(try row.int64s(10) == [-1, 2])
            #expect(try row.string(11) == "00ab")
            #expect(try row.int(12) == 2)
            #expect(try row.isNull(13))
        }
    }

    @Test(arguments: [
        Int64(0), -1, 951_782_400_000_000, 1_709_164_800_000_000, 4_107_542_399_999_999, -2_208_988_800_000_000, -62_167_219_200_000_000,
        -70_000_000_000_000_000,
    ])
    func writesInstantsThatPostgreSQLReadsBack(microseconds: Int64) async throws {
        let read = try await withConnection(try await PostgresFixture.shared()) { connection in
            let row = try connection.queryOne(
                "SELECT $1::timestamptz, (extract(epoch FROM $1::timestamptz) * 1000000)::bigint",
                [.timestamp(microsecondsSinceUnixEpoch: microseconds)])
            return [try row?.timestamp(0), try row?.int64(1)]
        }
        #expect(read == [microseconds, microseconds])
    }

    @Test func saysWhatWasWrongWithAColumn() async throws {
        try await withConnection(try await PostgresFixture.shared()) { connection in
            let sql = "SELECT NULL::int AS empty, 'x' AS word, 3000000000 AS large, '1 day'::interval"
            let row = try #require(try connection.queryOne(sql))
            #expect { try row.int64("empty") } throws: { SQLState.nullValueNotAllowed ~= $0 }
            #expect { try row.int64("word") } throws: { SQLState.datatypeMismatch ~= $0 }
            #expect { try row.int32("large") } throws: { SQLState.numericValueOutOfRange ~= $0 }
            #expect { try row.string(3) } throws: { "\($0)".contains("cast it in the statement") }
            #expect { try row.string("absent") } throws: { SQLState.undefinedColumn ~= $0 }
            #expect { try row.string(4) } throws: { SQLState.undefinedColumn ~= $0 }
        }
    }

    @Test func streamsWithoutHoldingAllRowsAndCanStopEarly() async throws {
        struct Enough: Error {}
        try await withConnection(try await PostgresFixture.shared()) { connection in
            var sum: Int64 = 0
            try connection.queryStreaming("SELECT generate_series(1, $1::bigint)", [10_000]) { sum += try $0.int64(0) }
            #expect(sum == 50_005_000)
            #expect(throws: Enough.self) {
                try connection.queryStreaming("SELECT generate_series(1, 1000000000)") { if try $0.int64(0) == 3 { throw Enough() } }
            }
            #expect(try connection.queryOne("SELECT 5")?.int(0) == 5)
        }
    }

    @Test func cancelsAStatementThatRunsTooLong() async throws {
        var configuration = try await PostgresFixture.shared()
        configuration.statementTimeoutSeconds = 1
        await #expect {
            try await withConnection(configuration) { try $0.execute("SELECT pg_sleep(60)") }
        } throws: {
            SQLState.queryCanceled ~= $0
        }
    }
}
