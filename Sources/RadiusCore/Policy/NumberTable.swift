/// Values by row number, in one open-addressing table. Immutable; reading counts no references.
final class NumberTable<Value: BitwiseCopyable>: @unchecked Sendable {
    // Guard: written only while it is made.
    private let entries: UnsafeMutablePointer<Entry>
    private let mask: Int

    private struct Entry: BitwiseCopyable {
        var number: Int64
        var value: Value
        var isUsed: Bool
    }

    init(_ values: some Collection<(number: Int64, value: Value)>) {
        var size = 8
        while size < values.count * 2 { size *= 2 }
        mask = size - 1
        entries = .allocate(capacity: size)
        guard let some = values.first?.value else {
            // Nothing is ever read behind an unused entry.
            UnsafeMutableRawPointer(entries).initializeMemory(as: UInt8.self, repeating: 0, count: size * MemoryLayout<Entry>.stride)
            return
        }
        entries.initialize(repeating: Entry(number: 0, value: some, isUsed: false), count: size)
        for (number, value) in values {
            var slot = Self.hash(number) & mask
            while entries[slot].isUsed, entries[slot].number != number { slot = (slot + 1) & mask }
            entries[slot] = Entry(number: number, value: value, isUsed: true)
        }
    }

    deinit { entries.deallocate() }

    subscript(number: Int64) -> Value? {
        var slot = Self.hash(number) & mask
        while entries[slot].isUsed {
            if entries[slot].number == number { return entries[slot].value }
            slot = (slot &+ 1) & mask
        }
        return nil
    }

    private static func hash(_ number: Int64) -> Int {
        let mixed = UInt64(bitPattern: number) &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: mixed &>> 32)
    }
}
