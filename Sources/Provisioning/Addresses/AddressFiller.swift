import Database
import Logging
import RadiusCore

/// The rounds of `AddressPoolService` over one connection, from the first to the first failure.
final class AddressFiller {
    private static let lapseLimit = 1000
    private static let heartbeatMilliseconds: Int64 = 1000
    private static let idleHeartbeatMilliseconds: Int64 = 10_000
    private static let fillMilliseconds: Int64 = 5000
    private static let sweepMilliseconds: Int64 = 30_000
    /// How often blocks for others are looked for.
    private static let shareMilliseconds: Int64 = 1000
    /// For so long log-ins wait for the sessions of a new range.
    private static let freshMilliseconds: Int64 = 5000
    /// For so long log-ins wait for what other nodes were asked for, and so long later again.
    private static let askMilliseconds: Int64 = 2000
    private static let askAgainMilliseconds: Int64 = 30_000
    /// Free items that a node aims for even where an eighth of the pool is less.
    private static let leastStock = 256
    /// A share from which the log warns, and below which it may warn again.
    private static let fullAbove = 0.9
    private static let fullBelow = 0.85

    private let pools: AddressPools
    private let connection: Connection
    private let store: AddressStore
    private let settings: AddressPoolService.Settings
    private let progress: AddressPoolService.Progress
    private let logger: Logger
    private let isFirst: Bool
    private var isRegistered = false
    /// Blocks that this filler took and that are not in memory yet.
    private var taken: Set<Int64> = []
    /// When the database was last asked, by its clock.
    private var moment: Int64 = 0
    /// What the last look saw; nil before the first.
    private var seen: String?
    private var rows: [AddressPoolRow] = []
    private var wanted: [Int64: Int] = [:]
    private var nodes = 1
    private var horizon: Int64 = 0
    /// A moment by the database's clock, and how far the journal had to be shipped for all accounting before it to be there.
    private var mark: (moment: Int64, sequence: UInt64)?
    private var accountedThrough: Int64 = 0
    private var renewedAt: Int64?
    private var filledAt: Int64?
    private var sweptAt: Int64?
    private var fills: [AddressPoolFill] = []
    /// Items of each pool that are in use or rest, over all nodes.
    private var used: [Int64: Int] = [:]
    /// Pools that this node has nothing left of, and those that it told others about.
    private var needs: Set<Int64> = []
    private var toldNeeds: Set<Int64> = []
    /// Pools that others have nothing left of.
    private var needsOfOthers: Set<Int64> = []
    /// When others were asked for some of a pool.
    private var askedAt: [Int64: Int64] = [:]
    /// When a range of a pool was found to be new.
    private var freshSince: [Int64: Int64] = [:]
    /// When blocks of a pool were looked for that others could have.
    private var sharedAt: [Int64: Int64] = [:]
    private var takingUp: TakingUp
    private var full: Set<Int64> = []
    private var rounds: UInt64 = 0
    private var takenOver = 0
    private var swept = 0

    /// `incarnation` is of the process, the same after a lost connection; with `isFirst` nothing was handed out yet.
    init(
        pools: AddressPools, connection: Connection, node: String, incarnation: Int64, isFirst: Bool, settings: AddressPoolService.Settings,
        progress: @escaping AddressPoolService.Progress, logger: Logger
    ) {
        self.pools = pools
        self.connection = connection
        self.settings = settings
        self.progress = progress
        self.logger = logger
        self.isFirst = isFirst
        store = AddressStore(node: node, incarnation: incarnation, leaseSeconds: settings.leaseSeconds)
        takingUp = TakingUp(store: store, logger: logger)
    }

    func close() { connection.close() }

    /// Without pools there is little to do.
    var pauseMilliseconds: Int { !wanted.isEmpty || takingUp.isBusy ? 10 : rows.isEmpty ? 1000 : 250 }

    func report(to state: inout AddressPoolService.State) {
        state.fills = fills
        state.rounds += 1
        state.takenOver += UInt64(takenOver)
        state.swept += UInt64(swept)
        (takenOver, swept) = (0, 0)
        state.horizonLagSeconds = horizon == 0 ? 0 : Double(now - horizon) / 1_000_000
    }

