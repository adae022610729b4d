import Support
import Testing

@testable import RadiusCore

/// Random lives of a pool that two nodes share, against a model of who has what.
@Suite struct AddressLifeTests {
    @Test(arguments: 1...40) func noItemIsHadTwiceAndNoneIsLost(seed: Int) {
        var life = AddressLife(seed: UInt64(seed))
        for _ in 0..<4000 { life.step() }
        #expect(life.faults.isEmpty, "seed \(seed): \(life.faults.prefix(3))")
        life.settle()
        #expect(life.freeItems == life.items, "seed \(seed): \(life.items - life.freeItems) items are lost")
        // How many differs from run to run with the order of sets.
        #expect(life.given > 200)
        #expect(life.passedOn > 0)
    }
}

/// Two nodes, a database and a network, each step one event: a log-in, a record that is shipped, a look, time, a kill, a take-over, a block
/// that one gives to the other, maybe cut in two.
struct AddressLife {
    private static let offer: Int64 = 20
    private static let quarantine: Int64 = 10
    private static let ranges = 6
    private static let rangeItems = 8

    /// A line of a subscriber as its router knows it.
    private struct Line {
        let claimant: AddressClaimant
        /// Accepted, and when a Start must have come.
        var accepted: (address: IPAddress, until: Int64)?
        /// On line.
        var address: IPAddress?
    }

    /// An accounting record that a node has acknowledged and not shipped yet.
    private struct Record {
        let line: Int
        let address: IPAddress
        let isStart: Bool
        let at: Int64
        let serial: Int
    }

    /// A row of the database: which node has the block, and until when it must settle.
    private struct Block {
        let first: UInt32
        var count: Int
        var holder: Int?
        var settles: Int64 = 0
    }

    private struct Node {
        var stock = AddressStock(prefixLength: 128, times: .init(offer: AddressLife.offer, quarantine: AddressLife.quarantine))
        var isAlive = true
        var journal: [Record] = []
    }

    private var random: SeededGenerator
    private var now: Int64 = 1
    private var nodes = [Node(), Node()]
    private var lines: [Line]
    /// The database: who has a block, and who has an item.
    private var blocks = (0..<AddressLife.ranges).map { Block(first: 0x0a00_0000 + UInt32($0 * 256), count: AddressLife.rangeItems) }
    private var leases: [IPAddress: AddressLease] = [:]
    private var holding: [IPAddress: Set<Int>] = [:]
    private var records = 0
    private(set) var faults: [String] = []
    private(set) var given = 0
    /// Blocks that one node gave back for the other.
    private(set) var passedOn = 0

    var items: Int { Self.ranges * Self.rangeItems }
    var freeItems: Int {
        nodes.reduce(0) { $0 + $1.stock.freeCount } + blocks.reduce(0) { $0 + ($1.holder == nil ? $1.count : 0) }
    }

    init(seed: UInt64) {
        random = SeededGenerator(state: seed)
        lines = (0..<60).map { Line(claimant: AddressClaimant(subscriber: Int64($0 / 2 + 1), station: UInt64($0 + 1))) }
    }

    mutating func step() {
        now += Int64.random(in: 0...1, using: &random)
        let node = Int.random(in: 0...1, using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<40: logIn(on: node)
        case 40..<55: start(on: node)
        case 55..<65: stop(on: node)
        case 65..<80: ship(node)
        case 80..<91: look(node)
        case 91..<95: for _ in 0..<2 { takeBlock(node) }
        case 95..<97: giveBlock(node)
        case 97: kill(node)
        default: revive(node)
        }
    }

    /// Everybody goes, everything is shipped, and time passes.
    mutating func settle() {
        for node in nodes.indices { revive(node) }
        for line in lines.indices where lines[line].address != nil { leave(line, on: 0) }
        for _ in 0..<200 {
            now += 1
            while nodes.contains(where: { !$0.journal.isEmpty }) { for node in nodes.indices { ship(node) } }
            for node in nodes.indices { look(node) }
        }
    }

    private mutating func logIn(on node: Int) {
        let line = Int.random(in: lines.indices, using: &random)
        guard nodes[node].isAlive, let offer = nodes[node].stock.offer(lines[line].claimant, at: now) else { return }
        given += 1
        for other in lines.indices where other != line {
            let pending = lines[other].accepted.map { $0.address == offer.address && $0.until >= now } ?? false
            if lines[other].address == offer.address || pending {
                faults.append("\(offer.address.text) for \(line) at \(now), which \(other) has")
            }
        }
        // Sometimes the Accept is lost, or the line gives up.
        if Int.random(in: 0..<5, using: &random) > 0 { lines[line].accepted = (offer.address, now + Self.offer) }
    }

    private mutating func start(on node: Int) {
        let line = Int.random(in: lines.indices, using: &random)
        guard nodes[node].isAlive, let accepted = lines[line].accepted else { return }
        lines[line].accepted = nil
        guard accepted.until > now else { return }
        // A line has one session; the router ends the one before.
        if lines[line].address != nil { leave(line, on: node) }
        lines[line].address = accepted.address
        nodes[node].journal.append(Record(line: line, address: accepted.address, isStart: true, at: now, serial: nextSerial()))
    }

