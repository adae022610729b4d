/// Records of one realm that wait in the journal, because as many of it wait in memory as may.
struct RealmBacklog {
    /// Stands before the first of them.
    var reader: JournalReader
    /// How many they are.
    var count = 0
    /// The number of the last of them.
    private(set) var last: UInt64 = 0
    /// Of what the journal no longer has; other realms' among them.
    private var abandoned: UInt64 = 0

    init(reader: JournalReader) { self.reader = reader }

    var isDone: Bool { reader.lastSequence >= last || abandoned > 0 }
    var lost: UInt64 { reader.lostRecords + abandoned }

    mutating func add(_ sequence: UInt64) {
        last = sequence
        count += 1
    }

    /// Ends it: the journal has no more up to the last.
    mutating func abandon() { abandoned = last - reader.lastSequence }
}
