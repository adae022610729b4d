import RadiusCore

/// What a session's row says of who and where; the last record that named a thing wins.
struct SessionNaming: Equatable {
    var username = ""
    var sessionID = ""
    var multiSessionID = ""
    var nasIdentifier = ""
    var nasAddress = ""
    var nasPort: Int64 = -1
    var nasPortID = ""
    var nasPortType: Int64 = -1
    var callingStationID = ""
    var calledStationID = ""
    var framedIPv4 = ""
    var framedIPv6 = ""
    var framedIPv6Prefix = ""
    var delegatedIPv6Prefix = ""
    var framedInterfaceID = ""
    var classes = ""
    /// Where the record came from.
    var sourceAddress = ""

    /// Takes over what `record`, which came from `peer`, names.
    mutating func merge(_ record: AccountingRecord, from peer: InlineArray<16, UInt8>) {
        sourceAddress = IPAddress(octets: peer).text
        set(&username, StorableText.of(record.userName))
        set(&sessionID, StorableText.of(record.sessionID))
        set(&multiSessionID, StorableText.of(record.multiSessionID))
        set(&nasIdentifier, StorableText.of(record.nasIdentifier))
        set(&nasAddress, AddressText.address(record.nasAddress))
        nasPort = record.nasPort.map(Int64.init) ?? nasPort
        set(&nasPortID, StorableText.of(record.nasPortID))
        nasPortType = record.nasPortType.map { Int64(min($0, UInt32(Int32.max))) } ?? nasPortType
        set(&callingStationID, StorableText.of(record.callingStationID))
        set(&calledStationID, StorableText.of(record.calledStationID))
        set(&framedIPv4, AddressText.address(record.framedIPv4))
        set(&framedIPv6, AddressText.address(record.framedIPv6))
        set(&framedIPv6Prefix, AddressText.prefix(record.framedIPv6Prefix))
        set(&delegatedIPv6Prefix, AddressText.prefix(record.delegatedIPv6Prefix))
        set(&framedInterfaceID, StorableText.hexadecimal(record.framedInterfaceID))
        set(&classes, record.classes.map { StorableText.hexadecimal($0) }.joined(separator: " "))
    }

    private func set(_ field: inout String, _ value: String) {
        if !value.isEmpty { field = value }
    }
}

/// A session in memory while its batch is folded.
struct SessionRow {
    var id: Int64
    var tenant: Int64
    var key: SessionKey
    /// 0 = unknown, as is `profile`.
    var subscriber: Int64
    var profile: Int64
    /// What this batch brought; empty fields leave the row's columns as they are.
    var identity = SessionNaming()
    /// As the row has it, for Accounting-On.
    var nasIdentifier = ""
    var nasAddress = ""
    var fold: SessionFold
    var isNew: Bool
    var isChanged: Bool

    /// Whether `record`, an Accounting-On or -Off, speaks of the NAS that holds this session.
    func isHeld(byNASOf record: AccountingRecord) -> Bool {
        let identifier = StorableText.of(record.nasIdentifier)
        let address = AddressText.address(record.nasAddress)
        return (identifier.isEmpty || nasIdentifier.isEmpty || identifier == nasIdentifier)
            && (address.isEmpty || nasAddress.isEmpty || address == nasAddress)
    }
}

/// Addresses as PostgreSQL reads them; empty for none.
enum AddressText {
    static func address(_ octets: [UInt8]) -> String {
        switch octets.count {
        case 4: octets.map { String($0) }.joined(separator: ".")
        case 16: groups(octets)
        default: ""
        }
    }

    static func prefix(_ prefix: IPv6Prefix?) -> String {
        prefix.map { groups($0.octets) + "/\($0.length)" } ?? ""
    }

    private static func groups(_ octets: [UInt8]) -> String {
        stride(from: 0, to: 16, by: 2).map { String(UInt16(octets[$0]) << 8 | UInt16(octets[$0 + 1]), radix: 16) }.joined(separator: ":")
    }
}

extension SessionEnding {
    /// The value of `aaa.session.ended_by`.
    var name: String {
        switch self {
        case .stop: "stop"
        case .accountingOn: "accounting_on"
        case .ghost: "ghost"
        case .replaced: "replaced"
        }
    }

    init?(name: String) {
        guard let found = [SessionEnding.stop, .accountingOn, .ghost, .replaced].first(where: { $0.name == name }) else { return nil }
        self = found
    }
}
