import CLinux
import Glibc

/// A packed record on its way into an index.
struct StagedSubscriber {
    var hash: UInt64
    var record: SubscriberRecord
    /// Octets of the record.
    var octets: Int32
    /// A later one of the same name wins.
    var order: UInt32
}

/// Packed records in chunks that go back to the system together. One thread.
///
/// A load stages what it reads once for each segment of the index, so that building one segment needs room for that one only.
final class SubscriberStage {
    private struct Chunk {
        let base: UnsafeMutableRawPointer
        let capacity: Int
        var used = 0
    }

    private var chunks: [Chunk] = []
    private(set) var count = 0

    /// A small table shall not cost much, and a large one few chunks; mapped chunks go back to the system at once.
    private static let firstOctets = 4096
    private static let mappedOctets = 256 << 10
    /// Of the hash, in front of each record.
    private static let hashCount = 8

    deinit { removeAll() }

    func append(_ packed: PackedSubscriber, hash: UInt64) {
        let size = Self.hashCount + (packed.count + 3) & ~3
        let chunk = room(for: size)
        let place = chunks[chunk].base + chunks[chunk].used
        place.storeBytes(of: hash, as: UInt64.self)
        packed.write(to: place + Self.hashCount)
        chunks[chunk].used += size
        count += 1
    }

    /// What was appended, in order; valid until `removeAll`.
    func items() -> [StagedSubscriber] {
        var items: [StagedSubscriber] = []
        items.reserveCapacity(count)
        for chunk in chunks {
            var offset = 0
            while offset < chunk.used {
                let hash = chunk.base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                let record = SubscriberRecord(base: chunk.base + offset + Self.hashCount)
                let octets = record.octets
                items.append(
                    StagedSubscriber(
                        hash: hash, record: record, octets: Int32(octets), order: UInt32(truncatingIfNeeded: items.count)))
                offset += Self.hashCount + (octets + 3) & ~3
            }
        }
        return items
    }

    func removeAll() {
        for chunk in chunks {
            if chunk.capacity == Self.mappedOctets { MappedMemory.giveBack(chunk.base, chunk.capacity) } else { free(chunk.base) }
        }
        chunks = []
        count = 0
    }

    /// The chunk that takes `octets` more; none is larger than a chunk.
    private func room(for octets: Int) -> Int {
        if let last = chunks.indices.last, chunks[last].capacity - chunks[last].used >= octets { return last }
        let capacity = chunks.isEmpty && octets <= Self.firstOctets ? Self.firstOctets : Self.mappedOctets
        let base = capacity == Self.mappedOctets ? MappedMemory.map(capacity) : malloc(capacity)
        guard let base else { fatalError("no memory for the subscribers' index") }
        chunks.append(Chunk(base: base, capacity: capacity))
        return chunks.count - 1
    }
}
