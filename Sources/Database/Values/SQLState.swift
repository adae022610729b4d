/// The five-character code that says what went wrong (PostgreSQL, Appendix A).
///
/// Usable as a pattern: `catch SQLState.uniqueViolation { ... }`, or `switch error.code { case .checkViolation: ... }`.
public struct SQLState: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let rawValue: String

    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    public init(stringLiteral value: String) {
        rawValue = value
    }

    public var description: String { rawValue }

    /// The first two characters: the class of the error.
    public var classCode: Substring { rawValue.prefix(2) }

    public static func ~= (pattern: SQLState, error: any Error) -> Bool {
        (error as? DatabaseError)?.code == pattern
    }
}

extension SQLState {
    public static let connectionFailure: SQLState = "08006"
    public static let unableToConnect: SQLState = "08001"
    public static let protocolViolation: SQLState = "08P01"
    public static let featureNotSupported: SQLState = "0A000"
    public static let nullValueNotAllowed: SQLState = "22004"
    public static let numericValueOutOfRange: SQLState = "22003"
    public static let invalidDatetime: SQLState = "22007"
    public static let stringTooLong: SQLState = "22001"
    public static let characterNotInRepertoire: SQLState = "22021"
    public static let invalidParameterValue: SQLState = "22023"
    public static let invalidTextRepresentation: SQLState = "22P02"
    public static let badCopyFileFormat: SQLState = "22P04"
    public static let notNullViolation: SQLState = "23502"
    public static let foreignKeyViolation: SQLState = "23503"
    public static let uniqueViolation: SQLState = "23505"
    public static let checkViolation: SQLState = "23514"
    public static let exclusionViolation: SQLState = "23P01"
    public static let activeTransaction: SQLState = "25001"
    public static let noActiveTransaction: SQLState = "25P01"
    public static let failedTransaction: SQLState = "25P02"
    public static let invalidStatementName: SQLState = "26000"
    public static let invalidPassword: SQLState = "28P01"
    public static let invalidAuthorization: SQLState = "28000"
    public static let undefinedDatabase: SQLState = "3D000"
    public static let serializationFailure: SQLState = "40001"
    public static let deadlockDetected: SQLState = "40P01"
    public static let insufficientPrivilege: SQLState = "42501"
    public static let syntaxError: SQLState = "42601"
    public static let undefinedColumn: SQLState = "42703"
    public static let datatypeMismatch: SQLState = "42804"
    public static let undefinedFunction: SQLState = "42883"
    public static let undefinedTable: SQLState = "42P01"
    public static let tooManyConnections: SQLState = "53300"
    public static let lockNotAvailable: SQLState = "55P03"
    public static let queryCanceled: SQLState = "57014"
    public static let adminShutdown: SQLState = "57P01"
    public static let crashShutdown: SQLState = "57P02"
    public static let cannotConnectNow: SQLState = "57P03"

    /// Ours: a protected table was touched in a transaction that names no tenant (`lastmile.current_tenant()`).
    public static let tenantMissing: SQLState = "LM001"
    /// Ours: no connection became free in time, or too much work waits already.
    public static let poolBusy: SQLState = "LM002"
    /// Ours: a migration file is missing, altered, misnamed or out of order.
    public static let migrationInvalid: SQLState = "LM003"
    /// Ours: the private cluster cannot be created or started.
    public static let clusterUnavailable: SQLState = "LM004"
}
