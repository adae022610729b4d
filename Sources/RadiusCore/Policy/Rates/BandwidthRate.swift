/// The speed sold to a subscriber, in bits per second and named as the subscriber sees it.
///
/// One unit everywhere; the units of the vendors exist only in `VendorRates`.
public struct BandwidthRate: Hashable, Sendable {
    /// Bits per second towards the subscriber; 0 is unlimited and sends no attribute.
    public var downloadBitsPerSecond: UInt64
    /// Bits per second from the subscriber; 0 is unlimited and sends no attribute.
    public var uploadBitsPerSecond: UInt64
    /// Peak towards the subscriber; counts only above the rate itself.
    public var downloadBurstBitsPerSecond: UInt64?
    /// Peak from the subscriber; counts only above the rate itself.
    public var uploadBurstBitsPerSecond: UInt64?
    /// How long a burst may last, 1...3600.
    public var burstSeconds: UInt32?
    /// 1 (first) ... 8.
    public var priority: UInt8?
    /// A policy, profile or role that the NAS has configured for traffic to the subscriber.
    public var downloadPolicy: String?
    /// The same for traffic from the subscriber.
    public var uploadPolicy: String?

    public init(
        downloadBitsPerSecond: UInt64, uploadBitsPerSecond: UInt64, downloadBurstBitsPerSecond: UInt64? = nil,
        uploadBurstBitsPerSecond: UInt64? = nil, burstSeconds: UInt32? = nil, priority: UInt8? = nil,
        downloadPolicy: String? = nil, uploadPolicy: String? = nil
    ) {
        self.downloadBitsPerSecond = downloadBitsPerSecond
        self.uploadBitsPerSecond = uploadBitsPerSecond
        self.downloadBurstBitsPerSecond = downloadBurstBitsPerSecond
        self.uploadBurstBitsPerSecond = uploadBurstBitsPerSecond
        self.burstSeconds = burstSeconds
        self.priority = priority
        self.downloadPolicy = downloadPolicy
        self.uploadPolicy = uploadPolicy
    }

    /// The sustained rate of one direction.
    public func bitsPerSecond(_ direction: RateDirection) -> UInt64 {
        direction == .upload ? uploadBitsPerSecond : downloadBitsPerSecond
    }

    /// The burst of one direction, if it is above a sustained rate that is itself limited.
    public func burst(_ direction: RateDirection) -> UInt64? {
        let burst = direction == .upload ? uploadBurstBitsPerSecond : downloadBurstBitsPerSecond
        let rate = bitsPerSecond(direction)
        guard let burst, rate > 0, burst > rate else { return nil }
        return burst
    }

    /// The policy's name of one direction, if there is one that is not empty.
    public func policy(_ direction: RateDirection) -> String? {
        let name = direction == .upload ? uploadPolicy : downloadPolicy
        return name?.isEmpty == false ? name : nil
    }
}

/// Which way traffic flows, from the subscriber's chair.
public enum RateDirection: UInt8, CaseIterable, Hashable, Sendable {
    case upload
    case download

    /// `upload` or `download`.
    public var name: String { self == .upload ? "upload" : "download" }
}
