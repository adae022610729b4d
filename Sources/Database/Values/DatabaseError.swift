internal import CPostgres

/// What PostgreSQL, libpq or this module refused, and why.
///
/// The description never holds parameter values: values that PostgreSQL quotes in data errors are blanked out of `message`, and
/// `detail` (which may hold key values) is not part of the description. Show `detail` only to who may see the row.
public struct DatabaseError: Error, Sendable, CustomStringConvertible {
    public var code: SQLState
    /// The violated constraint, so that a store can map it to a domain error.
    public var constraint: String?
    public var table: String?
    public var column: String?
    /// The name in a statement's first line, `-- subscriber.insert`, when it has one.
    public var statementName: String?
    public var message: String
    /// PostgreSQL's detail; may hold values of the row.
    public var detail: String?
    public var hint: String?
    /// Where in the statement, counted in characters from 1.
    public var position: Int?
    /// The server answers no more on this connection; what was in flight may or may not have happened.
    public var isConnectionLoss: Bool
    /// What was asked for was sent and its answer is lost: it may have been done. False where nothing can have come of it.
    public var isOutcomeUnknown = false
    /// A prepared plan outlived a change of its tables.
    var isStalePlan = false

    public init(_ code: SQLState, _ message: String, hint: String? = nil, isConnectionLoss: Bool = false) {
        self.code = code
        self.message = message
        self.hint = hint
        self.isConnectionLoss = isConnectionLoss
    }

    /// The whole transaction may simply be run again.
    public var isRetryable: Bool {
        code == .serializationFailure || code == .deadlockDetected || isStalePlan
    }

    public var description: String {
        var text = "\(message) (SQLSTATE \(code)"
        if let statementName { text += ", statement \(statementName)" }
        if let table { text += ", table \(table)" }
        if let column { text += ", column \(column)" }
        if let constraint { text += ", constraint \(constraint)" }
        text += ")"
        if let hint { text += ". \(hint)" }
        return text
    }
}

extension DatabaseError {
    /// Reads the diagnosis out of a failed result; `connection` tells whether it is still there.
    init(result: OpaquePointer?, connection: OpaquePointer?, statementName: String? = nil) {
        func field(_ letter: Character) -> String? {
            guard let ascii = letter.asciiValue, let text = PQresultErrorField(result, Int32(ascii)) else { return nil }
            return String(cString: text)
        }
        let lost = PQstatus(connection) == CONNECTION_BAD
        let code = field("C").map(SQLState.init(rawValue:)) ?? (lost ? .connectionFailure : .protocolViolation)
        let message = field("M") ?? DatabaseError.connectionMessage(connection)
        self.init(code, DatabaseError.withoutValues(message, code: code), hint: field("H"), isConnectionLoss: lost)
        if lost, !["57", "08"].contains(code.classCode) { self.code = .connectionFailure }
        constraint = field("n")
        table = field("t").map { name in field("s").map { "\($0).\(name)" } ?? name }
        column = field("c")
        detail = field("D")
        position = field("P").flatMap { Int($0) }
        isStalePlan = code == .featureNotSupported && field("R") == "RevalidateCachedQuery"
        self.statementName = statementName
    }

    /// The failure of a connection as a whole: it could not be made, or it broke.
    init(connection: OpaquePointer?, code: SQLState = .connectionFailure) {
        self.init(code, DatabaseError.connectionMessage(connection), isConnectionLoss: true)
    }

    private static func connectionMessage(_ connection: OpaquePointer?) -> String {
        guard let text = PQerrorMessage(connection), text.pointee != 0 else { return "the connection to PostgreSQL is closed" }
        return String(cString: text).split { $0 == "\n" || $0 == "\t" }.joined(separator: " ")
    }

    /// Blanks what PostgreSQL quotes in data errors (class 22), such as `invalid input syntax for type bigint: "..."`.
    static func withoutValues(_ message: String, code: SQLState) -> String {
        guard code.classCode == "22", let first = message.firstIndex(of: "\""), let last = message.lastIndex(of: "\""), first != last
        else { return message }
        return message[...first] + "…" + message[last...]
    }
}
