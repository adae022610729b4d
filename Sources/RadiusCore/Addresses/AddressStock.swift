/// The items of one pool that this node may hand out, and what it knows of them. A value: no clock, no lock, no database.
///
/// An item is in one list by its state, or in none while it is in use or unsettled, and in the chain of whoever had it last. Times are
/// microseconds since 1970 by the database's clock.
struct AddressStock {
    /// How long an offer waits for its session, and how long an item rests after one, in microseconds.
    struct Times: Sendable, Equatable {
        var offer: Int64 = 120_000_000
        var quarantine: Int64 = 300_000_000
    }

    /// How an item came to be offered.
    enum Choice: Sendable {
        /// The same line or device asks again.
        case again
        /// The subscriber had it last.
        case sticky
        /// The one that has been free the longest.
        case next
    }

    /// Items of one claimant's chain that are looked at.
    private static let chainLimit = 32

    private struct Item: BitwiseCopyable {
        var claimant = AddressClaimant.nobody
        /// Of the last offer, until it is known what became of it; 0 for none.
        var offeredAt: Int64 = 0
        var quarantinedUntil: Int64 = 0
        var next: Int32 = -1
        var previous: Int32 = -1
        var chain: Int32 = -1
        var state = AddressState.unsettled
        var isContested = false
        /// It rests after an offer, of which the database knows nothing.
        var restsUntold = false
        /// In a block, and not behind its end.
        var exists = false
    }

    private struct List: BitwiseCopyable {
        var first: Int32 = -1
        var last: Int32 = -1
        var count = 0
    }

    private(set) var prefixLength: Int
    var times: Times
    private var items: [Item] = []
    /// By slot; nil where a block was taken out.
    private var blocks: [AddressBlock?] = []
    /// Slots in the order of their first items.
    private var order: [Int] = []
    private var free = List()
    /// Free items of blocks that are meant for others, and which blocks these are, by slot.
    private var withheld = List()
    private var isWithheld: [Bool] = []
    private var offered = List()
    private var quarantined = List()
    private(set) var inUse = 0
    private(set) var unsettled = 0
    /// Blocks whose `settlesAt` is still awaited.
    private var waiting: Set<Int> = []
    private var chains: [Int32]
    private var horizon: Int64 = 0
    /// Items that somebody used who was not offered them, or several at once.
    private(set) var conflicts: UInt64 = 0
    /// Offers of which nothing came.
    private(set) var expired: UInt64 = 0

    /// `prefixLength` is of one item, of 128; 128 for IPv4.
    init(prefixLength: Int, times: Times) {
        precondition((1...128).contains(prefixLength))
        self.prefixLength = prefixLength
        self.times = times
        chains = Array(repeating: -1, count: 1024)
    }

    var freeCount: Int { free.count + withheld.count }
    var offeredCount: Int { offered.count }
    var quarantinedCount: Int { quarantined.count }
    var blockIDs: [Int64] { order.compactMap { blocks[$0]?.id } }
    /// All items that this node holds.
    var count: Int { order.reduce(0) { $0 + (blocks[$1]?.count ?? 0) } }

    // MARK: Handing out

    /// Picks an item for `claimant` and notes the offer; nil when there is none.
    mutating func offer(_ claimant: AddressClaimant, at now: Int64) -> (address: IPAddress, choice: Choice)? {
        guard let (place, choice) = choose(claimant) else { return nil }
        let item = items[place]
        if item.claimant.subscriber != claimant.subscriber {
            unchain(place)
            chain(place, to: claimant)
        } else {
            items[place].claimant = claimant
        }
        items[place].offeredAt = now
        if item.state != .inUse { move(place, to: .offered) }
        return (address(of: place), choice)
    }

    /// What `offer` would pick now.
    func preview(_ claimant: AddressClaimant) -> (address: IPAddress, choice: Choice)? {
        choose(claimant).map { (address(of: $0.place), $0.choice) }
    }

