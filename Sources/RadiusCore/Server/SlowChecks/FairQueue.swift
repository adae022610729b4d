/// What waits for the same scarce thing: in order for each client, in turns between clients, and bounded for each and for all.
struct FairQueue<Element> {
    /// Why an element was not taken.
    enum Refusal: Equatable {
        /// As many wait as may wait.
        case full
        /// This client has its share of the queue.
        case clientShare
    }

    /// First in, first out, without moving the rest at each step.
    private struct Lane {
        private var elements: [Element] = []
        private var head = 0

        var count: Int { elements.count - head }

        mutating func append(_ element: Element) { elements.append(element) }

        mutating func removeFirst() -> Element {
            let first = elements[head]
            head += 1
            if head >= 32 && head * 2 >= elements.count || head == elements.count {
                elements.removeFirst(head)
                head = 0
            }
            return first
        }
    }

    private let limit: Int
    private let share: Int
    private var lanes: [Int64: Lane] = [:]
    /// Clients with elements, each once, the next to be served first.
    private var turns = [Int64]()
    private var nextTurn = 0
    private(set) var count = 0

    /// - Parameters:
    ///   - limit: elements that may wait; at least 1.
    ///   - share: elements of one client that may wait; at least 1.
    init(limit: Int, share: Int) {
        self.limit = max(1, limit)
        self.share = max(1, share)
    }

    /// Lets `element` wait for `client`'s turn, unless a bound is reached.
    mutating func append(_ element: Element, for client: Int64) -> Refusal? {
        guard count < limit else { return .full }
        let waiting = lanes[client]?.count ?? 0
        guard waiting < share else { return .clientShare }
        if waiting == 0 { turns.append(client) }
        lanes[client, default: Lane()].append(element)
        count += 1
        return nil
    }

    /// Takes the oldest element of the client whose turn it is.
    mutating func removeFirst() -> Element? {
        guard count > 0 else { return nil }
        if nextTurn >= turns.count { nextTurn = 0 }
        let client = turns[nextTurn]
        guard let element = lanes[client]?.removeFirst() else { return nil }
        count -= 1
        if lanes[client]?.count == 0 {
            lanes[client] = nil
            turns.remove(at: nextTurn)
        } else {
            nextTurn += 1
        }
        return element
    }
}
