/// Why a CSV text cannot be read further.
struct CSVError: Error, Equatable {
    /// The line of the file, counted from 1.
    let line: Int
    let reason: String
}

/// Reads records of comma-separated values (RFC 4180): quotes, doubled quotes, line ends inside of quotes, CRLF or LF, a BOM.
struct CSVReader {
    private let bytes: [UInt8]
    private var index: Int
    private var line = 1

    /// One record and the line of the file on which it begins.
    struct Record: Equatable {
        let line: Int
        let cells: [String]
    }

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        index = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// The next record that is not an empty line; nil at the end.
    ///
    /// - Throws: `CSVError` for a quote that is never closed, text after a closing quote, a cell that is not UTF-8 or holds NUL.
    mutating func next() throws(CSVError) -> Record? {
        while index < bytes.count {
            let start = line
            var cells = [try cell()]
            while take(UInt8(ascii: ",")) { cells.append(try cell()) }
            try endOfRecord()
            if cells != [""] { return Record(line: start, cells: cells) }
        }
        return nil
    }

    private mutating func cell() throws(CSVError) -> String {
        take(UInt8(ascii: "\"")) ? try quoted() : try text(bare())
    }

    private mutating func bare() -> ArraySlice<UInt8> {
        let start = index
        while index < bytes.count, !isSeparator(bytes[index]) { index += 1 }
        return bytes[start..<index]
    }

    private mutating func quoted() throws(CSVError) -> String {
        let start = line
        var content: [UInt8] = []
        while index < bytes.count {
            let octet = bytes[index]
            index += 1
            if octet == 0x0A { line += 1 }
            guard octet == UInt8(ascii: "\"") else {
                content.append(octet)
                continue
            }
            guard take(UInt8(ascii: "\"")) else { return try text(content[...]) }
            content.append(octet)
        }
        throw CSVError(line: start, reason: "a quote is opened here and never closed")
    }

    private func text(_ octets: ArraySlice<UInt8>) throws(CSVError) -> String {
        guard !octets.contains(0) else { throw CSVError(line: line, reason: "a NUL character stands here") }
        guard let text = String(validating: octets, as: UTF8.self) else { throw CSVError(line: line, reason: "this is not UTF-8 text") }
        return text
    }

    private mutating func endOfRecord() throws(CSVError) {
        guard index < bytes.count else { return }
        _ = take(0x0D)
        guard take(0x0A) || index == bytes.count || bytes[index - 1] == 0x0D else {
            throw CSVError(line: line, reason: "text follows a closing quote")
        }
        line += 1
    }

    private func isSeparator(_ octet: UInt8) -> Bool {
        octet == UInt8(ascii: ",") || octet == 0x0A || octet == 0x0D
    }

    private mutating func take(_ octet: UInt8) -> Bool {
        guard index < bytes.count, bytes[index] == octet else { return false }
        index += 1
        return true
    }
}