    private var now: Int64 { pools.clock.estimate }

    /// Looks once, and does what is due.
    func round() throws {
        let time = WallClock.monotonicMilliseconds
        let interval = rows.isEmpty ? Self.idleHeartbeatMilliseconds : Self.heartbeatMilliseconds
        // A new range waits for what this node says of its accounting.
        let isWaiting = !takingUp.isBusy && rows.contains(where: \.isFresh)
        let isDue = seen == nil || !wanted.isEmpty || needs != toldNeeds || isWaiting
        if isDue || renewedAt.map({ time - $0 >= interval }) ?? true { try renew(time) }
        try look()
        try takingUp.round(rows, horizon: horizon, at: time, connection)
        try lapse()
        for row in rows { pools.pool(row.id).advance(horizon: horizon, at: now) }
        try giveBack(time)
        plan(time)
        try survey(time)
    }

    // MARK: Keeping the blocks

    private func renew(_ time: Int64) throws {
        noteProgress()
        let (asked, wall) = (AddressClock.monotonic, AddressClock.wall)
        let (wanted, needs, rows) = (wanted, needs, rows)
        var answer: Int64?
        var ids: [Int64] = []
        try connection.transaction(.system) { connection in
            if !isRegistered { try store.register(isFirst: isFirst, connection) }
            answer = try store.renew(accountedThrough: accountedThrough, needs: needs, connection)
            guard answer != nil else { return }
            // Blocks that somebody took over while the lease had run out must be gone before any of them is taken again, maybe with fewer
            // items, and before anything is handed out.
            dropLost(try store.held(connection))
            takenOver += try store.freeBlocksOfTheDead(connection)
            for row in rows {
                if let items = wanted[row.id] { ids += try store.take(items, of: row.id, inBlocksOf: row.blockItems, connection) }
            }
        }
        let answered = AddressClock.monotonic
        guard let answer else {
            pools.clock.end()
            throw DatabaseError(
                "55000", "another process hands out addresses under the name of this node", hint: "give each node its own state.dir")
        }
        (moment, isRegistered, self.wanted, toldNeeds) = (answer, true, [:], needs)
        taken.formUnion(ids)
        renewedAt = time
        pools.clock.renew(database: moment, asked: asked, answered: answered, wall: wall, seconds: settings.leaseSeconds)
        if mark == nil { mark = (moment, progress().durable) }
    }

    private func noteProgress() {
        guard let mark, let shipped = progress().shipped, shipped >= mark.sequence else { return }
        accountedThrough = mark.moment
        self.mark = nil
    }

    private func dropLost(_ held: [Int64: [AddressBlock]]) {
        for pool in pools.all {
            let kept = Set(held[pool.id]?.map(\.id) ?? [])
            for id in pool.blockIDs where !kept.contains(id) { pool.remove(id) }
        }
    }

    // MARK: Looking

    private func look() throws {
        var held: [Int64: [AddressBlock]] = [:]
        var fresh: [(pool: Int64, block: AddressBlock, leases: [AddressLease])] = []
        var changes: [AddressLeaseRow] = []
        let known = Dictionary(uniqueKeysWithValues: pools.all.map { ($0.id, Set($0.blockIDs)) })
        let first = seen == nil
        try connection.transaction(.system, isolation: .repeatableRead, readOnly: true) { connection in
            let sees = try connection.queryOne("SELECT pg_current_snapshot()::text")?.string(0) ?? ""
            (horizon, nodes) = try store.horizon(connection)
            needsOfOthers = try store.needs(connection)
            rows = try connection.queryAll(AddressPoolRow.sql) { try AddressPoolRow($0) }.compactMap(\.self)
            held = try store.held(connection)
            if let seen { changes = try store.changes(since: seen, connection) }
            for (pool, blocks) in held {
                for block in blocks where first || known[pool]?.contains(block.id) != true {
                    fresh.append((pool, block, try store.leases(of: block, pool: pool, connection)))
                }
            }
            seen = sees
        }
        adoptRules()
        for (id, block, leases) in fresh { admit(id, block, leases) }
        for (pool, rows) in Dictionary(grouping: changes, by: \.pool) { pools.pool(pool).apply(rows.map(\.lease)) }
        for row in changes where row.lease.isContested { warn(row) }
        rounds += 1
    }

