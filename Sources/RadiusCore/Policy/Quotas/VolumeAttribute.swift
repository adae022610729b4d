/// The attribute, of one or two Vendor-Specific ones (RFC 2865 §5.26), that tells a NAS how many octets a session may move.
struct VolumeAttribute: Equatable {
    /// IANA Private Enterprise Number.
    let vendor: UInt32
    /// Bits 0 to 31.
    let number: UInt8
    /// Bits 32 to 63; 0: there is no attribute for them.
    let gigawords: UInt8

    /// What a make has for a direction; nil for none. Only what is known by its unit stands here.
    ///
    /// A NAS receives what the subscriber uploads: `Recv` and `Input` are upload, `Xmit` and `Output` download.
    static func of(_ vendor: NASVendor, _ direction: QuotaDirection) -> VolumeAttribute? {
        switch (vendor, direction) {
        // Mikrotik-Total-Limit, Mikrotik-Recv-Limit, Mikrotik-Xmit-Limit (dictionary.mikrotik)
        case (.mikrotik, .both): VolumeAttribute(vendor: 14988, number: 17, gigawords: 18)
        case (.mikrotik, .upload): VolumeAttribute(vendor: 14988, number: 1, gigawords: 14)
        case (.mikrotik, .download): VolumeAttribute(vendor: 14988, number: 2, gigawords: 15)
        // Cambium-Traffic-Quota-Limit-Total, -Up, -Down (dictionary.cambium)
        case (.cambium, .both): VolumeAttribute(vendor: 17713, number: 155, gigawords: 156)
        case (.cambium, .upload): VolumeAttribute(vendor: 17713, number: 151, gigawords: 153)
        case (.cambium, .download): VolumeAttribute(vendor: 17713, number: 152, gigawords: 154)
        // ChilliSpot-Max-Total-Octets, -Max-Input-Octets, -Max-Output-Octets (chilli-radius(5)); CoovaChilli has the gigawords as well
        case (.chillispot, .both): VolumeAttribute(vendor: 14559, number: 3, gigawords: 23)
        case (.chillispot, .upload): VolumeAttribute(vendor: 14559, number: 1, gigawords: 21)
        case (.chillispot, .download): VolumeAttribute(vendor: 14559, number: 2, gigawords: 22)
        // pfSense-Max-Total-Octets (dictionary.pfsense)
        case (.pfsense, .both): VolumeAttribute(vendor: 13644, number: 3, gigawords: 0)
        default: nil
        }
    }

    /// Whether a running session at a NAS of `vendor` takes another value by CoA; others keep what their log-in brought. The function
    /// `aaa.request_limit` of the database has the same list.
    static func isTakenByCoA(_ vendor: NASVendor) -> Bool { vendor == .mikrotik }

    /// The most that it can say.
    var largest: UInt64 { gigawords == 0 ? UInt64(UInt32.max) : .max }

    /// Octets of one of these on the wire.
    private static let count = 12

    /// What the attribute at `octets` has of this one's value, and the bits that it stands for; nil when it is another.
    func part(_ octets: UnsafePointer<UInt8>, _ count: Int) -> (value: UInt64, bits: UInt64)? {
        guard count == Self.count, octets[0] == AttributeNumber.vendorSpecific, octets[7] == 6,
            Self.word(octets + 2) == vendor
        else { return nil }
        let word = UInt64(Self.word(octets + 8))
        if octets[6] == number { return (word, 0xffff_ffff) }
        guard gigawords != 0, octets[6] == gigawords else { return nil }
        return (word << 32, 0xffff_ffff_0000_0000)
    }

    /// Appends `octets`, which are at most `largest`.
    @_lifetime(writer: copy writer)
    func append(_ octets: UInt64, to writer: inout PacketWriter) {
        Self.append(vendor, number, UInt32(truncatingIfNeeded: octets), to: &writer)
        if gigawords != 0 { Self.append(vendor, gigawords, UInt32(truncatingIfNeeded: octets >> 32), to: &writer) }
    }

    @_lifetime(writer: copy writer)
    private static func append(_ vendor: UInt32, _ number: UInt8, _ value: UInt32, to writer: inout PacketWriter) {
        let octets: InlineArray<4, UInt8> = [
            UInt8(truncatingIfNeeded: value >> 24), UInt8(truncatingIfNeeded: value >> 16), UInt8(truncatingIfNeeded: value >> 8),
            UInt8(truncatingIfNeeded: value),
        ]
        writer.append(vendor: vendor, number, octets.span)
    }

    private static func word(_ octets: UnsafePointer<UInt8>) -> UInt32 {
        UInt32(bigEndian: UnsafeRawPointer(octets).loadUnaligned(as: UInt32.self))
    }
}