    private mutating func stop(on node: Int) {
        let line = Int.random(in: lines.indices, using: &random)
        guard nodes[node].isAlive, lines[line].address != nil else { return }
        leave(line, on: node)
    }

    private mutating func leave(_ line: Int, on node: Int) {
        guard let address = lines[line].address else { return }
        lines[line].address = nil
        nodes[node].journal.append(Record(line: line, address: address, isStart: false, at: now, serial: nextSerial()))
    }

    private mutating func nextSerial() -> Int {
        records += 1
        return records
    }

    /// A session's end does not come before its beginning, whichever node heard of them: the fold sees to that, and the model by waiting.
    private mutating func ship(_ node: Int) {
        guard nodes[node].isAlive, let record = nodes[node].journal.first else { return }
        let isBehind = nodes.contains { other in other.journal.contains { $0.line == record.line && $0.serial < record.serial } }
        guard !isBehind else { return }
        nodes[node].journal.removeFirst()
        var holders = holding[record.address] ?? []
        if record.isStart { holders.insert(record.line) } else { holders.remove(record.line) }
        holding[record.address] = holders
        let claimant = record.isStart ? lines[record.line].claimant : leases[record.address]?.claimant ?? lines[record.line].claimant
        leases[record.address] = AddressLease(
            address: record.address, claimant: claimant, isInUse: !holders.isEmpty, isContested: holders.count > 1,
            quarantinedUntil: holders.isEmpty ? now + Self.quarantine : 0)
    }

    /// All that was acknowledged before is in the database, dead nodes' journals included.
    private var horizon: Int64 { nodes.flatMap(\.journal).map(\.at).min() ?? now }

    private mutating func look(_ node: Int) {
        guard nodes[node].isAlive else { return }
        for lease in leases.values { nodes[node].stock.apply(lease.seen(at: now)) }
        let horizon = horizon
        for lapsed in nodes[node].stock.lapsed(horizon: horizon, limit: 100) {
            nodes[node].stock.lapse(lapsed.address, horizon: horizon, at: now)
        }
        nodes[node].stock.advance(horizon: horizon, at: now)
    }

    private mutating func takeBlock(_ node: Int) {
        let unheld = blocks.indices.filter { blocks[$0].holder == nil }
        guard nodes[node].isAlive, let number = unheld.randomElement(using: &random) else { return }
        let block = blocks[number]
        if block.count > 3, Int.random(in: 0..<3, using: &random) == 0 {
            let count = Int.random(in: 1..<block.count, using: &random)
            blocks[number].count = count
            blocks.append(Block(first: block.first + UInt32(count), count: block.count - count, settles: block.settles))
        }
        blocks[number].holder = node
        nodes[node].stock.add(self.block(number, block.settles), leases.values.map { $0.seen(at: now) })
    }

    private func block(_ number: Int, _ settles: Int64) -> AddressBlock {
        let block = blocks[number]
        return AddressBlock(id: Int64(number), first: IPAddress(ipv4: block.first), count: block.count, settlesAt: settles)
    }

    /// What the other node asked for, whether all of it is free or not.
    private mutating func giveBlock(_ node: Int) {
        guard nodes[node].isAlive, let spare = nodes[node].stock.spareBlocks().first else { return }
        if spare.isAwaited { return nodes[node].stock.withhold([spare.id]) }
        for item in nodes[node].stock.resting(in: spare.id) {
            var lease = leases[item.address] ?? AddressLease(address: item.address, claimant: .nobody, isInUse: false)
            if !lease.isInUse { lease.quarantinedUntil = max(lease.quarantinedUntil, item.until) }
            leases[item.address] = lease
        }
        blocks[Int(spare.id)].settles = nodes[node].stock.remove(spare.id) ?? 0
        blocks[Int(spare.id)].holder = nil
        passedOn += 1
    }

    private mutating func kill(_ node: Int) {
        guard nodes[node].isAlive, nodes[1 - node].isAlive else { return }
        nodes[node].isAlive = false
        nodes[node].stock = Node().stock
        // Half of the time its lease runs out at once, and the blocks are anybody's.
        guard Bool.random(using: &random) else { return }
        for block in blocks.indices where blocks[block].holder == node {
            blocks[block].holder = nil
            blocks[block].settles = now + Self.offer
        }
    }

    private mutating func revive(_ node: Int) {
        guard !nodes[node].isAlive else { return }
        nodes[node].isAlive = true
        for number in blocks.indices where blocks[number].holder == node {
            nodes[node].stock.add(block(number, now + Self.offer), leases.values.map { $0.seen(at: now) })
        }
    }
}

extension AddressLease {
    /// As a look at `now` reads it: what has rested long enough is free.
    fileprivate func seen(at now: Int64) -> AddressLease {
        var lease = self
        if lease.quarantinedUntil <= now { lease.quarantinedUntil = 0 }
        return lease
    }
}
