/// An answer that says what went wrong (RFC 9457, `application/problem+json`).
///
/// Everything that fails in this target ends as one of these; whatever else is thrown becomes `internalError`, whose details are
/// only in the log. The codes are stable: programs may branch on them.
public struct Problem: Error, Equatable, Sendable {
    /// One mistake of the request: a place in its body (RFC 6901) or a query parameter, and what is wrong there.
    public struct Fault: Equatable, Sendable {
        public enum Place: Equatable, Sendable {
            /// A JSON pointer into the body; empty for the body as a whole.
            case body(String)
            case parameter(String)
            case header(String)
            /// A line of a file, counted from 1, and the name of a column; empty for the line as a whole.
            case line(Int, column: String)
        }

        public let place: Place
        public let code: String
        public let detail: String

        public init(_ place: Place, _ code: String, _ detail: String) {
            self.place = place
            self.code = code
            self.detail = detail
        }
    }

    /// The HTTP status, 400...599.
    public let status: Int
    /// A stable word for programs, such as `not_found`.
    public let code: String
    /// What the code means, the same for all its occurrences.
    public let title: String
    /// What happened this time and what to do.
    public let detail: String
    public var faults: [Fault] = []
    /// Headers that belong to the answer: `Allow`, `WWW-Authenticate`, `Retry-After`, `ETag`.
    public var headers: [Header] = []

    init(_ status: Int, _ code: String, _ title: String, _ detail: String) {
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
    }

    func with(_ faults: [Fault]) -> Problem {
        var copy = self
        copy.faults = faults
        return copy
    }

    func with(header name: String, _ value: String) -> Problem {
        var copy = self
        copy.headers.append(Header(name, value))
        return copy
    }

    /// The document for the request at `instance` known as `requestID`.
    func document(instance: String, requestID: String) -> JSON {
        var members: [JSON.Member] = [
            .init("type", .string("urn:lastmile:problem:" + code)), .init("title", .string(title)),
            .init("status", .number(String(status))), .init("detail", .string(detail)),
            .init("instance", .string(instance)), .init("code", .string(code)), .init("request_id", .string(requestID)),
        ]
        if !faults.isEmpty { members.append(.init("errors", .array(faults.map(\.document)))) }
        return .object(members)
    }
}

extension Problem.Fault {
    var document: JSON {
        let place: [JSON.Member] =
            switch self.place {
            case .body(let pointer): [.init("pointer", .string(pointer))]
            case .parameter(let name): [.init("parameter", .string(name))]
            case .header(let name): [.init("header", .string(name))]
            case .line(let line, let column): [.init("line", .number(String(line))), .init("column", .string(column))]
            }
        return .object(place + [.init("code", .string(code)), .init("detail", .string(detail))])
    }

    /// A fault of the member `name` of the body.
    static func member(_ name: String, _ code: String, _ detail: String) -> Problem.Fault {
        Problem.Fault(.body(pointer(name)), code, detail)
    }

    /// The JSON pointer of the member `name` (RFC 6901 §3).
    static func pointer(_ name: String) -> String {
        "/" + name.replacing("~", with: "~0").replacing("/", with: "~1")
    }
}

/// A header field of an answer.
public struct Header: Equatable, Sendable {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}
