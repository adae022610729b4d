/// One file on its way through the parser: the words of the line at hand, and the blocks that it stands in.
struct DictionarySource {
    /// Octets of a line, without its comment.
    static let longestLine = 255
    static let mostWords = 16

    let path: String
    private let octets: [UInt8]
    private var position = 0
    /// Counted from 1.
    private(set) var line = 0
    /// Where the words of this line stand in `octets`.
    private(set) var words: [Range<Int>] = []

    /// BEGIN-VENDOR.
    var vendor: VendorDefinition?
    /// 241...246 in a BEGIN-VENDOR that names an `evs` attribute, otherwise 26.
    var vendorBase: UInt8 = 26
    /// BEGIN-TLV, the outermost first.
    var tlvs: [AttributeDefinition] = []

    init(path: String, octets: [UInt8]) {
        self.path = path
        self.octets = octets
        words.reserveCapacity(Self.mostWords)
    }

    /// Goes on to the next line that has words.
    ///
    /// - Returns: false at the end of the file.
    /// - Throws: for a line that is too long or has too many words; `line` tells which, and the next call goes on behind it.
    mutating func nextLine() throws(DictionaryFault) -> Bool {
        while position < octets.count {
            let (start, end) = takeLine()
            guard end - start <= Self.longestLine else {
                throw DictionaryFault("the line has \(end - start) octets; at most \(Self.longestLine) are read")
            }
            splitWords(start, end)
            guard words.count <= Self.mostWords else {
                throw DictionaryFault("the line has more than \(Self.mostWords) words")
            }
            if !words.isEmpty { return true }
        }
        return false
    }

    /// Steps over one line; its bounds leave out the comment and the line's end.
    private mutating func takeLine() -> (start: Int, end: Int) {
        let start = position
        var end: Int?
        line += 1
        while position < octets.count {
            let octet = octets[position]
            if octet == UInt8(ascii: "\n") { break }
            if octet == UInt8(ascii: "#") && end == nil { end = position }
            position += 1
        }
        defer { position += 1 }
        return (start, end ?? position)
    }

    private mutating func splitWords(_ start: Int, _ end: Int) {
        words.removeAll(keepingCapacity: true)
        var wordStart: Int?
        for index in start..<end {
            let isBlank = octets[index] == UInt8(ascii: " ") || (9...13).contains(octets[index])
            if isBlank, let from = wordStart {
                words.append(from..<index)
                wordStart = nil
            } else if !isBlank && wordStart == nil {
                wordStart = index
            }
        }
        if let wordStart { words.append(wordStart..<end) }
    }

    /// A word of this line; `index` is below `words.count`.
    func text(_ index: Int) -> String {
        String(decoding: octets[words[index]], as: UTF8.self)
    }

    /// Whether a word is `keyword`, which is in capitals; case does not matter.
    func word(_ index: Int, is keyword: StaticString) -> Bool {
        let range = words[index]
        guard range.count == keyword.utf8CodeUnitCount else { return false }
        return keyword.withUTF8Buffer { expected in
            zip(octets[range], expected).allSatisfy { $0.foldedASCII == $1.foldedASCII }
        }
    }

    /// Whether a word and a name are the same; case does not matter.
    func word(_ index: Int, isName name: String) -> Bool {
        let range = words[index]
        return range.count == name.utf8.count && zip(octets[range], name.utf8).allSatisfy { $0.foldedASCII == $1.foldedASCII }
    }

    /// Whether every octet of a word may stand in the name of an attribute or a vendor.
    func isName(_ index: Int) -> Bool {
        octets[words[index]].allSatisfy { octet in
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: ":"): true
            default: false
            }
        }
    }

    /// Whether a word holds no control character.
    func isPrintable(_ index: Int) -> Bool {
        octets[words[index]].allSatisfy { $0 > 0x20 && $0 != 0x7f }
    }

    /// A word as a number: decimal, or hexadecimal behind `0x`.
    func number(_ index: Int) -> UInt64? {
        Self.number(octets[words[index]])
    }

    /// A word as numbers between full stops; nil when one is none or does not fit.
    func objectIdentifier(_ index: Int) -> [UInt32]? {
        var numbers: [UInt32] = []
        for part in octets[words[index]].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard let number = Self.number(part).flatMap({ UInt32(exactly: $0) }) else { return nil }
            numbers.append(number)
        }
        return numbers
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        let isHexadecimal = digits.count > 2 && digits.prefix(2).elementsEqual("0x".utf8, by: { $0.foldedASCII == $1 })
        let radix: UInt64 = isHexadecimal ? 16 : 10
        var value: UInt64 = 0
        for octet in isHexadecimal ? digits.dropFirst(2) : digits {
            guard let digit = Self.digit(octet), digit < radix else { return nil }
            let (product, overflows) = value.multipliedReportingOverflow(by: radix)
            let (sum, carries) = product.addingReportingOverflow(digit)
            guard !overflows && !carries else { return nil }
            value = sum
        }
        return digits.isEmpty ? nil : value
    }

    private static func digit(_ octet: UInt8) -> UInt64? {
        switch octet.foldedASCII {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(octet - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(octet.foldedASCII - UInt8(ascii: "a")) + 10
        default: nil
        }
    }
}
