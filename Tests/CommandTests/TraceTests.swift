import Support
import Synchronization
import Testing

@testable import lastmile

@Suite struct TraceTests {
    private static let reject = """
        {"at":"2026-11-21T12:40:01.123456Z","nas":"core1","peer":"192.0.2.1:40123","transport":"udp","username":"al\\u001bice","subscriber":12,
         "outcome":"reject","reason":"wrong_password","sentence":"The password is wrong.","method":"pap","duration_microseconds":231,"delayed":true,
         "request":{"code":"Access-Request","id":7,"octets":80,"attributes":[{"name":"User-Name","value":"al\\u001bice"},
         {"name":"User-Password","value":"(hidden)"}],"malformed":null},
         "reply":{"code":"Access-Reject","id":7,"octets":38,"attributes":[{"name":"Reply-Message","value":"no"}],"malformed":null}}
        """

    @Test func printsTheConversation() throws {
        #expect(
            TransactionText.text(try JSONReader.parse(Self.reject)) == """
                2026-11-21 12:40:01.123  al\\x1bice at core1 (192.0.2.1:40123)
                  --> Access-Request id 7, 80 octets
                        User-Name = al\\x1bice
                        User-Password = (hidden)
                  <-- Access-Reject id 7, 38 octets after 231 µs, then held back
                        Reply-Message = no
                  REJECT wrong_password (pap): The password is wrong.


                """)
    }

    @Test func printsALine() throws {
        #expect(
            TransactionText.line(try JSONReader.parse(Self.reject))
                == "2026-11-21 12:40:01.123  al\\x1bice         core1         reject     wrong_password (pap)            231 µs\n")
    }

    @Test func tellsOfADropWithoutAReply() throws {
        let dropped = try JSONReader.parse(
            """
            {"at":"2026-11-21T12:40:01.1Z","nas":"core1","peer":"[2001:db8::1]:9","transport":"stream","username":"","outcome":"dropped",
             "reason":"attributeOverrun","sentence":"Dropped without a reply: because.","method":"none","duration_microseconds":0,
             "request":{"code":"Access-Request","id":1,"octets":21,"attributes":[],"malformed":"an attribute runs over"},"reply":null}
            """)
        #expect(
            TransactionText.text(dropped) == """
                2026-11-21 12:40:01.1Z  core1 ([2001:db8::1]:9, over a connection)
                  --> Access-Request id 1, 21 octets
                        (malformed: an attribute runs over)
                  <-- nothing
                  DROPPED attributeOverrun: Dropped without a reply: because.


                """)
    }

    @Test(arguments: [(0, "0 µs"), (999, "999 µs"), (1000, "1.0 ms"), (12_345, "12.3 ms"), (2_500_000, "2.5 s")])
    func saysTimesAsPeopleDo(_ microseconds: Int, _ text: String) {
        #expect(TransactionText.duration(.object([.init("duration_microseconds", .number(microseconds))])) == text)
    }

    @Test func linesAreToldAsTheyCome() throws {
        let server = try ScriptedHTTPServer([
            "HTTP/1.1 200 X\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n{\"a\":1}\n\n{\"b\":\"ü\"}\n{\"c\":3}"
        ])
        let lines = Mutex<[String]>([])
        var exchange = HTTPExchange(url: "http://127.0.0.1:\(server.port)/")
        exchange.line = { octets in lines.withLock { $0.append(String(decoding: octets, as: UTF8.self)) } }
        exchange.begun = { lines.withLock { $0.append("begun") } }
        let answer = try exchange.run()
        #expect(lines.withLock { $0 } == ["begun", "{\"a\":1}", "{\"b\":\"ü\"}"])
        #expect(String(decoding: answer.body, as: UTF8.self) == "{\"c\":3}")
    }

    @Test func aProblemIsNoLine() throws {
        let server = try ScriptedHTTPServer([ScriptedHTTPServer.problem(403, "{\"title\":\"T\",\n\"detail\":\"D\"}")])
        var exchange = HTTPExchange(url: "http://127.0.0.1:\(server.port)/")
        exchange.line = { _ in Issue.record("a problem was taken for a line") }
        exchange.begun = { Issue.record("a problem was taken for the begin of lines") }
        #expect(APIProblem(try exchange.run())?.detail == "D")
    }

    @Test func printsWhatTheDoctorFound() throws {
        let examined = try JSONReader.parse(
            """
            [{"nas":"core1","address":"192.0.2.1","vendor":"mikrotik","last_seen_seconds":7300,"findings":[
              {"severity":"problem","code":"secret_short","what":"Too short.","advice":"Make one."},
              {"severity":"note","code":"several_devices","what":"Two.","advice":"Part them."}]},
             {"nas":"core2","address":"198.51.100.0/24","vendor":"cisco","last_seen_seconds":null,"findings":[]},
             {"nas":"core3","address":null,"vendor":"cisco","last_seen_seconds":null,"findings":[
              {"severity":"problem","code":"dns_error","what":"Unknown.","advice":"Name it."}]}]
            """
        ).elements
        #expect(
            DoctorText.text(examined) == """
                core1 (192.0.2.1, mikrotik, seen 2 hours ago)
                  PROBLEM secret_short: Too short.
                    -> Make one.
                  NOTE several_devices: Two.
                    -> Part them.

                core3 (no address, cisco, never seen)
                  PROBLEM dns_error: Unknown.
                    -> Name it.

                3 NAS examined, 1 without a finding: 2 problems, 0 warnings, 1 note.

                """)
        #expect(DoctorText.count("problem", examined) == 2)
        #expect(DoctorText.rows(examined).map { $0["code"]?.text } == ["secret_short", "several_devices", "dns_error"])
        #expect(DoctorText.text([]).hasPrefix("There is no NAS yet"))
    }
}
