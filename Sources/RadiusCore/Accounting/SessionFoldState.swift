/// What a session's row keeps of its fold beside the columns that people read.
extension SessionFold {
    private static let version: UInt8 = 1

    /// Octets of the state, at most; `RecentDigests` and `Counters64` are bounded.
    private static let largest = 400

    /// The parts that no column shows, to be handed to `init(restoring:)`; at most 400 octets.
    public var stateOctets: [UInt8] { withStateOctets { Array($0) } }

    /// Lends `stateOctets` for the length of the call, without allocating.
    public func withStateOctets<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withUnsafeTemporaryAllocation(byteCount: Self.largest, alignment: 1) { room in
            var out = OctetWriter(room: room)
            out.put(Self.version)
            out.put(flags)
            out.put(UInt8(digests.count))
            for position in 0..<digests.count { out.put(digests[position]) }
            out.put(upload)
            out.put(download)
            // Behind the rest and each under a flag of its own: a former version reads the rest, and we read what it wrote.
            if let sighting {
                out.put(sighting.microseconds)
                out.put(sighting.age)
            }
            if !addresses.isNone {
                out.put(addresses.ipv4)
                out.put(addresses.ipv6)
            }
            return try body(UnsafeRawBufferPointer(rebasing: room[..<out.used]))
        }
    }

    private var flags: UInt8 {
        let first: UInt8 = (hasStart ? 1 : 0) | (startIsKnown ? 2 : 0) | (hasSeconds ? 4 : 0)
        return first | (sighting == nil ? 0 : 8) | (addresses.isNone ? 0 : 16)
    }

    /// What a session's row says in columns.
    public struct Columns: Equatable, Sendable {
        public var startedMicroseconds: Int64
        public var updatedMicroseconds: Int64
        public var stoppedMicroseconds: Int64?
        public var ending: SessionEnding?
        public var terminateCause: TerminateCause?
        public var upload: UInt64
        public var download: UInt64
        public var seconds: UInt64
        public var heardMicroseconds: Int64?

        public init(
            startedMicroseconds: Int64, updatedMicroseconds: Int64, stoppedMicroseconds: Int64?, ending: SessionEnding?,
            terminateCause: TerminateCause?, upload: UInt64, download: UInt64, seconds: UInt64,
            heardMicroseconds: Int64? = nil
        ) {
            self.startedMicroseconds = startedMicroseconds
            self.updatedMicroseconds = updatedMicroseconds
            self.stoppedMicroseconds = stoppedMicroseconds
            self.ending = ending
            self.terminateCause = terminateCause
            self.upload = upload
            self.download = download
            self.seconds = seconds
            self.heardMicroseconds = heardMicroseconds
        }
    }

    /// The session of a row. Octets that this version does not understand are left out: the columns alone still make a session.
    public init(restoring columns: Columns, state: [UInt8]) {
        startedMicroseconds = columns.startedMicroseconds
        updatedMicroseconds = columns.updatedMicroseconds
        stoppedMicroseconds = columns.stoppedMicroseconds
        ending = columns.ending
        terminateCause = columns.terminateCause
        seconds = columns.seconds
        upload = Counters64(total: columns.upload, base: columns.upload, basePosition: Int64(clamping: columns.seconds), samples: [])
        download = Counters64(total: columns.download, base: columns.download, basePosition: Int64(clamping: columns.seconds), samples: [])
        startIsKnown = true
        hear(columns.heardMicroseconds)
        var reader = OctetReader(octets: state)
        guard reader.take(1) == UInt64(Self.version), let flags = reader.take(1), let count = reader.take(1) else { return }
        let found = (0..<count).compactMap { _ in reader.take(8) }
        guard found.count == Int(count), let up = reader.counters(columns.upload), let down = reader.counters(columns.download) else {
            return
        }
        for digest in found { digests.append(digest) }
        hasStart = flags & 1 != 0
        startIsKnown = flags & 2 != 0
        hasSeconds = flags & 4 != 0
        upload = up
        download = down
        if flags & 8 != 0, let moment = reader.take(8), let age = reader.take(4) {
            sighting = SessionSighting(age: UInt32(age), microseconds: Int64(bitPattern: moment))
        }
        if flags & 16 != 0, let ipv4 = reader.take(4), let ipv6 = reader.take(8) {
            addresses = SessionAddresses(ipv4: UInt32(ipv4), ipv6: ipv6)
        }
    }
}

/// Writes little-endian numbers into room that is known to suffice.
private struct OctetWriter {
    let room: UnsafeMutableRawBufferPointer
    private(set) var used = 0

    init(room: UnsafeMutableRawBufferPointer) {
        self.room = room
    }

    mutating func put<Value: FixedWidthInteger>(_ value: Value) {
        precondition(room.count - used >= MemoryLayout<Value>.size, "the state of a session is larger than its limit")
        room.storeBytes(of: value.littleEndian, toByteOffset: used, as: Value.self)
        used += MemoryLayout<Value>.size
    }

    mutating func put(_ counters: borrowing Counters64) {
        put(counters.base)
        put(counters.basePosition)
        put(UInt8(counters.samples.count))
        for place in counters.samples.indices {
            put(counters.samples[place].position)
            put(counters.samples[place].low)
        }
    }
}

/// Reads little-endian numbers off octets; nil at their end.
private struct OctetReader {
    let octets: [UInt8]
    private var offset = 0

    init(octets: [UInt8]) {
        self.octets = octets
    }

    mutating func take(_ count: Int) -> UInt64? {
        guard octets.count - offset >= count else { return nil }
        defer { offset += count }
        return (0..<count).reduce(0) { $0 | UInt64(octets[offset + $1]) << (8 * UInt64($1)) }
    }

    mutating func counters(_ total: UInt64) -> Counters64? {
        guard let base = take(8), let position = take(8), let count = take(1) else { return nil }
        var samples: [Counters64.Sample] = []
        for _ in 0..<count {
            guard let place = take(8), let low = take(4) else { return nil }
            samples.append(Counters64.Sample(position: Int64(bitPattern: place), low: UInt32(low)))
        }
        return Counters64(total: total, base: base, basePosition: Int64(bitPattern: position), samples: samples)
    }
}
