/// The 256 identifiers between two ports (RFC 2865 §3): which are in use, and one that has rested as long as possible.
struct IdentifierSpace {
    private var used = InlineArray<4, UInt64>(repeating: 0)
    /// Identifiers in use.
    private(set) var count = 0
    private var next: UInt8

    init(startingAt identifier: UInt8) {
        next = identifier
    }

    var isFull: Bool { count == 256 }

    mutating func claim() -> UInt8? {
        for distance in 0..<256 {
            let candidate = next &+ UInt8(truncatingIfNeeded: distance)
            let bit: UInt64 = 1 << UInt64(candidate & 63)
            guard used[Int(candidate >> 6)] & bit == 0 else { continue }
            used[Int(candidate >> 6)] |= bit
            next = candidate &+ 1
            count += 1
            return candidate
        }
        return nil
    }

    mutating func release(_ identifier: UInt8) {
        let bit: UInt64 = 1 << UInt64(identifier & 63)
        guard used[Int(identifier >> 6)] & bit != 0 else { return }
        used[Int(identifier >> 6)] &= ~bit
        count -= 1
    }
}
