import Support
import Testing

@testable import RadiusCore

@Suite struct ShardMemoryTests {
    private struct Block: Hashable {
        let base: UnsafeMutableRawPointer
        let octets: Int
    }

    /// Takes and gives back at random; what two blocks share, or a block's neighbour writes over, would be found.
    @Test func blocksKeepWhatIsWrittenIntoThem() throws {
        var generator = SeededGenerator(state: 11)
        let memory = ShardMemory()
        var blocks: [(block: Block, mark: UInt8)] = []
        for round in 0..<4000 {
            if round % 1000 < 600 || blocks.isEmpty {
                let octets = 64 * Int.random(in: 1...600, using: &generator)
                let base = try #require(memory.take(octets))
                let mark = UInt8.random(in: 0...255, using: &generator)
                #expect(Int(bitPattern: base) % 64 == 0)
                base.initializeMemory(as: UInt8.self, repeating: mark, count: octets)
                blocks.append((Block(base: base, octets: octets), mark))
            } else {
                let (block, mark) = blocks.remove(at: Int.random(in: 0..<blocks.count, using: &generator))
                #expect(UnsafeRawBufferPointer(start: block.base, count: block.octets).allSatisfy { $0 == mark })
                memory.giveBack(block.base, block.octets)
            }
        }
        for (block, mark) in blocks {
            #expect(UnsafeRawBufferPointer(start: block.base, count: block.octets).allSatisfy { $0 == mark })
            memory.giveBack(block.base, block.octets)
        }
        #expect(memory.pageCount == 0)
    }

    @Test func roomThatWasGivenBackIsTakenAgain() throws {
        let memory = ShardMemory()
        let sixteenth = ShardMemory.pageOctets / 16
        let blocks = try (0..<64).map { _ in try #require(memory.take(sixteenth)) }
        #expect(memory.pageCount == 4 && Set(blocks).count == 64)
        // Every second one, so that no page is empty.
        for block in stride(from: 0, to: 64, by: 2) { memory.giveBack(blocks[block], sixteenth) }
        #expect(memory.pageCount == 4)
        let again = try (0..<32).map { _ in try #require(memory.take(sixteenth)) }
        #expect(memory.pageCount == 4 && Set(again) == Set(stride(from: 0, to: 64, by: 2).map { blocks[$0] }))
        for block in again + stride(from: 1, to: 64, by: 2).map({ blocks[$0] }) { memory.giveBack(block, sixteenth) }
        #expect(memory.pageCount == 0)
    }

    @Test func neighboursBecomeOneHole() throws {
        let memory = ShardMemory()
        let eighth = ShardMemory.pageOctets / 8
        let blocks = try (0..<32).map { _ in try #require(memory.take(eighth / 4)) }
        for block in [5, 7, 4, 6] { memory.giveBack(blocks[block], eighth / 4) }
        #expect(memory.take(eighth) == blocks[4])
    }

    /// A shard that no page takes lies on the heap, and its octets are found all the same.
    @Test func aShardLargerThanAPageHasRoomForLiesOnTheHeap() throws {
        let memory = ShardMemory()
        let stage = SubscriberStage()
        for number in 0..<64 {
            var entry = SubscriberEntry()
            entry.id = Int64(number)
            entry.name = Array("large\(number)".utf8)
            entry.identity = [UInt8](repeating: UInt8(number), count: 4096)
            entry.withParts { stage.append(PackedSubscriber(entry, $0), hash: UInt64(number)) }
        }
        // The items point into the stage.
        let shard = withExtendedLifetime(stage) { SubscriberShard(stage.items()[...], in: memory) }
        #expect(shard.octets > 64 * 4096 && memory.pageCount == 0)
        for number in 0..<64 {
            let slot = Array("large\(number)".utf8).withUnsafeBytes {
                SubscriberShard.find(in: shard.block, hash: UInt64(number), tenant: 0, $0)
            }
            let record = SubscriberShard.record(in: shard.block, shard.block.load(fromByteOffset: try #require(slot) * 4, as: UInt32.self))
            #expect(record.id == Int64(number) && record.identity.allSatisfy { $0 == UInt8(number) })
        }
    }

    private func entry(_ number: Int, credential: Int = 8) -> SubscriberEntry {
        var entry = SubscriberEntry()
        entry.id = Int64(number)
        entry.name = Array("subscriber\(number)".utf8)
        entry.credential = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: credential)
        return entry
    }

    private func index(of count: Int) -> SubscriberIndex {
        var builder = SubscriberIndexBuilder()
        for number in 0..<count { builder.add(entry(number)) }
        return builder.build()
    }

    /// The pages of an index follow what it holds: they do not grow with changes, and all go back with the last index that they serve.
    @Test func changesTakeWhatFormerChangesFreed() throws {
        var index: SubscriberIndex? = index(of: 50_000)
        let memory = try #require(index?.memory)
        let loaded = memory.pageCount
        #expect(loaded >= 1)
        for round in 0..<300 { index = index?.updated(with: (0..<20).map { entry((round * 20 + $0) * 7919 % 50_000) }) }
        #expect(memory.pageCount <= loaded + 1)
        #expect(index?.count == 50_000)
        index = nil
        #expect(memory.pageCount == 0)
    }

    /// A change of everybody needs room for both indices, and only until the former one is gone.
    @Test func aChangeOfEverybodyGivesTheFormerPagesBack() throws {
        var former: SubscriberIndex? = index(of: 50_000)
        let memory = try #require(former?.memory)
        let changed = try #require(former?.updated(with: (0..<50_000).map { entry($0, credential: 40) }))
        let both = memory.pageCount
        former = nil
        #expect(memory.pageCount < both)
        #expect(memory.pageCount <= changed.memoryOctets / ShardMemory.pageOctets + 2)
        for number in stride(from: 0, to: 50_000, by: 997) {
            let record = entry(number).name.withUnsafeBytes { changed.find(tenant: 0, $0) }
            #expect(try #require(record).id == Int64(number) && record?.credential.count == 40)
        }
    }

    /// Records that grow fit no hole that they leave; what is lost by that stays a part of what is held.
    @Test func recordsThatGrowLeaveNoMoreThanAsMuchAgain() throws {
        var index = index(of: 50_000)
        let memory = index.memory
        for round in 0..<200 {
            index = index.updated(with: (0..<250).map { entry((round * 250 + $0) * 7919 % 50_000, credential: 8 + round / 4) })
        }
        #expect(memory.pageCount * ShardMemory.pageOctets <= 2 * index.memoryOctets)
        #expect(index.count == 50_000)
    }
}
