import CLinux

/// Slots for datagrams of up to so many octets each, allocated once. One thread.
struct DatagramSlots: ~Copyable {
    let slots: UnsafeMutablePointer<lm_datagram>
    let capacity: Int
    /// Slots in use.
    var count = 0
    private let memory: UnsafeMutablePointer<UInt8>

    /// - Parameters:
    ///   - capacity: slots; `LM_BATCH` at most.
    ///   - octets: of each.
    init(capacity: Int, octets: Int) {
        self.capacity = capacity
        memory = .allocate(capacity: capacity * octets)
        slots = .allocate(capacity: capacity)
        for position in 0..<capacity {
            var slot = lm_datagram()
            slot.bytes = memory + position * octets
            slot.capacity = UInt32(octets)
            (slots + position).initialize(to: slot)
        }
    }

    deinit {
        slots.deallocate()
        memory.deallocate()
    }

    var isFull: Bool { count == capacity }
}
