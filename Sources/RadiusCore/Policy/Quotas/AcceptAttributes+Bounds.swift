/// What ends a session by itself, whatever rules and free attributes say.
extension AcceptAttributes {
    /// Leaves one Session-Timeout and one limit of octets of those from `start` on, the least of each, and none beyond what account and
    /// quota of the subscriber allow: they are what ends the session when nobody is there to do it. Allocates nothing.
    @_lifetime(writer: copy writer)
    static func boundSession(
        _ verdict: AccessVerdict, of subscriber: SubscriberRecord, to vendor: NASVendor, from start: Int, writer: inout PacketWriter
    ) {
        let share = verdict.quotaShare(of: subscriber, to: vendor)
        let left = verdict.secondsLeft(subscriber)
        if left != nil || share?.seconds != nil {
            boundTime(min(left ?? .max, share?.seconds ?? .max), from: start, writer: &writer)
        }
        if let volume = share?.volume { boundVolume(volume.octets, volume.attribute, from: start, writer: &writer) }
    }

    @_lifetime(writer: copy writer)
    private static func boundTime(_ seconds: UInt32, from start: Int, writer: inout PacketWriter) {
        var least = seconds
        writer.remove(from: start) { octets, count in
            guard octets[0] == AttributeNumber.sessionTimeout else { return false }
            if count == 6 { least = min(least, (2..<6).reduce(0) { $0 << 8 | UInt32(octets[$1]) }) }
            return true
        }
        writer.append(AttributeNumber.sessionTimeout, least)
    }

    /// Leaves one limit of octets of those from `start` on and `octets`, the least.
    @_lifetime(writer: copy writer)
    static func boundVolume(_ octets: UInt64, _ attribute: VolumeAttribute, from start: Int, writer: inout PacketWriter) {
        var least = LeastVolume(octets: octets)
        writer.remove(from: start) { place, count in
            guard let part = attribute.part(place, count) else { return false }
            least.add(part)
            return true
        }
        least.finish()
        attribute.append(least.octets, to: &writer)
    }
}

/// The least of several limits of octets that come in halves: profile and subscriber may each have one. 0 is taken for none.
private struct LeastVolume {
    var octets: UInt64
    private var given: UInt64 = 0
    /// Bits of `given` that were said.
    private var said: UInt64 = 0

    init(octets: UInt64) { self.octets = octets }

    /// The next half; one that was said already begins another limit.
    mutating func add(_ part: (value: UInt64, bits: UInt64)) {
        if said & part.bits != 0 { finish() }
        given |= part.value
        said |= part.bits
    }

    mutating func finish() {
        if given != 0 { octets = min(octets, given) }
        (given, said) = (0, 0)
    }
}

extension AccessVerdict {
    /// What the NAS is told of the subscriber's quota. It counts in full service only: the walled garden is what a quota may lead to.
    ///
    /// - Parameters:
    ///   - subscriber: whom the verdict is about.
    ///   - vendor: make of the NAS.
    ///   - used: octets that the session has moved already.
    /// - Returns: nil without a quota that NASes keep.
    func quotaShare(
        of subscriber: SubscriberRecord, to vendor: NASVendor, used: (upload: UInt64, download: UInt64) = (0, 0)
    ) -> QuotaShare? {
        guard level == .active, let limit = subscriber.quotaLimit else { return nil }
        return QuotaShare(limit, to: vendor, at: seconds, used: limit.direction.counted(upload: used.upload, download: used.download))
    }

    /// What the NAS cannot be told of the subscriber's quota, and what comes of it, for the operator.
    func quotaWarning(of subscriber: SubscriberRecord, to vendor: NASVendor) -> String? {
        guard let share = quotaShare(of: subscriber, to: vendor), share.volume == nil, let limit = subscriber.quotaLimit else { return nil }
        let what = limit.direction == .both ? "octets" : "octets of the \(limit.direction.name)"
        let fault =
            VolumeAttribute.of(vendor, limit.direction).map {
                "\(limit.octets(at: seconds)) octets of the quota are left, and this vendor's attribute says \($0.largest) at most."
            } ?? "No attribute of this vendor is known that limits a session's \(what), so the quota's limit is not sent."
        guard share.seconds == nil else { return fault + " Session-Timeout ends the session with the quota's window." }
        return fault + " The quota was not counted for so long that nobody knows its window, so Session-Timeout does not end it either."
    }
}
