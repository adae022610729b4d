/// Says one rate in each vendor's attributes.
///
/// A table (`VendorRatesTable`) is interpreted; nothing here knows a vendor. Pure functions, any thread; meant for the making of
/// a snapshot, not for each packet.
public enum VendorRates {
    /// Renders `rate` for `vendor`.
    ///
    /// - Returns: attributes to append, and what they leave unsaid. An unlimited direction sends nothing in an Access-Accept.
    public static func render(_ rate: BandwidthRate, for vendor: NASVendor, in packet: RatePacket) -> RateRendering {
        let table = VendorRatesTable.table(of: vendor)
        var renderer = RateRenderer(rate: rate, packet: packet)
        if packet == .accept || table.change != .byNewSession {
            for row in table.rows where row.holds(in: packet, for: rate) { renderer.apply(row) }
        }
        renderer.reportUnsettled(takingPolicies: table.rows)
        return RateRendering(attributes: renderer.attributes, alarms: renderer.alarms)
    }

    /// Whether a running session of this vendor takes a new rate. If not, only a Disconnect-Request and a new login change it.
    public static func canChangeByCoA(_ vendor: NASVendor) -> Bool {
        VendorRatesTable.table(of: vendor).change != .byNewSession
    }
}

/// Works through one vendor's rows for one rate.
struct RateRenderer {
    let rate: BandwidthRate
    let packet: RatePacket
    private(set) var attributes: [UInt8] = []
    private(set) var alarms: [RateAlarm] = []
    private var settled: Set<RateDirection> = []

    init(rate: BandwidthRate, packet: RatePacket) {
        self.rate = rate
        self.packet = packet
    }

    mutating func apply(_ row: VendorRatesRow) {
        guard let value = value(of: row), append(row, value) else { return }
        settled.formUnion(row.directions)
        if !row.isConfirmed { report(.unitUnconfirmed(attribute: row.name)) }
    }

    /// Alarms for the directions that no row spoke of.
    mutating func reportUnsettled(takingPolicies rows: [VendorRatesRow]) {
        for direction in RateDirection.allCases where !settled.contains(direction) {
            if rate.bitsPerSecond(direction) == 0 && rate.policy(direction) == nil {
                if packet == .coa { report(.cannotLift(direction)) }
                continue
            }
            let named = rows.contains { $0.takesPolicy && $0.directions.contains(direction) }
            report(named && rate.policy(direction) == nil ? .policyNameMissing(direction) : .cannotExpress(direction))
        }
    }

    private mutating func value(of row: VendorRatesRow) -> [UInt8]? {
        switch row.value {
        case .integer(let quantity, let direction, let unit, let octets):
            return integer(quantity, direction, unit, octets: octets, row)
        case .constant(let value):
            guard row.directions.allSatisfy({ rate.bitsPerSecond($0) > 0 }) else { return nil }
            return Self.bigEndian(UInt64(value), octets: 4)
        case .text(let templates):
            return text(templates, row)
        case .policy(let direction, let limit):
            return rate.policy(direction).flatMap { policy($0, direction, limit: limit) }
        case .sharedPolicy(let limit):
            return sharedPolicy(limit: limit)
        }
    }

    private mutating func integer(
        _ quantity: VendorRatesRow.Quantity, _ direction: RateDirection, _ unit: RateUnit, octets: Int, _ row: VendorRatesRow
    ) -> [UInt8]? {
        let limit = octets == 8 ? UInt64.max : UInt64(UInt32.max)
        guard let asked = amount(quantity, direction) else { return nil }
        switch quantity {
        case .burstOctets, .burstKilobits:
            return Self.bigEndian(min(max(asked, 1), limit), octets: octets)
        case .rate, .peak, .burst:
            let (largest, overflow) = limit.multipliedReportingOverflow(by: unit.rawValue)
            let sent = fitted(asked, step: unit.rawValue, maximum: min(overflow ? .max : largest, row.maximum), direction)
            return Self.bigEndian(sent / unit.rawValue, octets: octets)
        }
    }

