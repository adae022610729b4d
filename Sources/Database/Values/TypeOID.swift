/// PostgreSQL's built-in types that results are decoded from (catalog `pg_type`; the numbers never change).
enum TypeOID {
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let char: UInt32 = 18
    static let name: UInt32 = 19
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let oid: UInt32 = 26
    static let json: UInt32 = 114
    static let xml: UInt32 = 142
    static let cidr: UInt32 = 650
    static let float4: UInt32 = 700
    static let float8: UInt32 = 701
    static let unknown: UInt32 = 705
    static let macaddr8: UInt32 = 774
    static let macaddr: UInt32 = 829
    static let inet: UInt32 = 869
    static let byteaArray: UInt32 = 1001
    static let bpchar: UInt32 = 1042
    static let varchar: UInt32 = 1043
    static let date: UInt32 = 1082
    static let timestamp: UInt32 = 1114
    static let timestamptz: UInt32 = 1184
    static let numeric: UInt32 = 1700
    static let void: UInt32 = 2278
    static let uuid: UInt32 = 2950
    static let jsonb: UInt32 = 3802
    /// Types made in a database (enums, composites) are numbered from here; an enum travels as its label.
    static let firstUserDefined: UInt32 = 16384

    static func isText(_ oid: UInt32) -> Bool {
        switch oid {
        case text, varchar, bpchar, name, char, json, xml, unknown: true
        default: oid >= firstUserDefined
        }
    }
}
