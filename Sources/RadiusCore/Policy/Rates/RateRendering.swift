/// Which packet carries the rate.
public enum RatePacket: UInt8, CaseIterable, Hashable, Sendable {
    /// Access-Accept: no attribute means no limit.
    case accept
    /// CoA-Request: no attribute means that the session keeps what it has.
    case coa
}

/// A rate in the words of one vendor.
public struct RateRendering: Hashable, Sendable {
    /// Encoded attributes, ready to append to a packet; empty when there is nothing to say or nothing can be said.
    public let attributes: [UInt8]
    /// Where the attributes say less than, or something other than, what was asked.
    public let alarms: [RateAlarm]

    public init(attributes: [UInt8], alarms: [RateAlarm]) {
        self.attributes = attributes
        self.alarms = alarms
    }

    /// Both directions are said in full: nothing clamped, missing or out of reach.
    public var isFaithful: Bool { !alarms.contains { $0.losesRate } }
}

/// One way in which a vendor's attributes fall short of a rate. All rates are in bits per second.
public enum RateAlarm: Hashable, Sendable {
    /// The attribute cannot hold `asked`; `sent` is the largest value that it can.
    case clamped(RateDirection, asked: UInt64, sent: UInt64)
    /// The attribute counts in larger steps; `sent` is the nearest step below, or the smallest step.
    case rounded(RateDirection, asked: UInt64, sent: UInt64)
    /// No document confirms the unit or format of this attribute: try it on the device.
    case unitUnconfirmed(attribute: String)
    /// The vendor knows only names of policies here, and the rate has none.
    case policyNameMissing(RateDirection)
    /// The name is longer than the vendor documents; it was sent whole when the attribute can hold it (247 octets).
    case policyNameTooLong(RateDirection, limit: Int, octets: Int)
    /// One name serves both directions on this vendor, and the rate has two different ones; the download's was sent.
    case policyNamesDiffer
    /// The vendor has no attribute for this direction in this packet.
    case cannotExpress(RateDirection)
    /// The direction is unlimited, but the vendor has no value that lifts a limit in mid-session.
    case cannotLift(RateDirection)

    /// The subscriber gets another speed than the rate says.
    public var losesRate: Bool {
        switch self {
        case .clamped, .policyNameMissing, .policyNamesDiffer, .cannotExpress, .cannotLift: true
        case .rounded, .unitUnconfirmed, .policyNameTooLong: false
        }
    }

    /// What happened and what to do about it, for the operator.
    public var message: String {
        switch self {
        case .clamped(let direction, let asked, let sent):
            "\(direction.name) of \(asked) bit/s does not fit this vendor's attribute; \(sent) bit/s was sent. Use a policy name instead."
        case .rounded(let direction, let asked, let sent):
            "\(direction.name) of \(asked) bit/s was sent as \(sent) bit/s, the step that this vendor's attribute counts in."
        case .unitUnconfirmed(let attribute):
            "The unit or format of \(attribute) is not confirmed by the vendor's documents. Test one session before relying on it."
        case .policyNameMissing(let direction):
            "This vendor takes the \(direction.name) rate only as the name of a policy. Set the profile's \(direction.name)_policy."
        case .policyNameTooLong(let direction, let limit, let octets):
            "The \(direction.name) policy's name has \(octets) octets; the vendor documents \(limit). Shorten it if the NAS refuses it."
        case .policyNamesDiffer:
            "This vendor takes one policy for both directions. Give upload_policy and download_policy the same name."
        case .cannotExpress(let direction):
            "This vendor has no attribute for the \(direction.name) rate in this packet. Set it on the NAS, or as the profile's own attribute."
        case .cannotLift(let direction):
            "This vendor has no value that lifts the \(direction.name) limit of a running session. Disconnect the session."
        }
    }
}
