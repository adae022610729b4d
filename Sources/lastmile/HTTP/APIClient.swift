/// Speaks to the daemon's HTTP interface.
struct APIClient {
    let connection: Connection

    struct Request {
        var method = "GET"
        /// Decoded segments behind `/api/v1`.
        let path: [String]
        var query: [(name: String, value: String)] = []
        var body: [UInt8]?
        var mediaType = "application/json"
        var headers: [String] = []
        var timeoutSeconds = 120
        var progress: ((Int, Int) -> Void)?
        var line: (([UInt8]) -> Void)?
        var begun: (() -> Void)?
    }

    /// Sends the request and reads the JSON of the answer; null when it has none.
    ///
    /// - Throws: what the daemon's problem document says, with the exit status that belongs to it.
    @discardableResult
    func send(_ request: Request) throws(CommandFailure) -> JSONValue {
        try value(of: try perform(request, prefix: "/api/v1"))
    }

    /// GETs a document outside of `/api/v1` whatever its status.
    func document(_ name: String, query: [(name: String, value: String)] = []) throws(CommandFailure) -> (status: Int, value: JSONValue) {
        let answer = try perform(Request(path: [name], query: query), prefix: "")
        guard let value = try? JSONReader.parse(answer.body) else { throw foreign(answer) }
        return (answer.status, value)
    }

    private func perform(_ request: Request, prefix: String) throws(CommandFailure) -> HTTPExchange.Answer {
        var headers = ["Accept: application/json"] + request.headers
        if request.body != nil { headers.append("Content-Type: " + request.mediaType) }
        if let token = connection.token { headers.append("Authorization: Bearer " + token) }
        if let tenant = connection.tenant { headers.append("X-Lastmile-Tenant: " + tenant) }
        var exchange = HTTPExchange(url: connection.url + prefix + Self.target(request.path, request.query))
        exchange.method = request.method
        exchange.headers = headers
        exchange.body = request.body ?? (request.method == "POST" ? [] : nil)
        exchange.timeoutSeconds = request.timeoutSeconds
        exchange.progress = request.progress
        exchange.line = request.line
        exchange.begun = request.begun
        do {
            return try exchange.run()
        } catch {
            throw CommandFailure(
                error.isUnreachable ? .unreachable : .usage, "\(connection.url) does not answer: \(error.reason)",
                next: "Is lastmiled running there? `make run` starts one; LASTMILE_URL names another.")
        }
    }

    private func value(of answer: HTTPExchange.Answer) throws(CommandFailure) -> JSONValue {
        if (200..<300).contains(answer.status) {
            if answer.body.isEmpty { return .null }
            if let value = try? JSONReader.parse(answer.body) { return value }
            throw foreign(answer)
        }
        guard let problem = APIProblem(answer) else { throw foreign(answer) }
        throw problem.failure(connection)
    }

    /// Something answers, but not as Lastmile does.
    private func foreign(_ answer: HTTPExchange.Answer) -> CommandFailure {
        let isGateway = [502, 503, 504].contains(answer.status)
        return CommandFailure(
            isGateway ? .unreachable : .failed, "\(connection.url) answered \(answer.status), but not as Lastmile does",
            next: "Does LASTMILE_URL name the daemon itself, and does no other program hold its port?")
    }

    /// The request target of decoded segments and parameters.
    static func target(_ path: [String], _ query: [(name: String, value: String)]) -> String {
        let parameters = query.map { "\(encoded($0.name))=\(encoded($0.value))" }.joined(separator: "&")
        return path.map { "/" + encoded($0) }.joined() + (parameters.isEmpty ? "" : "?" + parameters)
    }

    /// Percent-encoding of all but the unreserved characters (RFC 3986 §2.3).
    static func encoded(_ text: String) -> String {
        var encoded = ""
        for octet in text.utf8 {
            let isUnreserved =
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= octet || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= octet
                || UInt8(ascii: "0")...UInt8(ascii: "9") ~= octet || "-._~".utf8.contains(octet)
            if isUnreserved {
                encoded.unicodeScalars.append(Unicode.Scalar(octet))
            } else {
                let digits = String(octet, radix: 16, uppercase: true)
                encoded += "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return encoded
    }
}
