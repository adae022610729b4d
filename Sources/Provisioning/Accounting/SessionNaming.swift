import RadiusCore

/// What a session's row says of who and where, as the records said it; the last record that named a thing wins.
///
/// A class, so that a row without it is small to copy; it belongs to one row of one batch.
final class SessionNaming {
    var username: [UInt8] = []
    var sessionID: [UInt8] = []
    var multiSessionID: [UInt8] = []
    var nasIdentifier: [UInt8] = []
    var nasAddress: [UInt8] = []
    var nasPort: UInt32?
    var nasPortID: [UInt8] = []
    var nasPortType: UInt32?
    var callingStationID: [UInt8] = []
    var calledStationID: [UInt8] = []
    var framedIPv4: [UInt8] = []
    var framedIPv6: [UInt8] = []
    var framedIPv6Prefix: IPv6Prefix?
    var delegatedIPv6Prefix: IPv6Prefix?
    var framedInterfaceID: [UInt8] = []
    var classes: [[UInt8]] = []
    var operatorNAS: [UInt8] = []
    /// Where the record came from: 4 or 16 octets.
    var sourceAddress: [UInt8] = []

    /// Takes over what `record`, which came from `peer`, names.
    func merge(_ record: AccountingRecord, from peer: InlineArray<16, UInt8>) {
        sourceAddress = Self.address(peer)
        set(&username, record.userName)
        set(&sessionID, record.sessionID)
        set(&multiSessionID, record.multiSessionID)
        set(&nasIdentifier, record.nasIdentifier)
        set(&nasAddress, record.nasAddress)
        nasPort = record.nasPort ?? nasPort
        set(&nasPortID, record.nasPortID)
        nasPortType = record.nasPortType ?? nasPortType
        set(&callingStationID, record.callingStationID)
        set(&calledStationID, record.calledStationID)
        set(&framedIPv4, record.framedIPv4)
        set(&framedIPv6, record.framedIPv6)
        framedIPv6Prefix = record.framedIPv6Prefix ?? framedIPv6Prefix
        delegatedIPv6Prefix = record.delegatedIPv6Prefix ?? delegatedIPv6Prefix
        set(&framedInterfaceID, record.framedInterfaceID)
        if !record.classes.isEmpty { classes = record.classes }
        set(&operatorNAS, record.operatorNAS)
    }

    private func set(_ field: inout [UInt8], _ value: [UInt8]) {
        if !value.isEmpty { field = value }
    }

    /// IPv4 stands as ::ffff:a.b.c.d in a journal's entry.
    private static func address(_ peer: InlineArray<16, UInt8>) -> [UInt8] {
        let octets = (0..<16).map { peer[$0] }
        let isIPv4 = octets.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff])
        return isIPv4 ? Array(octets[12...]) : octets
    }
}
