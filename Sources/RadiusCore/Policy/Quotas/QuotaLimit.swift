/// Which octets a quota counts, as the subscriber sees them.
public enum QuotaDirection: UInt8, CaseIterable, Hashable, Sendable, BitwiseCopyable {
    case both, upload, download

    /// As API and database spell it.
    public var name: String {
        switch self {
        case .both: "both"
        case .upload: "upload"
        case .download: "download"
        }
    }

    public init?(name: some StringProtocol) {
        guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = match
    }

    /// The octets that count, of those that a session has moved.
    func counted(upload: UInt64, download: UInt64) -> UInt64 {
        switch self {
        case .both: upload.addingSaturating(download)
        case .upload: upload
        case .download: download
        }
    }
}

/// What is left of a quota that takes the service away, so that a NAS ends the session of whoever goes on while nobody counts.
///
/// The figures are those of the last look at the quota (`aaa.limit_sessions`), with its margin: never less than what is left, so that what
/// nobody knows cuts nobody off. Stored in a record octet by octet.
public struct QuotaLimit: Hashable, Sendable, BitwiseCopyable {
    /// What one session may use until `untilSeconds`; at least 1.
    public var octets: UInt64
    /// The same from then on, as far as is known before.
    public var laterOctets: UInt64
    /// Since 1970: when the window ends, or a top-up before that.
    public var untilSeconds: UInt32
    /// Since 1970: when `laterOctets` end, too: with the next window, or with this one where a top-up ends before.
    public var laterUntilSeconds: UInt32
    public var direction: QuotaDirection
    /// It is a top-up that ends then, so that less is left.
    public var shrinks: Bool

    public init(
        octets: UInt64, laterOctets: UInt64, untilSeconds: UInt32, laterUntilSeconds: UInt32, direction: QuotaDirection, shrinks: Bool
    ) {
        self.octets = octets
        self.laterOctets = laterOctets
        self.untilSeconds = untilSeconds
        self.laterUntilSeconds = laterUntilSeconds
        self.direction = direction
        self.shrinks = shrinks
    }

    /// What is left at `seconds` since 1970.
    func octets(at seconds: UInt32) -> UInt64 { max(1, seconds < untilSeconds ? octets : laterOctets) }
}

/// What the NAS of one make is told of a quota at one moment.
struct QuotaShare {
    /// The attribute and what it says; nil where the make has none for the direction, or none that can say so much.
    let volume: (attribute: VolumeAttribute, octets: UInt64)?
    /// Session-Timeout in seconds; nil: the quota asks for none.
    let seconds: UInt32?

    /// - Parameters:
    ///   - limit: the subscriber's.
    ///   - vendor: make of the NAS.
    ///   - now: since 1970.
    ///   - used: octets that count and that the session has moved already.
    init(_ limit: QuotaLimit, to vendor: NASVendor, at now: UInt32, used: UInt64 = 0) {
        let octets = limit.octets(at: now).addingSaturating(used)
        if let attribute = VolumeAttribute.of(vendor, limit.direction), octets <= attribute.largest {
            volume = (attribute, octets)
        } else {
            volume = nil
        }
        let isEarly = now < limit.untilSeconds
        let end = isEarly ? limit.untilSeconds : limit.laterUntilSeconds
        // Beyond the window a session goes on where it can be told the next one's limit while it runs, and meanwhile keeps to this one's.
        let goesOn = volume != nil && VolumeAttribute.isTakenByCoA(vendor) && !(isEarly && limit.shrinks)
        seconds = now < end && !goesOn ? end - now : nil
    }
}

extension UInt64 {
    func addingSaturating(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
