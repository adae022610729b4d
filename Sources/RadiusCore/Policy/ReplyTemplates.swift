/// A profile's encoded attributes for every vendor, in one piece of memory that is read without counting references.
///
/// Belongs to its `ReplyProfile`, and is valid while that is alive.
struct ReplyTemplates: @unchecked Sendable {
    // Guard: written only while the profile is made, freed with it.
    private let octets: UnsafeMutableRawPointer
    private let entries: UnsafeMutablePointer<Entry>
    private let vendors: Int

    private struct Entry: BitwiseCopyable {
        let start: Int
        let count: Int
        let isKeyed: Bool
    }

    /// - Parameters:
    ///   - templates: by `NASVendor.rawValue`.
    ///   - filters: encoded Filter-Id attributes.
    ///   - name: of the profile.
    ///   - keyed: whether a vendor's reply has attributes that are encrypted for each packet.
    init(_ templates: [[UInt8]], filters: [UInt8], name: [UInt8], keyed: [Bool]) {
        vendors = templates.count
        octets = .allocate(byteCount: max(1, templates.reduce(filters.count + name.count) { $0 + $1.count }), alignment: 16)
        entries = .allocate(capacity: vendors + 2)
        var end = 0
        for (position, part) in (templates + [filters, name]).enumerated() {
            let isKeyed = position < keyed.count && keyed[position]
            (entries + position).initialize(to: Entry(start: end, count: part.count, isKeyed: isKeyed))
            part.withUnsafeBytes { if let start = $0.baseAddress { (octets + end).copyMemory(from: start, byteCount: $0.count) } }
            end += part.count
        }
    }

    func deallocate() {
        octets.deallocate()
        entries.deallocate()
    }

    func template(for vendor: NASVendor) -> UnsafeRawBufferPointer { part(Int(vendor.rawValue)) }

    var filters: UnsafeRawBufferPointer { part(vendors) }

    /// The profile's name.
    var name: UnsafeRawBufferPointer { part(vendors + 1) }

    func isKeyed(for vendor: NASVendor) -> Bool { entries[Int(vendor.rawValue)].isKeyed }

    private func part(_ position: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: octets + entries[position].start, count: entries[position].count)
    }
}
