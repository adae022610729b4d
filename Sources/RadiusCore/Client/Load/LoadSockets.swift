import CLinux
import Glibc

/// The sockets of one thread of a load generator, all connected to the server, with what waits to leave and what arrived. One thread.
struct LoadSockets: ~Copyable {
    private let descriptors: [Int32]
    private let segments: Bool
    /// What waits to be sent, a batch for each socket.
    private let outgoing: UnsafeMutablePointer<lm_octets>
    private var outgoingCounts: InlineArray<8, Int> = .init(repeating: 0)
    private let memory: UnsafeMutablePointer<UInt8>
    private let slots: UnsafeMutablePointer<lm_octets>
    private let lengths: UnsafeMutablePointer<UInt32>
    private static let batch = Int(LM_BATCH)

    /// - Parameters:
    ///   - descriptors: 1...8 open sockets; the caller closes them.
    ///   - segments: neighbours of equal length leave in one call.
    init(_ descriptors: [Int32], segments: Bool) {
        precondition((1...LoadPlan.socketLimit).contains(descriptors.count))
        self.descriptors = descriptors
        self.segments = segments
        outgoing = .allocate(capacity: descriptors.count * Self.batch)
        memory = .allocate(capacity: Self.batch * PacketHeader.maximumLength)
        slots = .allocate(capacity: Self.batch)
        lengths = .allocate(capacity: Self.batch)
        for position in 0..<Self.batch {
            slots[position] = lm_octets(bytes: memory + position * PacketHeader.maximumLength, count: PacketHeader.maximumLength)
        }
    }

    deinit {
        outgoing.deallocate()
        memory.deallocate()
        slots.deallocate()
        lengths.deallocate()
    }

    var count: Int { descriptors.count }

    /// Lets a datagram leave with the next batch of `socket`; its octets stay where they are until then.
    mutating func enqueue(_ octets: UnsafeMutableBufferPointer<UInt8>, on socket: Int) {
        if outgoingCounts[socket] == Self.batch { flush(socket) }
        outgoing[socket * Self.batch + outgoingCounts[socket]] = lm_octets(bytes: octets.baseAddress, count: octets.count)
        outgoingCounts[socket] += 1
    }

    /// Sends all that waits. What the kernel refuses is as good as lost on the way: the timeout sends it again.
    mutating func flush() {
        for socket in 0..<count { flush(socket) }
    }

    private mutating func flush(_ socket: Int) {
        guard outgoingCounts[socket] > 0 else { return }
        _ = lm_load_send(descriptors[socket], outgoing + socket * Self.batch, UInt32(outgoingCounts[socket]), segments ? 1 : 0)
        outgoingCounts[socket] = 0
    }

    /// Receives a batch without waiting.
    ///
    /// - Returns: how many arrived; `arrived` has them until the next call.
    func receive(on socket: Int) -> Int {
        max(0, Int(lm_load_receive(descriptors[socket], slots, lengths, UInt32(LM_BATCH))))
    }

    /// Whether a batch of that many leaves nothing behind.
    func isLast(_ received: Int) -> Bool { received < Self.batch }

    /// A datagram of the batch that was received last.
    func arrived(_ position: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: memory + position * PacketHeader.maximumLength, count: Int(lengths[position]))
    }

    /// Waits until something arrives, at most that long.
    func wait(milliseconds: Int32) {
        _ = descriptors.withUnsafeBufferPointer { lm_wait($0.baseAddress, UInt32($0.count), milliseconds) }
    }
}
