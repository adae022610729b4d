/// What is due when, the earliest first: a binary heap. What needs no more attention is not taken out; whoever pops it finds it gone.
struct Deadlines {
    private var heap: [(until: UInt64, serial: UInt64)] = []

    /// The earliest deadline.
    var first: UInt64? { heap.first?.until }

    mutating func insert(_ until: UInt64, _ serial: UInt64) {
        heap.append((until, serial))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].until < heap[parent].until else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Takes the earliest if its time has come.
    mutating func pop(notAfter now: UInt64) -> UInt64? {
        guard let earliest = heap.first, earliest.until <= now else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return earliest.serial }
        heap[0] = last
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].until < heap[smallest].until {
                smallest = child
            }
            if smallest == parent { return earliest.serial }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