    private func choose(_ claimant: AddressClaimant) -> (place: Int, choice: Choice)? {
        var sticky = -1
        var stickyLast = -1
        var place = chains[Self.hash(claimant.subscriber) & (chains.count - 1)]
        var looked = 0
        while place >= 0, looked < Self.chainLimit {
            let item = items[Int(place)]
            if item.claimant.subscriber == claimant.subscriber, !item.isContested {
                let isIdle = item.state == .free || item.state == .quarantined
                let isLast = isIdle && isWithheld[Int(place) / AddressBlock.capacity]
                if !isLast, item.state != .unsettled, item.claimant.isSameStation(as: claimant) { return (Int(place), .again) }
                if isLast, stickyLast < 0 { stickyLast = Int(place) }
                if isIdle, !isLast, sticky < 0 { sticky = Int(place) }
            }
            place = item.chain
            looked += 1
        }
        if sticky >= 0 { return (sticky, .sticky) }
        if free.first >= 0 { return (Int(free.first), .next) }
        if stickyLast >= 0 { return (stickyLast, .sticky) }
        return withheld.first >= 0 ? (Int(withheld.first), .next) : nil
    }

    // MARK: What the database says

    /// Takes over what the database says of an item; nothing happens when no block here has it.
    mutating func apply(_ lease: AddressLease) {
        guard let place = place(of: lease.address) else { return }
        if lease.isInUse { return use(place, lease) }
        items[place].isContested = false
        if items[place].state == .unsettled { return remember(place, lease) }
        if isAwaited(place) {
            // The end of an older session: the offer goes on.
            if items[place].state == .inUse { move(place, to: .offered) }
            return
        }
        items[place].offeredAt = 0
        remember(place, lease)
        // The former holder may have offered it again, to the line that had it.
        let isSettled = !waiting.contains(place / AddressBlock.capacity)
        move(place, to: !isSettled ? .unsettled : lease.quarantinedUntil > 0 ? .quarantined : .free)
    }

    private mutating func use(_ place: Int, _ lease: AddressLease) {
        let item = items[place]
        let isStranger = item.state == .offered && item.claimant.subscriber != lease.claimant.subscriber
        if isStranger || (lease.isContested && !item.isContested) { conflicts += 1 }
        remember(place, lease)
        items[place].isContested = lease.isContested
        if item.state != .inUse { move(place, to: .inUse) }
    }

    /// A session may still come of the last offer. That one has come already does not show that it was this offer's.
    private func isAwaited(_ place: Int) -> Bool {
        items[place].offeredAt != 0 && items[place].offeredAt + times.offer >= horizon
    }

    private mutating func remember(_ place: Int, _ lease: AddressLease) {
        if items[place].claimant != lease.claimant {
            unchain(place)
            chain(place, to: lease.claimant)
        }
        items[place].quarantinedUntil = lease.quarantinedUntil
        items[place].restsUntold = false
    }

    // MARK: Time

    /// Offers that no session can answer any more: sessions that began until `horizon` are all known. Oldest first, at most `limit`.
    func lapsed(horizon: Int64, limit: Int) -> [(address: IPAddress, claimant: AddressClaimant)] {
        var found: [(address: IPAddress, claimant: AddressClaimant)] = []
        var place = offered.first
        while place >= 0, found.count < limit {
            let item = items[Int(place)]
            guard item.offeredAt + times.offer < horizon else { break }
            found.append((address(of: Int(place)), item.claimant))
            place = item.next
        }
        return found
    }

    /// Ends an offer that `lapsed` named; another may have been made since, and that one stays.
    mutating func lapse(_ address: IPAddress, horizon: Int64, at now: Int64) {
        guard let place = place(of: address), items[place].state == .offered, items[place].offeredAt + times.offer < horizon else { return }
        expired += 1
        items[place].offeredAt = 0
        items[place].quarantinedUntil = now + times.quarantine
        items[place].restsUntold = true
        move(place, to: .quarantined)
    }

    /// Frees what has rested long enough, and settles blocks whose time has come.
    mutating func advance(horizon: Int64, at now: Int64) {
        self.horizon = horizon
        while quarantined.first >= 0, items[Int(quarantined.first)].quarantinedUntil <= now { move(Int(quarantined.first), to: .free) }
        for slot in waiting where (blocks[slot]?.settlesAt ?? 0) < horizon {
            waiting.remove(slot)
            for place in slot * AddressBlock.capacity..<(slot + 1) * AddressBlock.capacity
            where items[place].exists && items[place].state == .unsettled {
                move(place, to: items[place].quarantinedUntil > now ? .quarantined : .free)
            }
        }
    }