    private func admit(_ id: Int64, _ block: AddressBlock, _ leases: [AddressLease]) {
        let pool = pools.pool(id)
        if pool.blockIDs.contains(block.id) { return pool.apply(leases) }
        // A block that came otherwise was this node's before: what it offered then is forgotten.
        let isTaken = taken.remove(block.id) != nil
        let offer = Int64(rows.first { $0.id == id }?.rules.offerSeconds ?? 3600) + AddressStore.slackSeconds
        let settles = isTaken ? block.settlesAt : max(block.settlesAt, moment + offer * 1_000_000)
        pool.add(AddressBlock(id: block.id, first: block.first, count: block.count, settlesAt: settles), leases)
    }

    private func adoptRules() {
        let present = Set(rows.map(\.id))
        for row in rows { pools.pool(row.id).set(row.rules) }
        for pool in pools.all where !present.contains(pool.id) { pool.set(nil) }
    }

    private func warn(_ row: AddressLeaseRow) {
        logger.warning(
            "an address is in use by more than one session",
            metadata: [
                "address": "\(row.lease.address.text)", "pool": "\(pools.pool(row.pool).rules?.name ?? "\(row.pool)")",
                "usernames": "\(row.userNames)",
            ])
    }

    // MARK: Time

    /// Ends offers of which no session came.
    private func lapse() throws {
        for row in rows {
            let pool = pools.pool(row.id)
            let lapsed = pool.lapsed(horizon: horizon, limit: Self.lapseLimit)
            guard !lapsed.isEmpty else { continue }
            let adopted = try connection.transaction(.system) { try store.adopt(lapsed, row, $0) }
            pool.apply(adopted)
            pool.lapse(lapsed.map(\.address), horizon: horizon, at: now)
        }
    }

    // MARK: How much

    /// Free items that this node aims for.
    private func stock(_ row: AddressPoolRow) -> Int {
        max(1, min(Self.leastStock, row.items / 4), min(settings.stock, row.items / 8))
    }

    private func plan(_ time: Int64) {
        wanted = [:]
        needs = []
        for row in rows {
            let pool = pools.pool(row.id)
            let counts = pool.counts
            let stock = stock(row)
            let lowWater = max(1, stock / 2)
            let canTake = row.rules.isEnabled && row.available > 0
            if row.rules.isEnabled, row.available == 0, counts.free == 0, nodes > 1 { needs.insert(row.id) }
            let isElsewhere = nodes > 1 && used[row.id, default: 0] + counts.offered < row.items
            let isNew = isNew(row, time)
            let canRefill = canTake || isNew || isAwaited(row.id, time)
            let asked = pool.endRound(lowWater: lowWater, canRefill: canRefill, isElsewhere: isElsewhere, isSettling: row.isFresh)
            // What somebody gave is for those who have nothing.
            guard canTake, counts.free < lowWater, counts.free == 0 || !needsOfOthers.contains(row.id) else { continue }
            // Others need some as well, unless a block is all there is.
            wanted[row.id] = min(max(stock - counts.free, 2 * asked), max(row.blockItems, row.available / 2))
        }
    }

    /// Others were asked for some of a pool a moment ago. Where none comes, log-ins are refused, and wait again only after a while.
    private func isAwaited(_ pool: Int64, _ time: Int64) -> Bool {
        guard needs.contains(pool) else { return false }
        let since = time - (askedAt[pool] ?? Int64.min / 2)
        if since >= Self.askAgainMilliseconds { askedAt[pool] = time }
        return since < Self.askMilliseconds || since >= Self.askAgainMilliseconds
    }

    /// A range of the pool was made a moment ago, and can be carved soon.
    private func isNew(_ row: AddressPoolRow, _ time: Int64) -> Bool {
        let since = row.isFresh ? freshSince[row.id] ?? time : nil
        freshSince[row.id] = since
        return since.map { time - $0 < Self.freshMilliseconds } ?? false
    }

