public import RadiusCore

/// A range of a pool as somebody writes it: `192.0.2.0/24`, `192.0.2.10-192.0.2.99`, `2001:db8::/40`.
public struct AddressRange: Sendable, Equatable {
    /// The first item, and the last address of the last one.
    public let first: IPAddress
    public let last: IPAddress
    public let items: Int64

    /// More items than that no pool has use for; a /24 of /64 are 2^40.
    static let largest: UInt128 = 1 << 40

    /// Networks whose addresses are no host's (RFC 6890, RFC 1112 §4, RFC 4291 §2.5.6 and §2.7), with the bits of the 128 that count.
    private static let nobodys: [(network: String, length: Int, what: String)] = [
        ("0.0.0.0", 104, "0.0.0.0/8 is this network"), ("127.0.0.0", 104, "127.0.0.0/8 is each machine itself"),
        ("224.0.0.0", 100, "224.0.0.0/4 is multicast"), ("240.0.0.0", 100, "240.0.0.0/4 is reserved"),
        ("fe80::", 10, "fe80::/10 is of each link alone"), ("ff00::", 8, "ff00::/8 is multicast"),
    ]

    /// Why a text is no range.
    public struct Fault: Error, Equatable, CustomStringConvertible {
        public let description: String
    }

    /// - Parameters:
    ///   - text: as somebody wrote it.
    ///   - kind: of the pool.
    ///   - prefixLength: of an item; nil for IPv4.
    /// - Throws: `Fault` that says what is wrong.
    public init(_ text: String, kind: AddressPoolKind, prefixLength: Int?) throws(Fault) {
        if text.contains("-") {
            try self.init(bounds: text, kind)
        } else {
            try self.init(network: text, kind, itemLength: kind == .ipv4 ? 128 : prefixLength ?? 64)
        }
        for (network, length, what) in Self.nobodys {
            guard let start = IPAddress(text: network) else { continue }
            // A range that has a part of it lies around its begin, or begins or ends in it.
            let isAround = first <= start && start <= last
            guard isAround || first.masked(to: length) == start || last.masked(to: length) == start else { continue }
            throw Fault(description: "“\(text)” has addresses that no subscriber can use: \(what)")
        }
    }

    private init(bounds text: String, _ kind: AddressPoolKind) throws(Fault) {
        guard kind == .ipv4 else { throw Fault(description: "“\(text)”: prefixes come out of a network such as 2001:db8::/40") }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { IPAddress(text: Self.trimmed($0)) }
        guard ends.count == 2, let low = ends[0], let high = ends[1], let start = low.ipv4, let end = high.ipv4 else {
            throw Fault(description: "“\(text)”: two IPv4 addresses are expected, such as 192.0.2.10-192.0.2.99")
        }
        guard start <= end else { throw Fault(description: "“\(text)”: the last address is before the first one") }
        (first, last, items) = (low, high, Int64(end - start) + 1)
    }

    private init(network text: String, _ kind: AddressPoolKind, itemLength: Int) throws(Fault) {
        let parts = Self.trimmed(Substring(text)).split(separator: "/", omittingEmptySubsequences: false)
        let isIPv4 = kind == .ipv4
        let bits = isIPv4 ? 32 : 128
        guard parts.count <= 2, let address = IPAddress(text: String(parts[0])), (address.ipv4 != nil) == isIPv4 else {
            throw Fault(
                description:
                    "“\(text)”: an \(isIPv4 ? "IPv4 network such as 192.0.2.0/24" : "IPv6 network such as 2001:db8::/40") is expected")
        }
        guard let length = parts.count == 1 ? bits : Int(parts[1]), (1...bits).contains(length), parts.last?.first != "+" else {
            throw Fault(description: "“\(text)”: the prefix length is 1 to \(bits)")
        }
        let wide = length + 128 - bits
        guard address.masked(to: wide) == address else {
            throw Fault(
                description: "“\(text)”: bits are set beyond the prefix length; the network is \(address.masked(to: wide).text)/\(length)")
        }
        guard wide <= itemLength else {
            throw Fault(description: "“\(text)” is smaller than one item of the pool, a /\(itemLength)")
        }
        let count = UInt128(1) << UInt128(itemLength - wide)
        guard count <= Self.largest else { throw Fault(description: "“\(text)” has more than 2^40 items; name a part of it") }
        first = address
        items = Int64(count)
        let host: UInt128 = wide == 128 ? 0 : UInt128.max >> UInt128(wide)
        let low = UInt128(address.high) << 64 | UInt128(address.low)
        last = IPAddress(high: UInt64(truncatingIfNeeded: (low | host) >> 64), low: UInt64(truncatingIfNeeded: low | host))
    }

    func overlaps(_ other: AddressRange) -> Bool { first <= other.last && other.first <= last }

    private static func trimmed(_ text: Substring) -> String { String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
}

extension IPAddress {
    /// In the order of the network's octets.
    fileprivate static func <= (left: IPAddress, right: IPAddress) -> Bool { (left.high, left.low) <= (right.high, right.low) }
}
