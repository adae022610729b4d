/// A dictionary name as a key: `user-name` finds `User-Name`.
///
/// Only ASCII letters fold, as names hold no others.
struct FoldedName: Hashable {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    static func == (left: FoldedName, right: FoldedName) -> Bool {
        let (a, b) = (left.text.utf8, right.text.utf8)
        return a.count == b.count && zip(a, b).allSatisfy { $0 == $1 || $0.foldedASCII == $1.foldedASCII }
    }

    func hash(into hasher: inout Hasher) {
        // FNV-1a in front: the hasher's own rounds for every octet would be most of a load's time.
        var state: UInt64 = 0xcbf2_9ce4_8422_2325
        for octet in text.utf8 {
            state = (state ^ UInt64(octet.foldedASCII)) &* 0x100_0000_01b3
        }
        hasher.combine(state)
    }
}

extension UInt8 {
    /// The small letter for an ASCII capital, any other octet itself.
    var foldedASCII: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }
}
