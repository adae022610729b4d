import Synchronization

/// What the last transactions of a NAS tell of it.
enum TrafficSigns {
    static func findings(_ facts: NASFacts) -> [NASFinding] {
        drops(facts) + limits(facts) + clock(facts) + make(facts) + crowd(facts) + repeats(facts)
    }

    // MARK: dropped packets

    private static let named: Set<DecodeError> = [
        .messageAuthenticatorInvalid, .requestAuthenticatorInvalid, .messageAuthenticatorMissing, .proxyStateUnsigned,
    ]

    private static func drops(_ facts: NASFacts) -> [NASFinding] {
        var counts: [DecodeError: Int] = [:]
        for record in facts.recent where record.header.outcome == .dropped {
            if let reason = DecodeError(rawValue: record.header.drop) { counts[reason, default: 0] += 1 }
        }
        let name = facts.client.name
        var found: [NASFinding] = []
        let wrong = counts[.messageAuthenticatorInvalid, default: 0] + counts[.requestAuthenticatorInvalid, default: 0]
        if wrong > 0 {
            found.append(
                NASFinding(
                    .problem, "secret_differs", "\(wrong) of its last packets were signed with another secret, and dropped.",
                    do: "Set the same secret at both ends, for authentication and accounting alike: lastmile nas update \(name) --secret S")
            )
        }
        let unsigned = counts[.messageAuthenticatorMissing, default: 0] + counts[.proxyStateUnsigned, default: 0]
        if unsigned > 0 {
            found.append(
                NASFinding(
                    .problem, "unsigned_dropped",
                    "\(unsigned) of its last packets lack the Message-Authenticator that is demanded, and were dropped.",
                    do: "Switch Message-Authenticator on at the NAS; if it never can: "
                        + "lastmile nas update \(name) --require-message-authenticator no"))
        }
        let others = counts.filter { !named.contains($0.key) }
        if let (reason, _) = others.max(by: { ($0.value, $0.key.rawValue) < ($1.value, $1.key.rawValue) }) {
            found.append(
                NASFinding(
                    .warning, "malformed_dropped",
                    "\(others.values.reduce(0, +)) of its last packets were dropped, mostly because: \(reason.explanation).",
                    do: "Look at them: lastmile radius trace --nas \(name)"))
        }
        return found
    }

    // MARK: rate limit

    private static let limitSeconds: Int64 = 86_400

    private static func limits(_ facts: NASFacts) -> [NASFinding] {
        let observation = facts.client.observation
        let since = facts.nowSeconds - observation.rateLimitedSeconds.load(ordering: .relaxed)
        guard since < limitSeconds else { return [] }
        let count = observation.rateLimited.load(ordering: .relaxed)
        let name = facts.client.name
        return [
            NASFinding(
                .warning, "rate_limited",
                "\(count) of its Access-Requests were dropped unread since the daemon started, the last \(NASDoctor.span(since)) ago: "
                    + "it sent more than \(facts.client.rateLimitPerSecond) a second.",
                do: "If these are log-ins of many at once, raise the limit: lastmile nas update \(name) --rate-limit-per-second N. "
                    + "If they are few that try without end, mend those: lastmile radius trace --nas \(name)")
        ]
    }

    // MARK: clock

    /// NTP keeps a clock within a second; accounting is dated by the NAS.
    private static let skewWarningSeconds: Int64 = 30
    private static let skewProblemSeconds: Int64 = 300

    private static func clock(_ facts: NASFacts) -> [NASFinding] {
        let skews = facts.recent.compactMap(skewSeconds).sorted()
        guard skews.count >= 3 else { return [] }
        let skew = skews[skews.count / 2]
        guard abs(skew) >= skewWarningSeconds else { return [] }
        return [
            NASFinding(
                abs(skew) >= skewProblemSeconds ? .problem : .warning, "clock_skew",
                "Its clock is \(NASDoctor.span(abs(skew))) \(skew > 0 ? "ahead of" : "behind") this machine's, by Event-Timestamp.",
                do: "Set NTP up on the NAS, and look at its time zone; this machine's clock has to be right, too (timedatectl).")
        ]
    }