    // MARK: Blocks

    /// Takes a block in, with what the database says of its items.
    mutating func add(_ block: AddressBlock, _ leases: [AddressLease]) {
        guard !blockIDs.contains(block.id) else { return }
        let slot = blocks.firstIndex { $0 == nil } ?? blocks.count
        if slot == blocks.count {
            blocks.append(nil)
            isWithheld.append(false)
            items.append(contentsOf: repeatElement(Item(), count: AddressBlock.capacity))
            if items.count > chains.count { growChains() }
        }
        blocks[slot] = block
        let start = slot * AddressBlock.capacity
        for place in start..<start + block.count {
            items[place] = Item()
            items[place].exists = true
            unsettled += 1
            if block.settlesAt == 0 { move(place, to: .free) }
        }
        if block.settlesAt != 0 { waiting.insert(slot) }
        order.insert(slot, at: order.firstIndex { (blocks[$0]?.first.wide ?? 0) > block.first.wide } ?? order.count)
        for lease in leases { apply(lease) }
    }

    /// Takes a block out, whatever its items are.
    ///
    /// - Returns: until when its offers may turn out to be in use; 0 without any. Nil when it is not here.
    @discardableResult
    mutating func remove(_ id: Int64) -> Int64? {
        guard let slot = order.first(where: { blocks[$0]?.id == id }), let block = blocks[slot] else { return nil }
        var settles: Int64 = waiting.contains(slot) ? block.settlesAt : 0
        for place in slot * AddressBlock.capacity..<(slot + 1) * AddressBlock.capacity where items[place].exists {
            if items[place].offeredAt != 0 { settles = max(settles, items[place].offeredAt + times.offer) }
            unchain(place)
            unlink(place)
            items[place] = Item()
        }
        waiting.remove(slot)
        isWithheld[slot] = false
        blocks[slot] = nil
        order.removeAll { $0 == slot }
        return settles
    }

    /// Items of a block that rest after an offer, which only this node knows, and until when.
    func resting(in id: Int64) -> [(address: IPAddress, until: Int64)] {
        guard let slot = order.first(where: { blocks[$0]?.id == id }) else { return [] }
        return (slot * AddressBlock.capacity..<(slot + 1) * AddressBlock.capacity)
            .filter { items[$0].exists && items[$0].state == .quarantined && items[$0].restsUntold }
            .map { (address(of: $0), items[$0].quarantinedUntil) }
    }

    /// Blocks that have free items. Of those of whose offers no session is awaited any more the database knows all else, too, or `resting`
    /// tells it: they come first, then those that are withheld already, then those with the most free items.
    func spareBlocks() -> [SpareBlock] {
        guard freeCount > 0 else { return [] }
        var all: [SpareBlock] = []
        for slot in order where !waiting.contains(slot) {
            guard let block = blocks[slot] else { continue }
            let places = slot * AddressBlock.capacity..<slot * AddressBlock.capacity + block.count
            let free = places.count { items[$0].state == .free }
            guard free > 0 else { continue }
            let isAwaited = places.contains { items[$0].state == .offered || self.isAwaited($0) }
            all.append(SpareBlock(id: block.id, count: block.count, free: free, isAwaited: isAwaited, isWithheld: isWithheld[slot]))
        }
        return all.sorted { ($0.rank, -$0.free) < ($1.rank, -$1.free) }
    }

    /// Hands out of the blocks `ids` only what the others no longer have, so that no more sessions of them are awaited one day.
    mutating func withhold(_ ids: [Int64]) {
        for slot in order where isWithheld[slot] != ids.contains(blocks[slot]?.id ?? 0) {
            let places = (slot * AddressBlock.capacity..<(slot + 1) * AddressBlock.capacity).filter { items[$0].state == .free }
            for place in places { unlink(place) }
            isWithheld[slot].toggle()
            for place in places { link(place) }
        }
    }

