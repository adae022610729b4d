/// When a rule holds, with its types checked.
indirect enum RuleCondition: Hashable, Sendable {
    case always
    case test(RuleTest)
    case not(RuleCondition)
    case all([RuleCondition])
    case any([RuleCondition])
}

/// One look at one value. False whenever the value is absent.
struct RuleTest: Hashable, Sendable {
    let subject: RuleSubject
    let predicate: RulePredicate
    /// Where it stands; two tests that say the same in different places are equal.
    let place: RulePlace
    /// As it was written.
    let text: String

    static func == (left: RuleTest, right: RuleTest) -> Bool {
        left.subject == right.subject && left.predicate == right.predicate
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(subject)
        hasher.combine(predicate)
    }
}

/// What is asked of a value that is there.
enum RulePredicate: Hashable, Sendable {
    case present
    /// A number within these bounds; `RuleNumber` says how signed ones are ordered.
    case inside(UInt64, UInt64)
    case outside(UInt64, UInt64)
    case equal([UInt8])
    case different([UInt8])
    case matches(Glob)
    /// An address in the network, or a prefix that lies in it; the length counts from the first of 128 bits.
    case within(IPAddress, Int)
    case without(IPAddress, Int)
}

/// A value that conditions ask about.
struct RuleSubject: Hashable, Sendable {
    let source: RuleSource
    let kind: RuleKind
}

/// Where a value comes from.
enum RuleSource: Hashable, Sendable {
    /// The first attribute of that number in the request.
    case attribute(UInt8, isTagged: Bool)
    /// The first one inside of Vendor-Specific.
    case vendor(UInt32, number: UInt32, format: VendorFormat, isTagged: Bool)
    case subscriberName, subscriberRealm, subscriberProfile, subscriberStatus, subscriberLevel
    case nasName, nasHuntgroup, nasVendor, nasAddress
    case method
    case timeOfDay, weekday, date
}

/// What kind of value it is, and so how it is written and compared.
enum RuleKind: Hashable, Sendable {
    case text
    /// Octets; of that number, where it is fixed.
    case octets(Int?)
    /// An unsigned number of that many octets.
    case number(Int)
    case signed
    case ipv4, ipv6, comboIP
    case prefix(octets: Int)
    case flag
}

/// Signed numbers among unsigned ones.
enum RuleNumber {
    /// A number whose order as an unsigned one is that of `value`.
    static func ordered(_ value: Int32) -> UInt64 { UInt64(bitPattern: Int64(value)) ^ 1 << 63 }
}
