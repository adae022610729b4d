/// Places of the neighbours of each slot in the one list that it stands in.
struct SlotLinks {
    private(set) var previous: [Int32] = []
    private(set) var next: [Int32] = []

    mutating func addSlot() {
        previous.append(-1)
        next.append(-1)
    }

    fileprivate mutating func set(previous value: Int32, of slot: Int32) { if slot >= 0 { previous[Int(slot)] = value } }
    fileprivate mutating func set(next value: Int32, of slot: Int32) { if slot >= 0 { next[Int(slot)] = value } }
}

/// Slots in the order in which they were appended; any of them leaves in constant time.
struct SlotList {
    private(set) var first: Int32 = -1
    private var last: Int32 = -1
    private(set) var count = 0

    mutating func append(_ slot: Int, _ links: inout SlotLinks) {
        let place = Int32(slot)
        links.set(previous: last, of: place)
        links.set(next: -1, of: place)
        links.set(next: place, of: last)
        if first < 0 { first = place }
        last = place
        count += 1
    }

    /// Takes out a slot that stands in this list.
    mutating func remove(_ slot: Int, _ links: inout SlotLinks) {
        let (before, after) = (links.previous[slot], links.next[slot])
        links.set(next: after, of: before)
        links.set(previous: before, of: after)
        if first == Int32(slot) { first = after }
        if last == Int32(slot) { last = before }
        count -= 1
    }
}