    /// The state of an item; nil when no block here has it.
    func state(of address: IPAddress) -> AddressState? { place(of: address).map { items[$0].state } }

    // MARK: Places

    private var stride: UInt128 { 1 << UInt128(128 - prefixLength) }

    private func address(of place: Int) -> IPAddress {
        let (slot, offset) = place.quotientAndRemainder(dividingBy: AddressBlock.capacity)
        return IPAddress(wide: (blocks[slot]?.first.wide ?? 0) + UInt128(offset) * stride)
    }

    private func place(of address: IPAddress) -> Int? {
        let wanted = address.wide
        var (low, high) = (0, order.count)
        while low < high {
            let middle = (low + high) / 2
            if (blocks[order[middle]]?.first.wide ?? 0) <= wanted { low = middle + 1 } else { high = middle }
        }
        guard low > 0, let block = blocks[order[low - 1]] else { return nil }
        let offset = (wanted - block.first.wide) / stride
        return offset < UInt128(block.count) ? order[low - 1] * AddressBlock.capacity + Int(offset) : nil
    }

    // MARK: Lists

    private mutating func move(_ place: Int, to state: AddressState) {
        unlink(place)
        items[place].state = state
        link(place)
    }

    private mutating func link(_ place: Int) {
        switch items[place].state {
        case .free where isWithheld[place / AddressBlock.capacity]: Self.append(place, to: &withheld, &items)
        case .free: Self.append(place, to: &free, &items)
        case .offered: Self.append(place, to: &offered, &items)
        case .quarantined: Self.append(place, to: &quarantined, &items)
        case .inUse: inUse += 1
        case .unsettled: unsettled += 1
        }
    }

    private mutating func unlink(_ place: Int) {
        switch items[place].state {
        case .free where isWithheld[place / AddressBlock.capacity]: Self.remove(place, from: &withheld, &items)
        case .free: Self.remove(place, from: &free, &items)
        case .offered: Self.remove(place, from: &offered, &items)
        case .quarantined: Self.remove(place, from: &quarantined, &items)
        case .inUse: inUse -= 1
        case .unsettled: unsettled -= 1
        }
    }

    private static func append(_ place: Int, to list: inout List, _ items: inout [Item]) {
        items[place].previous = list.last
        items[place].next = -1
        if list.last >= 0 { items[Int(list.last)].next = Int32(place) } else { list.first = Int32(place) }
        list.last = Int32(place)
        list.count += 1
    }

    private static func remove(_ place: Int, from list: inout List, _ items: inout [Item]) {
        let (previous, next) = (items[place].previous, items[place].next)
        if previous >= 0 { items[Int(previous)].next = next } else { list.first = next }
        if next >= 0 { items[Int(next)].previous = previous } else { list.last = previous }
        list.count -= 1
    }

    // MARK: Chains

    private static func hash(_ subscriber: Int64) -> Int {
        Int(truncatingIfNeeded: (UInt64(bitPattern: subscriber) &* 0x9e37_79b9_7f4a_7c15) >> 32)
    }

    private mutating func chain(_ place: Int, to claimant: AddressClaimant) {
        items[place].claimant = claimant
        guard claimant.subscriber != 0 else { return }
        let bucket = Self.hash(claimant.subscriber) & (chains.count - 1)
        items[place].chain = chains[bucket]
        chains[bucket] = Int32(place)
    }

    private mutating func unchain(_ place: Int) {
        let claimant = items[place].claimant
        guard claimant.subscriber != 0 else { return }
        let bucket = Self.hash(claimant.subscriber) & (chains.count - 1)
        if chains[bucket] == Int32(place) {
            chains[bucket] = items[place].chain
        } else {
            var before = Int(chains[bucket])
            while items[before].chain != Int32(place) { before = Int(items[before].chain) }
            items[before].chain = items[place].chain
        }
        items[place].claimant = .nobody
        items[place].chain = -1
    }

    /// As many chains as items, so that they stay short.
    private mutating func growChains() {
        chains = Array(repeating: -1, count: chains.count * 2)
        for place in items.indices where items[place].claimant.subscriber != 0 {
            let claimant = items[place].claimant
            items[place].chain = -1
            chain(place, to: claimant)
        }
    }
}
