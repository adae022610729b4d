import RadiusCore

/// What a simulated NAS is and does.
struct SimulatorPlan {
    /// What it says to CoA and Disconnect requests.
    enum Answer: Equatable {
        case acknowledge
        case refuse(ErrorCause)
        case silence
    }

    /// NAS-Identifier.
    var name: String
    /// NAS-IP-Address or NAS-IPv6-Address; nil: not sent.
    var address: IPAddress?
    var secret: SharedSecret
    var credential: ClientCredential
    /// The user name of each session.
    var userNames: [[UInt8]]
    /// Milliseconds between interim records; nil: as the server says, none if it does not.
    var interim: Int?
    /// Octets a second to and from each subscriber.
    var downloadOctets: UInt64 = 1_000_000
    var uploadOctets: UInt64 = 100_000
    /// Milliseconds after which all sessions end; nil: never.
    var duration: Int?
    var answer = Answer.acknowledge
    /// Encoded attributes that logins and accounting carry.
    var attributes: [UInt8] = []
    /// Requests in flight on each port, at most; an identifier has one octet.
    var window = 64
    /// Milliseconds before a request is sent again.
    var timeout = 3000
    var retries = 4
    /// Begins each Acct-Session-Id.
    var run: String
}

/// Attributes in wire form, one after the other.
struct AttributeOctets {
    private(set) var octets: [UInt8] = []

    /// Adds a value of at most 253 octets; a longer one is cut.
    mutating func append(_ number: UInt8, _ value: some Collection<UInt8>) {
        let kept = value.prefix(253)
        octets += [number, UInt8(kept.count + 2)] + kept
    }

    mutating func append(_ number: UInt8, _ value: UInt32) {
        append(number, withUnsafeBytes(of: value.bigEndian) { Array($0) })
    }

    mutating func append(_ number: UInt8, _ address: IPAddress, orIPv6 ipv6Number: UInt8) {
        if let ipv4 = address.ipv4 { append(number, ipv4) } else { append(ipv6Number, address.octets) }
    }

    mutating func append(encoded attributes: [UInt8]) { octets += attributes }

    /// Adds encoded attributes in place of those of the same numbers. Vendors' attributes stand beside others.
    mutating func replace(with attributes: [UInt8]) {
        var given: Set<UInt8> = []
        var cursor = AttributeCursor(0..<attributes.count)
        while let member = cursor.next(in: attributes.span) {
            if member.type != UInt32(AttributeNumber.vendorSpecific) { given.insert(UInt8(truncatingIfNeeded: member.type)) }
        }
        var kept: [UInt8] = []
        cursor = AttributeCursor(0..<octets.count)
        while let member = cursor.next(in: octets.span) {
            guard !given.contains(UInt8(truncatingIfNeeded: member.type)) else { continue }
            kept += octets[member.range.lowerBound - 2..<member.range.upperBound]
        }
        octets = kept + attributes
    }

    /// The values of an attribute in encoded attributes, in order.
    static func values(_ number: UInt8, in attributes: [UInt8]) -> [[UInt8]] {
        var cursor = AttributeCursor(0..<attributes.count)
        var values: [[UInt8]] = []
        while let member = cursor.next(in: attributes.span) {
            if member.type == UInt32(number) { values.append(Array(attributes[member.range])) }
        }
        return values
    }

    /// The 32-bit number of the first such attribute.
    static func number(_ number: UInt8, in attributes: [UInt8]) -> UInt32? {
        guard let value = values(number, in: attributes).first, value.count == 4 else { return nil }
        return value.reduce(0) { $0 << 8 | UInt32($1) }
    }
}
