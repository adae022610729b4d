import RadiusCore

/// A session in memory while its batch is folded, and between two batches while it is open. One thread.
///
/// A class, so that neither batch nor memory copies it: after a batch that failed, its sessions are forgotten and read again.
final class SessionRow {
    var id: Int64
    let tenant: Int64
    let key: SessionKey
    /// 0 = unknown.
    let subscriber: Int64
    /// Of the subscriber when the session began; 0 = unknown, or the row has it.
    let profile: Int64
    /// The realm that a policy rule chose for its first record; 0 = none did, or the row has it.
    let forwardedRealm: Int64
    /// What the batch brought, if it brought something that the row may lack; empty fields leave the row's columns as they are.
    var naming: SessionNaming?
    /// Of the last record whose naming is in the row; 0 = not known.
    var namingDigest: UInt64 = 0
    /// As the row has it, for Accounting-On: text as it is stored, and 4, 16 or no octets.
    private var nasIdentifier: [UInt8]
    private var nasAddress: [UInt8]
    var fold: SessionFold
    /// Nil for a session from before usage was booked so, until its next record.
    private(set) var booked: BookedUsage?
    /// The transaction that wrote the row's progress as we know it (PostgreSQL's xmin); nil where the row has none yet. Progress that
    /// somebody else changed has another writer.
    private(set) var writer: UInt32?
    private(set) var isNew: Bool
    /// It comes from memory: other rows under its key, all older and closed, are not known.
    private(set) var isAlone = false
    /// A session before it was under its key.
    var isSuccessor = false
    var isChanged: Bool
    /// `booked` is not as the database has it.
    private(set) var isBookingChanged: Bool
    /// The turn of the memory's younger generation that holds it, if it is still there; see `SessionCache`.
    var keptTurn = 0
    /// Its key's number in the batch that is being folded.
    var session: Int

    /// A row of the database's, whose progress `writer` wrote.
    init(
        id: Int64, tenant: Int64, key: SessionKey, subscriber: Int64, nasIdentifier: [UInt8] = [], nasAddress: [UInt8] = [],
        fold: SessionFold, booked: BookedUsage? = nil, writer: UInt32?, session: Int
    ) {
        (self.id, self.tenant, self.key, self.subscriber, profile, forwardedRealm) = (id, tenant, key, subscriber, 0, 0)
        (self.nasIdentifier, self.nasAddress) = (nasIdentifier, nasAddress)
        (self.fold, self.booked, self.writer, self.session) = (fold, booked, writer, session)
        (isNew, isChanged, isBookingChanged) = (false, false, false)
    }

    /// A session that the database does not have yet.
    init(
        opened fold: SessionFold, tenant: Int64, key: SessionKey, subscriber: Int64, profile: Int64, forwardedRealm: Int64, session: Int
    ) {
        (id, self.tenant, self.key, self.subscriber, self.profile) = (0, tenant, key, subscriber, profile)
        self.forwardedRealm = forwardedRealm
        (nasIdentifier, nasAddress) = ([], [])
        (self.fold, writer, self.session) = (fold, nil, session)
        (isNew, isChanged, isBookingChanged) = (true, true, true)
    }

    /// More of it than its progress is to be written.
    var isTold: Bool { isNew || naming != nil || isBookingChanged }

    /// Its progress is to be written: the header of a new session says how it began, and that is how far it is while it is open.
    var isGrown: Bool { isChanged && !(isNew && fold.isOpen) }

    /// The database has the row as it stands here, by transaction `writer`; from now on it comes from memory.
    func isStored(by writer: UInt32) {
        if isGrown { self.writer = writer }
        naming = nil
        (isNew, isChanged, isBookingChanged, isAlone) = (false, false, false, true)
    }

    /// Takes down that the totals grew by `growth` through a record of `day`, and returns what is now to be booked: what the session used
    /// on the day before, or `growth` itself where it came late.
    func use(_ growth: Usage, on day: Int32) -> (day: Int32, usage: Usage)? {
        if day == booked?.day { return nil }
        let before = Usage(upload: fold.upload.total, download: fold.download.total, seconds: fold.seconds).less(growth)
        isBookingChanged = true
        guard var booked else {
            self.booked = BookedUsage(day: day, usage: before)
            return nil
        }
        if day < booked.day {
            booked.usage.add(growth)
            self.booked = booked
            return (day, growth)
        }
        self.booked = BookedUsage(day: day, usage: before)
        return (booked.day, before.less(booked.usage))
    }

    /// Whether `record`, an Accounting-On or -Off, speaks of the NAS that holds this session.
    func isHeld(byNASOf record: AccountingRecord) -> Bool {
        let identifier = StorableText.octets(of: record.nasIdentifier)
        return (identifier.isEmpty || nasIdentifier.isEmpty || identifier == nasIdentifier)
            && (record.nasAddress.isEmpty || nasAddress.isEmpty || record.nasAddress == nasAddress)
    }

    /// Takes over what `whole` names, whose digest is `digest`.
    func name(_ whole: AccountingRecord, from peer: InlineArray<16, UInt8>, digest: UInt64) {
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
    /// The value of `ended_by` in `aaa.session`.
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
