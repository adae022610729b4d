/// Octets of a file, a block at a time, so that a dump may be larger than memory.
public struct OctetReader {
    /// More octets; empty at the end.
    public typealias Refill = () throws -> [UInt8]

    private let refill: Refill
    private var block: [UInt8] = []
    private var offset = 0
    private var hasEnded = false
    /// The line of the next octet, counted from 1.
    public private(set) var line = 1

    public init(_ refill: @escaping Refill) { self.refill = refill }

    public init(_ octets: [UInt8]) {
        refill = { [] }
        block = octets
    }

    public init(_ text: String) { self.init(Array(text.utf8)) }

    /// The next octet, which stays; nil at the end.
    public mutating func peek() throws -> UInt8? {
        if offset < block.count { return block[offset] }
        guard try fill() else { return nil }
        return block[offset]
    }

    /// The octet behind the next one.
    public mutating func peekSecond() throws -> UInt8? {
        if offset + 1 < block.count { return block[offset + 1] }
        guard try peek() != nil else { return nil }
        let last = block[offset]
        let more = try refill()
        guard let first = more.first else { return nil }
        block = [last] + more
        offset = 0
        return first
    }

    /// Takes the next octet.
    @discardableResult
    public mutating func next() throws -> UInt8? {
        guard let octet = try peek() else { return nil }
        offset += 1
        if octet == 0x0A { line += 1 }
        return octet
    }

    /// Takes the next octet when it is `octet`.
    public mutating func take(_ octet: UInt8) throws -> Bool {
        guard try peek() == octet else { return false }
        try next()
        return true
    }

    /// The rest of the line without its end; nil at the end of the file.
    ///
    /// - Throws: `SourceFault` for a line of more than `limit` octets.
    public mutating func readLine(limit: Int = 1 << 24) throws -> [UInt8]? {
        guard try peek() != nil else { return nil }
        let start = line
        var text: [UInt8] = []
        while let octet = try next(), octet != 0x0A {
            text.append(octet)
            guard text.count <= limit else { throw SourceFault(line: start, "the line has more than \(limit) octets") }
        }
        if text.last == 0x0D { text.removeLast() }
        return text
    }

    /// Puts octets without line ends, which were taken just before, back in front.
    mutating func putBack(_ octets: [UInt8]) {
        if offset >= octets.count {
            offset -= octets.count
        } else {
            block = octets + block[offset...]
            offset = 0
        }
    }

    private mutating func fill() throws -> Bool {
        guard !hasEnded else { return false }
        block = try refill()
        offset = 0
        hasEnded = block.isEmpty
        return !hasEnded
    }
}

/// Why a file cannot be read further, or not at all.
public struct SourceFault: Error, Equatable, CustomStringConvertible {
    public let line: Int
    public let reason: String

    public init(line: Int, _ reason: String) {
        self.line = line
        self.reason = reason
    }

    public var description: String { "line \(line): \(reason)" }
}
