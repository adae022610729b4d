import RadiusCore

/// A session in memory while its batch is folded, and between two batches while it is open.
struct SessionRow {
    var id: Int64
    var tenant: Int64
    var key: SessionKey
    /// 0 = unknown.
    var subscriber: Int64
    /// What the batch brought, if it brought something that the row may lack; empty fields leave the row's columns as they are.
    var naming: SessionNaming?
    /// Of the last record whose naming is in the row; 0 = not known.
    var namingDigest: UInt64 = 0
    /// As the row has it, for Accounting-On: text as it is stored, and 4, 16 or no octets.
    var nasIdentifier: [UInt8] = []
    var nasAddress: [UInt8] = []
    var fold: SessionFold
    /// Usage that `aaa.usage_day` does not have yet.
    var unbooked: UnbookedUsage?
    /// The transaction that wrote the row as we know it (PostgreSQL's xmin). A row that somebody else changed has another.
    var writer: UInt32 = 0
    var isNew: Bool
    /// It comes from memory: other rows under its key, all older and closed, are not known.
    var isAlone = false
    var isChanged: Bool

    /// Whether `record`, an Accounting-On or -Off, speaks of the NAS that holds this session.
    func isHeld(byNASOf record: AccountingRecord) -> Bool {
        let identifier = StorableText.octets(of: record.nasIdentifier)
        return (identifier.isEmpty || nasIdentifier.isEmpty || identifier == nasIdentifier)
            && (record.nasAddress.isEmpty || nasAddress.isEmpty || record.nasAddress == nasAddress)
    }

    /// Takes over what `whole` names, whose digest is `digest`.
    mutating func name(_ whole: AccountingRecord, from peer: InlineArray<16, UInt8>, digest: UInt64) {
        let naming = naming ?? SessionNaming()
        naming.merge(whole, from: peer)
        self.naming = naming
        namingDigest = digest
        guard isNew else { return }
        nasIdentifier = StorableText.octets(of: naming.nasIdentifier)
        nasAddress = naming.nasAddress
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
