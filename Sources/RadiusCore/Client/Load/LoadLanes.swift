/// The requests that one thread can have in flight: their state, their bytes, and who waits under which identifier. One thread.
struct LoadLanes: ~Copyable {
    /// Octets of the longest request that is made here.
    static let packetCapacity = 1200

    /// One request in flight.
    struct Lane: BitwiseCopyable {
        var isFlying = false
        var socket: UInt8 = 0
        var identifier: UInt8 = 0
        /// Retransmissions so far.
        var retries: UInt16 = 0
        /// Octets of the packet.
        var length: UInt16 = 0
        /// Accounting: what is sent, and the session's place among `LoadSessions`.
        var record = LoadRecord(session: 0, step: 0, isStop: false)
        var place = 0
        /// How many lanes of its socket took their identifier before; the lowest octet is the identifier.
        var turn = 0
        var user = 0
        /// When it was due, for the latency; when it was sent last, for the timeout. Nanoseconds.
        var dueAt: UInt64 = 0
        var sentAt: UInt64 = 0
    }

    let count: Int
    let sockets: Int
    private let lanes: UnsafeMutablePointer<Lane>
    private let packets: UnsafeMutablePointer<UInt8>
    /// For each socket and identifier the lane that waits, or -1.
    private let owners: UnsafeMutablePointer<Int32>
    private let turns: UnsafeMutablePointer<Int>
    /// Idle lanes, the one that was idle longest first.
    private let idle: UnsafeMutablePointer<Int32>
    private var idleHead = 0
    private(set) var idleCount: Int

    /// - Parameters:
    ///   - count: at most 256 for each socket.
    ///   - sockets: how many there are.
    init(count: Int, sockets: Int) {
        precondition(count <= sockets * LoadPlan.identifiers)
        self.count = count
        self.sockets = sockets
        lanes = .allocate(capacity: count)
        packets = .allocate(capacity: count * Self.packetCapacity)
        owners = .allocate(capacity: sockets * LoadPlan.identifiers)
        turns = .allocate(capacity: sockets)
        idle = .allocate(capacity: count)
        idleCount = count
        packets.initialize(repeating: 0, count: count * Self.packetCapacity)
        owners.initialize(repeating: -1, count: sockets * LoadPlan.identifiers)
        for socket in 0..<sockets { turns[socket] = Int.random(in: 0...255) }
        for lane in 0..<count {
            lanes[lane] = Lane(socket: UInt8(lane % sockets))
            idle[lane] = Int32(lane)
        }
    }

    deinit {
        lanes.deallocate()
        packets.deallocate()
        owners.deallocate()
        turns.deallocate()
        idle.deallocate()
    }

    var flyingCount: Int { count - idleCount }

    subscript(lane: Int) -> Lane {
        get { lanes[lane] }
        nonmutating set { lanes[lane] = newValue }
    }

    /// The memory of the lane's packet.
    func packet(_ lane: Int) -> UnsafeMutableBufferPointer<UInt8> {
        UnsafeMutableBufferPointer(start: packets + lane * Self.packetCapacity, count: Self.packetCapacity)
    }

    /// The lane that waits for a reply with `identifier` on `socket`.
    func owner(_ socket: Int, _ identifier: UInt8) -> Int? {
        let owner = owners[socket * LoadPlan.identifiers + Int(identifier)]
        return owner < 0 ? nil : Int(owner)
    }

    /// Takes the lane that was idle longest, with an identifier that is free on its socket.
    mutating func take() -> Int? {
        guard idleCount > 0 else { return nil }
        let lane = Int(idle[idleHead])
        idleHead = idleHead + 1 == count ? 0 : idleHead + 1
        idleCount -= 1
        let socket = Int(lanes[lane].socket)
        let base = socket * LoadPlan.identifiers
        var turn = turns[socket]
        // A socket has no more lanes than identifiers, so one is free.
        while owners[base + turn & 255] >= 0 { turn += 1 }
        turns[socket] = turn + 1
        let identifier = UInt8(truncatingIfNeeded: turn)
        owners[base + Int(identifier)] = Int32(lane)
        lanes[lane].turn = turn
        lanes[lane].identifier = identifier
        lanes[lane].isFlying = true
        lanes[lane].retries = 0
        return lane
    }

    /// Lets a lane rest.
    mutating func release(_ lane: Int) {
        owners[Int(lanes[lane].socket) * LoadPlan.identifiers + Int(lanes[lane].identifier)] = -1
        lanes[lane].isFlying = false
        let tail = idleHead + idleCount
        idle[tail < count ? tail : tail - count] = Int32(lane)
        idleCount += 1
    }
}
