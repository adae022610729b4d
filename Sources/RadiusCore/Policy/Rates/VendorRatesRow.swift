/// One attribute of a vendor's table: what to send, how it counts, and where we know that from.
struct VendorRatesRow: Sendable {
    /// How the value is made.
    enum Value: Sendable {
        /// A rate in `unit`, as an unsigned integer of `octets` (4 or 8).
        case integer(Quantity, RateDirection, RateUnit, octets: Int)
        /// A switch that belongs to its direction's rate.
        case constant(UInt32)
        /// The first of these templates whose placeholders all have a value.
        case text([String])
        /// The name of a policy on the NAS; longest documented length in octets.
        case policy(RateDirection, limit: Int)
        /// One name for both directions.
        case sharedPolicy(limit: Int)
    }

    /// Which of a direction's numbers is sent.
    enum Quantity: Sendable {
        case rate
        /// The burst, or the rate when there is no burst.
        case peak
        /// The burst only; the attribute is left out without one.
        case burst
        /// Octets that a burst of `burstSeconds` moves; left out without burst and seconds.
        case burstOctets
        /// Kilobits that a burst of `burstSeconds` moves; left out without burst and seconds.
        case burstKilobits
    }

    /// When the row holds at all.
    enum Condition: Sendable {
        case always, accept, coa
        /// Only while its direction has no policy name.
        case withoutPolicy, acceptWithoutPolicy, coaWithoutPolicy
    }

    /// The attribute's name in the dictionaries.
    let name: String
    /// IANA Private Enterprise Number; 0 for a standard attribute.
    let vendor: UInt32
    let number: UInt16
    let value: Value
    /// The directions that it settles.
    let directions: [RateDirection]
    var condition = Condition.always
    /// Octets of type and length inside the Vendor-Specific attribute.
    var format = VendorFormat()
    /// Largest bits per second that the attribute takes, where a document says so.
    var maximum = UInt64.max
    /// Bits per second of one step, where a document says so.
    var step: UInt64 = 1
    /// A zero says "no limit" on this vendor, so one direction may be unlimited and CoA can lift a limit.
    var zeroLifts = false
    /// False: nobody has confirmed unit and format.
    var isConfirmed = true
    /// Where the row's facts come from.
    let source: String

    /// The policy's name goes here, so a missing name is the operator's to mend.
    var takesPolicy: Bool {
        switch value {
        case .policy, .sharedPolicy: true
        default: false
        }
    }

    func holds(in packet: RatePacket, for rate: BandwidthRate) -> Bool {
        let named = directions.allSatisfy { rate.policy($0) != nil }
        switch condition {
        case .always: return true
        case .accept: return packet == .accept
        case .coa: return packet == .coa
        case .withoutPolicy: return !named
        case .acceptWithoutPolicy: return packet == .accept && !named
        case .coaWithoutPolicy: return packet == .coa && !named
        }
    }
}

/// What one count of a vendor's attribute stands for.
enum RateUnit: UInt64, Sendable {
    case bit = 1
    case octet = 8
    case kilobit = 1000
}

/// How a vendor's rate can be changed while the session runs.
enum RateChange: Sendable {
    /// Documented, or seen in the vendor's own configuration.
    case byCoA
    /// Nobody documents it, but the attribute is the same; the NAS answers with a NAK if not.
    case untested
    /// Only a new login changes it.
    case byNewSession
}

/// A vendor's part of the table.
struct VendorRatesTable: Sendable {
    let change: RateChange
    let rows: [VendorRatesRow]
}