    /// Event-Timestamp against the arrival less Acct-Delay-Time (RFC 2869 §5.3, RFC 2866 §5.2); nil without one.
    static func skewSeconds(_ record: FlightRecord) -> Int64? {
        guard record.request.first == PacketCode.accountingRequest.rawValue, record.header.outcome == .answered,
            let event = number(record, AttributeNumber.eventTimestamp)
        else { return nil }
        return event - (record.header.atMicroseconds / 1_000_000 - (number(record, AttributeNumber.acctDelayTime) ?? 0))
    }

    private static func number(_ record: FlightRecord, _ type: UInt8) -> Int64? {
        guard let value = record.value(type), value.count == 4 else { return nil }
        return value.reduce(0) { $0 << 8 | Int64($1) }
    }

    // MARK: make

    /// Whose attributes tell the make of what sends them, by Private Enterprise Number (IANA). Cisco's and those that several makes share
    /// tell nothing.
    private static let makes: [UInt32: NASVendor] = [
        14988: .mikrotik, 4874: .juniper, 2636: .juniper, 2011: .huawei, 6527: .nokia, 2352: .ericsson, 25506: .h3c, 3902: .zte,
        14823: .aruba, 25053: .ruckus, 14179: .airespace, 17713: .cambium, 43356: .mimosa, 12356: .fortinet, 14559: .chillispot,
        50058: .rtbrick, 8164: .starent, 2356: .lancom,
    ]
    /// What no make is, but attributes that devices of many read.
    private static let dialects: Set<NASVendor> = [.generic, .wispr, .ascend]
    /// Whose devices send attributes of another's.
    private static let kin: [NASVendor: Set<NASVendor>] = [.canopy: [.cambium], .hp: [.aruba, .h3c]]

    private static func make(_ facts: NASFacts) -> [NASFinding] {
        let sound = facts.recent.filter { $0.header.outcome != .dropped }
        let seen = Set(sound.flatMap { vendors(of: $0.request) }.compactMap { makes[$0] })
        guard let make = seen.first, seen.count == 1, make != facts.client.vendor, kin[facts.client.vendor]?.contains(make) != true
        else { return [] }
        return [
            NASFinding(
                dialects.contains(facts.client.vendor) ? .warning : .problem, "vendor_differs",
                "Its requests carry attributes of \(make.name), and here it is \(facts.client.vendor.name): rates go out in attributes "
                    + "that it may not read.",
                do: "lastmile nas update \(facts.client.name) --vendor \(make.name)")
        ]
    }

    /// The vendors of a packet's Vendor-Specific attributes.
    static func vendors(of packet: [UInt8]) -> Set<UInt32> {
        var found: Set<UInt32> = []
        var offset = PacketHeader.count
        while offset + 2 <= packet.count {
            let length = Int(packet[offset + 1])
            guard length >= 2, offset + length <= packet.count else { break }
            if packet[offset] == VendorAttribute.type, length >= 6 {
                found.insert(packet[offset + 2..<offset + 6].reduce(0) { $0 << 8 | UInt32($1) })
            }
            offset += length
        }
        return found
    }

    // MARK: several devices, lost replies

    private static func crowd(_ facts: NASFacts) -> [NASFinding] {
        guard facts.client.prefixLength == 128 else { return [] }
        let names = Set(facts.recent.compactMap { $0.value(AttributeNumber.nasIdentifier).map { String(decoding: $0, as: UTF8.self) } })
        guard names.count > 1 else { return [] }
        return [
            NASFinding(
                .note, "several_devices",
                "\(names.count) devices ask from its one address (\(names.sorted().prefix(3).joined(separator: ", "))), with one secret.",
                do: "Where they differ, make each a NAS with this address and its own nas_identifier and secret (lastmile nas create).")
        ]
    }

    private static let fewRequests = 20

    private static func repeats(_ facts: NASFacts) -> [NASFinding] {
        let answered = facts.recent.filter { $0.header.outcome == .answered || $0.header.outcome == .repeated }
        let repeated = answered.filter { $0.header.outcome == .repeated }.count
        guard answered.count >= fewRequests, repeated * 5 >= answered.count else { return [] }
        return [
            NASFinding(
                .warning, "retransmits", "\(repeated) of its last \(answered.count) requests were retransmissions of others.",
                do: "Replies get lost or come late: raise the NAS's timeout above radius.reject.delay_milliseconds, and look at the way "
                    + "between.")
        ]
    }
}
