import CLinux
import Glibc

/// A batch of datagram slots with their memory, allocated once. One thread.
struct DatagramArena: ~Copyable {
    let slots: UnsafeMutablePointer<lm_datagram>
    private let memory: UnsafeMutablePointer<UInt8>
    let capacity = Int(LM_BATCH)
    /// Slots in use, for a batch that is being gathered.
    var count = 0

    /// Octets from slot to slot: an odd number of cache lines, so that the packets' first lines do not compete for the same few places
    /// of the cache. What a slot has beyond a packet holds a secret and the end of a digest while they are computed in place.
    private static let stride = 73 * 64
    /// The longest secret that fits behind a packet in its slot, with the 72 octets that may end a digest.
    static let longestSecret = stride - PacketHeader.maximumLength - 72

    init() {
        guard let aligned = aligned_alloc(64, Int(LM_BATCH) * Self.stride) else { fatalError("no memory for a batch of datagrams") }
        memory = aligned.bindMemory(to: UInt8.self, capacity: Int(LM_BATCH) * Self.stride)
        slots = .allocate(capacity: capacity)
        for position in 0..<capacity {
            var slot = lm_datagram()
            slot.bytes = memory + position * Self.stride
            slot.capacity = UInt32(PacketHeader.maximumLength)
            slots[position] = slot
        }
    }

    deinit {
        slots.deallocate()
        free(memory)
    }

    var isFull: Bool { count == capacity }
}
