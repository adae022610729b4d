/// Comparisons whose duration does not tell where two values differ.
public enum ConstantTime {
    /// Whether `first` and `second` hold the same octets. Only a difference in length ends early.
    public static func equal(_ first: Span<UInt8>, _ second: Span<UInt8>) -> Bool {
        guard first.count == second.count else { return false }
        var difference: UInt8 = 0
        for i in first.indices { difference |= first[i] ^ second[i] }
        return difference == 0
    }

    /// Whether two digests are the same.
    public static func equal(_ first: Digest16, _ second: Digest16) -> Bool {
        equal(first.span, second.span)
    }
}
