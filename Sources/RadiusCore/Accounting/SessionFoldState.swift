/// What a session's row keeps of its fold beside the columns that people read.
extension SessionFold {
    private static let version: UInt8 = 1

    /// The parts that no column shows, to be handed to `init(restoring:)`; at most 400 octets.
    public var stateOctets: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(3 + 8 * digests.count + 34 + 12 * (upload.samples.count + download.samples.count))
        out.append(Self.version)
        out.append((hasStart ? 1 : 0) | (startIsKnown ? 2 : 0) | (hasSeconds ? 4 : 0))
        out.append(UInt8(digests.count))
        for position in 0..<digests.count { Self.put(digests[position], &out) }
        for counters in [upload, download] {
            Self.put(counters.base, &out)
            Self.put(UInt64(bitPattern: counters.basePosition), &out)
            out.append(UInt8(counters.samples.count))
            for sample in counters.samples {
                Self.put(UInt64(bitPattern: sample.position), &out)
                Self.put(UInt64(sample.low), &out, octets: 4)
            }
        }
        return out
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

        public init(
            startedMicroseconds: Int64, updatedMicroseconds: Int64, stoppedMicroseconds: Int64?, ending: SessionEnding?,
            terminateCause: TerminateCause?, upload: UInt64, download: UInt64, seconds: UInt64
        ) {
            self.startedMicroseconds = startedMicroseconds
            self.updatedMicroseconds = updatedMicroseconds
            self.stoppedMicroseconds = stoppedMicroseconds
            self.ending = ending
            self.terminateCause = terminateCause
            self.upload = upload
            self.download = download
            self.seconds = seconds
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
    }

    private static func put(_ value: UInt64, _ out: inout [UInt8], octets: Int = 8) {
        for position in 0..<octets { out.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(position)))) }
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
