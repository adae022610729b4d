import Glibc
import Testing

@testable import lastmile

@Suite struct APIClientTests {
    private func client(_ server: ScriptedHTTPServer, token: String? = "t0ken") throws -> APIClient {
        APIClient(
            connection: try Connection(tenant: "north") { name in
                ["LASTMILE_URL": "http://127.0.0.1:\(server.port)/", "LASTMILE_TOKEN": token, "LASTMILE_STATE_DIR": "/nonexistent"][name]
                    ?? nil
            })
    }

    @Test func sendsTokenTenantAndBody() throws {
        let server = try ScriptedHTTPServer([ScriptedHTTPServer.answer(201, #"{"id":1}"#)])
        let made = try client(server).send(
            .init(
                method: "POST", path: ["nas", "a b/ü"], query: [("dry_run", "true")], body: Array(#"{"name":"x"}"#.utf8),
                headers: ["If-Match: *"]))
        #expect(made["id"]?.integer == 1)
        let request = try #require(server.requests.first)
        #expect(request.hasPrefix("POST /api/v1/nas/a%20b%2F%C3%BC?dry_run=true HTTP/1.1\r\n"))
        for line in ["Authorization: Bearer t0ken", "X-Lastmile-Tenant: north", "Content-Type: application/json", "If-Match: *"] {
            #expect(request.contains("\r\n\(line)\r\n"))
        }
        #expect(request.hasSuffix("\r\n\r\n{\"name\":\"x\"}"))
    }

    @Test(arguments: [
        (400, lastmile.ExitStatus.failed), (401, .denied), (403, .denied), (404, .notFound), (409, .conflict), (412, .conflict),
        (422, .failed),
        (500, .failed), (503, .failed),
    ])
    func problemsDecideTheExitStatus(_ status: Int, _ expected: lastmile.ExitStatus) throws {
        let body = #"{"title":"T","status":\#(status),"detail":"D","code":"c","request_id":"r1"}"#
        let server = try ScriptedHTTPServer([ScriptedHTTPServer.problem(status, body)])
        let failure = #expect(throws: CommandFailure.self) { try client(server).send(.init(path: ["nas"])) }
        #expect(failure?.status == expected)
        #expect(failure?.message == "D")
    }

    @Test func whoeverFindsNoPlaceIsNotSentToTheDaemonsHealth() throws {
        let body = #"{"title":"T","status":503,"detail":"5 callers follow already","code":"busy"}"#
        let server = try ScriptedHTTPServer([ScriptedHTTPServer.problem(503, body)])
        let failure = #expect(throws: CommandFailure.self) { try client(server).send(.init(path: ["auth-log"])) }
        #expect(failure?.next.contains("health") == false)
    }

    /// No rule was looked for, so the list of rules would not help.
    @Test func aTrialOfNobodySaysWhereSubscribersAndNASsStand() throws {
        let body = #"{"title":"T","status":404,"detail":"the subscriber “x” does not exist","code":"not_found"}"#
        let server = try ScriptedHTTPServer([ScriptedHTTPServer.problem(404, body), ScriptedHTTPServer.problem(404, body)])
        let trial = #expect(throws: CommandFailure.self) { try PolicyTestCommand.send(.object([]), by: client(server)) }
        #expect(trial?.next.contains("lastmile subscriber list") == true && trial?.next.contains("lastmile nas list") == true)
        #expect(trial?.status == .notFound && trial?.message == "the subscriber “x” does not exist")
        let other = #expect(throws: CommandFailure.self) { try client(server).send(.init(path: ["nas", "x"])) }
        #expect(other?.next.contains("same noun") == true)
    }

    @Test func listsTheMistakesOfABody() throws {
        let body = """
            {"title":"The body does not fit","status":422,"detail":"x","code":"invalid","errors":[
            {"pointer":"/address","code":"prefix","detail":"an IP network is expected"},{"line":3,"column":"vlan","detail":"1 to 4094"}]}
            """
        let server = try ScriptedHTTPServer([ScriptedHTTPServer.problem(422, body)])
        let failure = #expect(throws: CommandFailure.self) { try client(server).send(.init(path: ["nas"])) }
        #expect(failure?.details == ["address: an IP network is expected", "line 3, vlan: 1 to 4094"])
        #expect(failure?.text.hasPrefix("lastmile: The body does not fit\n  address: an IP network") == true)
    }

    @Test func whatIsNamedAndDoesNotExistIsNotFoundWhereverItStands() throws {
        func failure(_ status: Int, _ errors: String) throws -> CommandFailure? {
            let body = #"{"title":"The body does not fit","status":\#(status),"detail":"x","code":"invalid","errors":[\#(errors)]}"#
            let server = try ScriptedHTTPServer([ScriptedHTTPServer.problem(status, body)])
            return #expect(throws: CommandFailure.self) { try client(server).send(.init(path: ["nas"])) }
        }
        let profile = #"{"pointer":"/profile","code":"not_found","detail":"there is no profile called “x”"}"#
        let pool = #"{"parameter":"pool","code":"not_found","detail":"there is no address-pool called “y”"}"#
        let one = try failure(422, profile)
        #expect(one?.status == .notFound && one?.message == "there is no profile called “x”" && one?.details.isEmpty == true)
        let two = try failure(400, profile + "," + pool)
        #expect(two?.status == .notFound && two?.message == "there is no profile called “x”; there is no address-pool called “y”")
        let others = [
            profile + #",{"pointer":"/vlan","code":"range","detail":"1 to 4094"}"#,
            #"{"line":2,"column":"profile","code":"not_found","detail":"there is no profile called “x”"}"#,
        ]
        for errors in others {
            let mixed = try failure(422, errors)
            #expect(mixed?.status == .failed && mixed?.message == "The body does not fit", "\(errors)")
        }
    }

    @Test func withoutATokenSaysWhereItLooked() throws {
        let server = try ScriptedHTTPServer([ScriptedHTTPServer.problem(401, #"{"title":"T","detail":"D"}"#)])
        let failure = #expect(throws: CommandFailure.self) { try client(server, token: nil).send(.init(path: ["nas"])) }
        #expect(failure?.next.contains("/nonexistent/admin.token") == true)
    }

    @Test func nothingThereIsUnreachable() throws {
        // A port that was free a moment ago: the server closes it after its last answer.
        let server = try ScriptedHTTPServer([ScriptedHTTPServer.answer(200, "{}")])
        let client = try client(server)
        try client.send(.init(path: ["nas"]))
        var failure: CommandFailure?
        for _ in 0..<1000 where failure?.message.contains("connect") != true {
            failure = #expect(throws: CommandFailure.self) { try client.send(.init(path: ["nas"])) }
        }
        #expect(failure?.status == .unreachable)
        #expect(failure?.next.contains("LASTMILE_URL") == true)
    }

    @Test func anotherProgramsAnswerIsNoSuccess() throws {
        let server = try ScriptedHTTPServer([
            ScriptedHTTPServer.answer(200, "<html>", type: "text/html"), ScriptedHTTPServer.answer(502, "<html>", type: "text/html"), "",
        ])
        let client = try client(server)
        for expected in [lastmile.ExitStatus.failed, .unreachable, .unreachable] {
            let failure = #expect(throws: CommandFailure.self) { try client.send(.init(path: ["nas"])) }
            #expect(failure?.status == expected)
        }
    }

    @Test func anAnswerOfLinesMayTakeItsTimeButNotBeSilent() throws {
        let type = "application/x-ndjson"
        let server = try ScriptedHTTPServer([ScriptedHTTPServer.answer(200, "{}\n\n{}\n", type: type)])
        var exchange = HTTPExchange(url: "http://127.0.0.1:\(server.port)/")
        var lines = 0
        exchange.line = { _ in lines += 1 }
        #expect(try exchange.run().status == 200)
        #expect(lines == 2)
        // Accepted by the kernel alone: nobody answers.
        let silent = try SilentServer()
        exchange = HTTPExchange(url: "http://127.0.0.1:\(silent.port)/")
        exchange.line = { _ in lines += 1 }
        exchange.silenceLimit = .milliseconds(10)
        let failure = withExtendedLifetime(silent) { #expect(throws: HTTPExchange.Failure.self) { try exchange.run() } }
        #expect(failure?.reason.hasPrefix("nothing came for") == true)
        #expect(failure?.isUnreachable == true)
        #expect(lines == 2)
    }

    @Test func refusesWhatCannotStandInAHeader() {
        for (name, value) in [("LASTMILE_TOKEN", "a\r\nX: y"), ("LASTMILE_TENANT", "a b"), ("LASTMILE_URL", "ftp://x")] {
            let failure = #expect(throws: CommandFailure.self) { try Connection(tenant: nil) { $0 == name ? value : nil } }
            #expect(failure?.status == .usage)
        }
    }

    @Test(arguments: [
        ["nas", "create", "--nme", "x"], ["nas", "creat"], ["frobnicate"], ["session", "disconnect"], ["nas", "list", "-o", "xml"],
        ["subscriber", "lock", "alice"], ["radius", "test", "--secret", ""], ["lock", "list", "--limit", "5", "--all"],
    ])
    func wrongCommandLinesEndWithTwo(_ words: [String]) {
        #expect(Lastmile.run(words) == 2)
    }

    @Test func helpEndsWithZero() {
        #expect(Lastmile.run(["nas", "create", "--help"]) == 0)
        #expect(Lastmile.run(["help", "session"]) == 0)
    }
}

/// A listener that takes connections and says nothing.
private final class SilentServer {
    let port: UInt16
    private let fd: Int32

    init() throws {
        fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listening = fd
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listening, $0, length) == 0 && listen(listening, 8) == 0 && getsockname(listening, $0, &length) == 0
            }
        }
        guard isBound else { throw ScriptedHTTPServer.Refused(errno: errno) }
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(fd) }
}
