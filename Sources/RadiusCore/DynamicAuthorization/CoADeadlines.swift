/// Deadlines in the order of time: a binary heap. What was answered meanwhile is not taken out; whoever pops it finds it gone.
struct CoADeadlines {
    struct Entry {
        let until: UInt64
        let lane: CoALaneKey
        let identifier: UInt8
        /// Tells an exchange from an earlier one with the same identifier.
        let serial: UInt64
    }

    private var heap: [Entry] = []

    /// The earliest deadline in monotonic nanoseconds.
    var first: UInt64? { heap.first?.until }

    mutating func insert(_ entry: Entry) {
        heap.append(entry)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].until < heap[parent].until else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Takes the earliest entry if its time has come.
    mutating func pop(notAfter now: UInt64) -> Entry? {
        guard let earliest = heap.first, earliest.until <= now else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return earliest
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].until < heap[smallest].until {
                smallest = child
            }
            if smallest == parent { return }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
