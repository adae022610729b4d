import Glibc

extension ZoneOffsets {
    /// Where systems keep the IANA time zone database.
    public static let directory = "/usr/share/zoneinfo"
    private static let largestFile = 1 << 18

    /// Reads the zone called `name`, such as `Europe/Kyiv`, from its TZif file (RFC 9636).
    ///
    /// - Throws: why there is no such zone, or what is wrong with its file.
    public static func load(_ name: String, directory: String = ZoneOffsets.directory) throws(ZoneFault) -> ZoneOffsets {
        if name == "UTC" { return .utc }
        let isName = name.utf8.allSatisfy { octet in
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: "/_+-".utf8.contains(octet)
            }
        }
        guard isName, (1...64).contains(name.utf8.count), name.first != "/" else {
            throw ZoneFault("“\(OctetText.printable(name, limit: 64))” is no zone's name")
        }
        guard let octets = contents(directory + "/" + name) else {
            throw ZoneFault("the zone \(name) cannot be read in \(directory); is tzdata installed?")
        }
        do { return try ZoneOffsets(file: octets) } catch { throw ZoneFault("the zone \(name): \(error.description)") }
    }

    private static func contents(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= largestFile else { return nil }
        var octets = [UInt8](repeating: 0, count: Int(status.st_size))
        let count = octets.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
        return count == octets.count ? octets : nil
    }

    /// - Parameter octets: a TZif file of version 2 or later.
    /// - Throws: what is wrong with it.
    convenience init(file octets: [UInt8]) throws(ZoneFault) {
        var reader = ZoneReader(octets)
        let old = try reader.header()
        try reader.skip(old.octets(timeOctets: 4))
        let header = try reader.header()
        var changes = try reader.changes(header)
        let first = try reader.first
        // The rule comes in force behind the last change that is listed.
        let last = changes.last?.at ?? .min
        if let rule = try reader.footer(header) {
            changes += rule.changes(from: ZoneRule.year(of: last), to: Self.lastYear).filter { $0.at > last }
        }
        self.init(first: first, changes)
    }
}

/// Reads a TZif file, every length checked.
struct ZoneReader {
    struct Header {
        let utCount, standardCount, leapCount, timeCount, typeCount, nameCount: Int

        /// Octets of the data behind this header.
        func octets(timeOctets: Int) -> Int {
            timeCount * (timeOctets + 1) + typeCount * 6 + nameCount + leapCount * (timeOctets + 4) + standardCount + utCount
        }
    }

    private let octets: [UInt8]
    private var offset = 0
    /// Seconds east of UTC of each type.
    private var types: [Int32] = []
    private var dataStart = 0

    init(_ octets: [UInt8]) {
        self.octets = octets
    }

    mutating func header() throws(ZoneFault) -> Header {
        guard octets.count - offset >= 44, octets[offset..<offset + 4].elementsEqual("TZif".utf8), octets[offset + 4] >= UInt8(ascii: "2")
        else {
            throw ZoneFault("it is no TZif file of version 2 or later (RFC 9636 §3)")
        }
        let counts = (0..<6).map { Int(number(at: offset + 20 + $0 * 4, octets: 4)) }
        offset += 44
        guard counts.allSatisfy({ $0 <= 10_000 }) else { throw ZoneFault("it announces more than any zone has") }
        return Header(
            utCount: counts[0], standardCount: counts[1], leapCount: counts[2], timeCount: counts[3], typeCount: counts[4],
            nameCount: counts[5])
    }

    mutating func skip(_ count: Int) throws(ZoneFault) {
        guard octets.count - offset >= count else { throw ZoneFault("it is cut off") }
        offset += count
    }

    /// The changes of the block that begins here.
    mutating func changes(_ header: Header) throws(ZoneFault) -> [(at: Int64, offset: Int32)] {
        dataStart = offset
        try skip(header.octets(timeOctets: 8))
        let places = dataStart + header.timeCount * 8
        let typesStart = places + header.timeCount
        types = (0..<header.typeCount).map { Int32(truncatingIfNeeded: number(at: typesStart + $0 * 6, octets: 4)) }
        var changes: [(at: Int64, offset: Int32)] = []
        for position in 0..<header.timeCount {
            let type = Int(octets[places + position])
            let time = Int64(bitPattern: number(at: dataStart + position * 8, octets: 8))
            guard type < types.count, time > changes.last?.at ?? .min, abs(types[type]) <= 93_600 else {
                throw ZoneFault("its changes are not in order, or name a type that is not there")
            }
            changes.append((time, types[type]))
        }
        return changes
    }

    /// The offset before all changes.
    var first: Int32 {
        get throws(ZoneFault) {
            guard let first = types.first, abs(first) <= 93_600 else { throw ZoneFault("it has no type of local time") }
            return first
        }
    }

    /// The rule behind the last change; nil where there is none.
    mutating func footer(_ header: Header) throws(ZoneFault) -> ZoneRule? {
        let rest = octets[offset...]
        guard rest.count >= 2, rest.first == 0x0a, let end = rest.dropFirst().firstIndex(of: 0x0a) else {
            throw ZoneFault("it has no rule for the time to come (RFC 9636 §3.3)")
        }
        let text = Array(rest[(rest.startIndex + 1)..<end])
        return text.isEmpty ? nil : try ZoneRule(text)
    }

    private func number(at start: Int, octets count: Int) -> UInt64 {
        octets[start..<start + count].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