    /// Blocks of pools that are switched off, and half of what is spare of those that other nodes have nothing left of.
    private func giveBack(_ time: Int64) throws {
        for row in rows {
            let pool = pools.pool(row.id)
            var blocks: [Int64] = []
            if !row.rules.isEnabled {
                blocks = pool.blockIDs
            } else if !needsOfOthers.contains(row.id) {
                pool.withhold([])
            } else if row.available == 0 {
                blocks = share(row, time)
            }
            guard !blocks.isEmpty else { continue }
            // First, and for itself: should the blocks not go, the database knows what rests all the same.
            let resting = blocks.flatMap { pool.resting(in: $0) }
            if !resting.isEmpty { try connection.transaction(.system) { try store.rest(resting, of: pool, $0) } }
            let given = blocks.map { (id: $0, settlesAt: pool.remove($0)) }
            try connection.transaction(.system) { try store.giveBack(given, $0) }
        }
    }

    /// Blocks for others that can go at once. Those of which sessions are awaited go later, and are handed out of last until then.
    private func share(_ row: AddressPoolRow, _ time: Int64) -> [Int64] {
        guard time - (sharedAt[row.id] ?? Int64.min / 2) >= Self.shareMilliseconds else { return [] }
        sharedAt[row.id] = time
        let pool = pools.pool(row.id)
        let spare = pool.spareBlocks()
        let awaited = Set(spare.filter(\.isAwaited).map(\.id))
        let chosen = Self.spare(spare, pool.counts.free, row.blockItems)
        pool.withhold(chosen)
        return chosen.filter { !awaited.contains($0) }
    }

    /// Of `blocks` those with at most half of the node's `free` items, and those that were chosen before, as long as it keeps some. Or one
    /// that is larger than the pool's blocks are now, since whoever takes it cuts off a piece of `size` items, and this node may take
    /// another.
    static func spare(_ blocks: [SpareBlock], _ free: Int, _ size: Int) -> [Int64] {
        var given: [Int64] = []
        var left = free / 2
        var kept = free
        for block in blocks {
            if block.free <= left || (block.isWithheld && block.free < kept) {
                left -= block.free
                kept -= block.free
                given.append(block.id)
            } else if given.isEmpty, block.count > size {
                return [block.id]
            }
        }
        return given
    }

    /// Gives everything back at the end. The node stays known while it has accounting that is not in the database.
    func leave() throws {
        let resting = pools.all.map { pool in (pool, pool.blockIDs.flatMap { pool.resting(in: $0) }) }
        let given = pools.all.flatMap { pool in pool.blockIDs.map { (id: $0, settlesAt: pool.remove($0)) } }
        let progress = progress()
        try connection.transaction(.system) { connection in
            // The node first, and then its blocks, as whoever frees them when its lease has run out.
            if progress.shipped == progress.durable { try store.leave(connection) }
            try store.giveBack(given, connection)
            for (pool, items) in resting { try store.rest(items, of: pool, connection) }
        }
    }

    // MARK: Surveying

    private func survey(_ time: Int64) throws {
        guard !rows.isEmpty else { return fills = [] }
        if sweptAt.map({ time - $0 >= Self.sweepMilliseconds }) ?? true {
            sweptAt = time
            swept += try connection.transaction(.system) { try store.sweep($0) }
        }
        if filledAt.map({ time - $0 >= Self.fillMilliseconds }) ?? true {
            filledAt = time
            fills = try connection.transaction(.system, readOnly: true) { try store.fill(rows, $0) }
            for (row, fill) in zip(rows, fills) {
                used[row.id] = fill.inUse + fill.resting
                watch(row, fill)
            }
        }
    }

    private func watch(_ row: AddressPoolRow, _ fill: AddressPoolFill) {
        if fill.fraction >= Self.fullAbove, full.insert(row.id).inserted {
            logger.warning(
                "an address pool is nearly used up; add a range to it",
                metadata: ["pool": "\(fill.name)", "in_use": "\(fill.inUse)", "resting": "\(fill.resting)", "items": "\(fill.items)"])
        } else if fill.fraction < Self.fullBelow {
            full.remove(row.id)
        }
    }
}
