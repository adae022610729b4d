/// The accounting sessions of one thread: each sends Start, interims and Stop, one record at a time and in turn with the others.
struct LoadSessions: ~Copyable {
    /// One place in the ring, taken by one session after the other.
    private struct Place: BitwiseCopyable {
        var number: UInt64 = 0
        /// 0 is Start, then the interims, then Stop.
        var step: UInt16 = 0
        /// Its Stop was not answered yet.
        var isOpen = false
        /// A record waits for its answer.
        var isFlying = false
    }

    /// What may be sent now.
    struct Permission {
        /// Another session may begin.
        var begins: Bool
        /// Open sessions send their Stop next.
        var ends: Bool
    }

    private let places: UnsafeMutablePointer<Place>
    private let count: Int
    private let interims: Int
    private var next = 0
    private(set) var openCount = 0

    /// - Parameters:
    ///   - count: sessions that are open at once.
    ///   - interims: records between Start and Stop.
    init(count: Int, interims: Int) {
        self.count = count
        self.interims = interims
        places = .allocate(capacity: max(1, count))
        places.initialize(repeating: Place(), count: count)
    }

    deinit { places.deallocate() }

    /// The next record in turn; nil when no session can send one.
    ///
    /// - Parameters:
    ///   - permission: what may be sent.
    ///   - begin: gives the number of a session that begins.
    /// - Returns: where the session stands, for `finish`, and its record.
    mutating func take(_ permission: Permission, begin: () -> UInt64) -> (place: Int, record: LoadRecord)? {
        for _ in 0..<count {
            let place = next
            next = next + 1 == count ? 0 : next + 1
            var session = places[place]
            if session.isFlying || !(session.isOpen || permission.begins) { continue }
            if session.isOpen {
                session.step += 1
            } else {
                session = Place(number: begin(), isOpen: true)
                openCount += 1
            }
            session.isFlying = true
            places[place] = session
            let isStop = session.step > 0 && (permission.ends || Int(session.step) > interims)
            return (place, LoadRecord(session: session.number, step: session.step, isStop: isStop))
        }
        return nil
    }

    /// The record was answered, or given up.
    mutating func finish(_ place: Int, wasStop: Bool) {
        places[place].isFlying = false
        guard wasStop else { return }
        places[place].isOpen = false
        openCount -= 1
    }
}
