/// One parameter of a statement.
///
/// PostgreSQL infers each parameter's type from its place in the statement; where a place leaves it open (`SELECT $1`,
/// `jsonb_build_object('a', $1)`), write a cast: `$1::bigint`. Values are always bound, never pasted into the text.
public enum SQLValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    /// Without NUL: PostgreSQL cannot store it, and `characterNotInRepertoire` is thrown.
    case text(String)
    /// For `bytea`.
    case bytes([UInt8])
    /// The text of a JSON document, for `json` and `jsonb`.
    case json(String)
    case timestamp(microsecondsSinceUnixEpoch: Int64)
    /// An address or prefix as text, for `inet` and `cidr`.
    case inet(String)
    case uuid(String)
    case textArray([String])
    case intArray([Int64])
    case bytesArray([[UInt8]])

    public init(_ value: String?) { self = value.map(SQLValue.text) ?? .null }
    public init(_ value: Bool?) { self = value.map(SQLValue.bool) ?? .null }
    public init(_ value: Double?) { self = value.map(SQLValue.double) ?? .null }
    public init(_ value: [UInt8]?) { self = value.map(SQLValue.bytes) ?? .null }

    /// Any integer that fits into PostgreSQL's `bigint`; a larger one becomes decimal text, which PostgreSQL range-checks.
    public init<Value: BinaryInteger>(_ value: Value?) {
        guard let value else {
            self = .null
            return
        }
        self = Int64(exactly: value).map(SQLValue.int) ?? .text(String(value))
    }
}

extension SQLValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByFloatLiteral,
    ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(nilLiteral: ()) { self = .null }
}
