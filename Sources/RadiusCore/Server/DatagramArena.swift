import CLinux
import Glibc

/// A batch of datagram slots with their memory, allocated once. One thread.
struct DatagramArena: ~Copyable {
    let slots: UnsafeMutablePointer<lm_datagram>
    private let memory: UnsafeMutablePointer<UInt8>
    let capacity = Int(LM_BATCH)
    /// Slots in use, for a batch that is being gathered.
    var count = 0

    init() {
        // One octet more than a packet, so that a longer datagram shows as truncated only when it is too long to be padding.
        let size = PacketHeader.maximumLength
        memory = .allocate(capacity: capacity * size)
        slots = .allocate(capacity: capacity)
        for position in 0..<capacity {
            var slot = lm_datagram()
            slot.bytes = memory + position * size
            slot.capacity = UInt32(size)
            slots[position] = slot
        }
    }

    deinit {
        slots.deallocate()
        memory.deallocate()
    }

    var isFull: Bool { count == capacity }
}