    /// The number behind a quantity: bit/s, or the size of a burst; nil when there is none.
    private func amount(_ quantity: VendorRatesRow.Quantity, _ direction: RateDirection) -> UInt64? {
        let sustained = rate.bitsPerSecond(direction)
        guard sustained > 0 else { return nil }
        switch quantity {
        case .rate: return sustained
        case .peak: return rate.burst(direction) ?? sustained
        case .burst: return rate.burst(direction)
        case .burstOctets: return burstBits(direction).map { $0 / 8 }
        case .burstKilobits: return burstBits(direction).map { $0 / 1000 }
        }
    }

    private func burstBits(_ direction: RateDirection) -> UInt64? {
        guard let burst = rate.burst(direction), let seconds = rate.burstSeconds, seconds > 0 else { return nil }
        let (bits, overflow) = burst.multipliedReportingOverflow(by: UInt64(seconds))
        return overflow ? .max : bits
    }

    private mutating func text(_ templates: [String], _ row: VendorRatesRow) -> [UInt8]? {
        let limited = row.directions.contains { rate.bitsPerSecond($0) > 0 || rate.policy($0) != nil }
        guard limited || packet == .coa else { return nil }
        var template = RateTemplate(rate: rate, zeroLifts: row.zeroLifts)
        for candidate in templates {
            let filled = template.fill(candidate) { bits, step, direction in
                fitted(bits, step: max(step, row.step), maximum: row.maximum, direction)
            }
            if let filled { return Array(filled.utf8) }
        }
        return nil
    }

    private mutating func policy(_ name: String, _ direction: RateDirection, limit: Int) -> [UInt8]? {
        let octets = name.utf8.count
        if octets > limit { report(.policyNameTooLong(direction, limit: limit, octets: octets)) }
        return Array(name.utf8)
    }

    private mutating func sharedPolicy(limit: Int) -> [UInt8]? {
        if let up = rate.policy(.upload), let down = rate.policy(.download), up != down { report(.policyNamesDiffer) }
        if let down = rate.policy(.download) { return policy(down, .download, limit: limit) }
        return rate.policy(.upload).flatMap { policy($0, .upload, limit: limit) }
    }

    /// The largest value that the attribute can say and that is not above `bits`; never 0, which on many NAS is "no limit".
    private mutating func fitted(_ bits: UInt64, step: UInt64, maximum: UInt64, _ direction: RateDirection) -> UInt64 {
        let largest = maximum - maximum % step
        if bits > largest {
            report(.clamped(direction, asked: bits, sent: largest))
            return largest
        }
        let whole = max(bits - bits % step, step)
        if whole != bits { report(.rounded(direction, asked: bits, sent: whole)) }
        return whole
    }

    private mutating func report(_ alarm: RateAlarm) {
        if !alarms.contains(alarm) { alarms.append(alarm) }
    }

    /// Appends the attribute; false when its value is longer than one attribute holds.
    private mutating func append(_ row: VendorRatesRow, _ value: [UInt8]) -> Bool {
        if row.vendor == 0 {
            guard value.count <= 253 else { return false }
            attributes += [UInt8(truncatingIfNeeded: row.number), UInt8(value.count + 2)] + value
            return true
        }
        let header = Int(row.format.typeOctets) + Int(row.format.lengthOctets)
        let inner = header + value.count
        guard inner <= 249 else { return false }
        attributes += [AttributeNumber.vendorSpecific, UInt8(inner + 6)] + Self.bigEndian(UInt64(row.vendor), octets: 4)
        attributes += Self.bigEndian(UInt64(row.number), octets: Int(row.format.typeOctets))
        attributes += Self.bigEndian(UInt64(inner), octets: Int(row.format.lengthOctets)) + value
        return true
    }

    private static func bigEndian(_ value: UInt64, octets: Int) -> [UInt8] {
        (0..<octets).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (octets - 1 - $0))) }
    }
}
