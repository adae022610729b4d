internal import Glibc

/// Where requests tell the line that they come from.
enum LineAttributes {
    /// ADSL-Forum (RFC 4679 §3.3), whose attributes nearly all makes use.
    private static let broadbandForum: UInt32 = 3561
    /// Redback and Ericsson: Agent-Remote-Id 96, Agent-Circuit-Id 97.
    private static let redback: UInt32 = 2352
    /// Cisco-AVPair 1: `circuit-id-tag=` and `remote-id-tag=`.
    private static let cisco: UInt32 = 9

    /// The octets that count of the first value that `request` has; empty where it has none.
    static func value(_ kind: BindingKind, of request: RequestAttributes) -> Range<Int> {
        switch kind {
        case .mac: return trimmed(request.first(.callingStationID), .mac, request)
        case .port: return trimmed(request.first(.nasPortID), .port, request)
        case .circuit, .remote: break
        }
        var next = request.first(.vendorSpecific)
        while let range = next {
            if let found = member(kind, range, request.packet) { return found }
            next = request.next(.vendorSpecific, after: range)
        }
        return 0..<0
    }

    private static func trimmed(_ range: Range<Int>?, _ kind: BindingKind, _ request: RequestAttributes) -> Range<Int> {
        guard let range else { return 0..<0 }
        return BoundOctets.trimmed(request.packet, range, kind)
    }

    /// Within one Vendor-Specific attribute. What follows a length that lies is passed over.
    private static func member(_ kind: BindingKind, _ value: Range<Int>, _ packet: UnsafePointer<UInt8>) -> Range<Int>? {
        guard value.count > 6 else { return nil }
        let vendor = UnsafeRawPointer(packet + value.lowerBound).loadUnaligned(as: UInt32.self).byteSwapped
        guard let number = number(kind, vendor) else { return nil }
        var place = value.lowerBound &+ 4
        while place &+ 2 <= value.upperBound {
            let length = Int(packet[place &+ 1])
            guard length >= 2, length <= value.upperBound &- place else { return nil }
            if packet[place] == number, let found = told(kind, vendor, place &+ 2..<place &+ length, packet) { return found }
            place &+= length
        }
        return nil
    }

    private static func number(_ kind: BindingKind, _ vendor: UInt32) -> UInt8? {
        switch vendor {
        case broadbandForum: kind == .circuit ? 1 : 2
        case redback: kind == .circuit ? 97 : 96
        case cisco: 1
        default: nil
        }
    }

    private static func told(_ kind: BindingKind, _ vendor: UInt32, _ range: Range<Int>, _ packet: UnsafePointer<UInt8>) -> Range<Int>? {
        var range = range
        if vendor == cisco {
            let tag: StaticString = kind == .circuit ? "circuit-id-tag=" : "remote-id-tag="
            let count = tag.utf8CodeUnitCount
            guard range.count > count, memcmp(packet + range.lowerBound, tag.utf8Start, count) == 0 else { return nil }
            range = range.lowerBound &+ count..<range.upperBound
        }
        let trimmed = BoundOctets.trimmed(packet, range, kind)
        return trimmed.isEmpty ? nil : trimmed
    }
}
