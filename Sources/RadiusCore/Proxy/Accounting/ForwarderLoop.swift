internal import CLinux

/// The forwarder's thread: reads, hands over, tries again, keeps the position.
struct ForwarderLoop: ~Copyable {
    private struct Waiting {
        let packet: [UInt8]
        let entry: JournalEntry
        var realm: Int64 = 0
        var failures = 0
        var declines = 0
    }

    private let forwarder: AccountingForwarder
    private let position: ForwardedPosition
    private var reader: JournalReader
    private var waiting: [UInt64: Waiting] = [:]
    /// How many of them are of each realm.
    private var held: [Int64: Int] = [:]
    /// By realm.
    private var backlogs: [Int64: RealmBacklog] = [:]
    /// What backlogs that are done did not find any more.
    private var lostBefore: UInt64 = 0
    private var retries = Deadlines()
    private var inFlight = 0
    private var statistics = AccountingForwarder.Statistics()
    private var saved: UInt64?
    private var savedAt: UInt64 = 0
    private var isListening = false
    /// Where policy rules run.
    private var rules = PolicyScratch()

    /// Begins behind the position that was saved, without one behind `first`.
    init(_ forwarder: AccountingForwarder, after first: UInt64) {
        self.forwarder = forwarder
        position = ForwardedPosition(directory: forwarder.journal.directory, identity: forwarder.journal.identity)
        saved = position.load()
        reader = JournalReader(directory: forwarder.journal.directory, after: saved ?? first)
    }

    mutating func run() {
        while !forwarder.isStopping {
            _ = forwarder.wake.wait(timeoutMilliseconds: hasWaiting ? 100 : 500)
            settle()
            if hasWaiting || forwarder.store.snapshot.proxy?.forwardsAccounting == true { work() } else { rest() }
            report()
        }
        save(isLast: true)
        if isListening { forwarder.journal.removeListener(eventFD: forwarder.wake.eventFD) }
    }

    private var hasWaiting: Bool { !waiting.isEmpty || !backlogs.isEmpty }

    /// No realm forwards accounting: what comes now is not anybody else's.
    private mutating func rest() {
        if isListening { forwarder.journal.removeListener(eventFD: forwarder.wake.eventFD) }
        isListening = false
        reader = JournalReader(directory: forwarder.journal.directory, after: forwarder.journal.durableSequence)
        if saved != nil { position.remove() }
        saved = nil
    }

    private mutating func work() {
        if !isListening {
            forwarder.journal.addListener(eventFD: forwarder.wake.eventFD)
            isListening = true
        }
        retry()
        catchUp()
        read()
        save(isLast: false)
    }

    /// Takes what the proxy's thread reported.
    private mutating func settle() {
        for outcome in forwarder.takeOutcomes() {
            inFlight -= 1
            guard var record = waiting[outcome.sequence] else { continue }
            switch outcome.fate {
            case .acknowledged:
                statistics.acknowledged += 1
                forget(outcome.sequence)
            case .unusable:
                statistics.expired += 1
                forget(outcome.sequence)
            case .failed:
                statistics.failures += 1
                putOff(outcome.sequence, record)
            case .declined:
                record.declines += 1
                guard record.declines < forwarder.settings.declineLimit else {
                    statistics.declined += 1
                    forget(outcome.sequence)
                    continue
                }
                putOff(outcome.sequence, record)
            }
        }
    }

    /// Lets a record wait for its next attempt.
    private mutating func putOff(_ sequence: UInt64, _ known: Waiting) {
        var record = known
        record.failures += 1
        waiting[sequence] = record
        let delay = forwarder.settings.retryMilliseconds << min(record.failures - 1, 5)
        retries.insert(lm_monotonic_nanoseconds() + UInt64(max(1, delay)) * 1_000_000, sequence)
    }

    private mutating func retry() {
        let now = lm_monotonic_nanoseconds()
        while inFlight < forwarder.settings.inFlight, let sequence = retries.pop(notAfter: now) {
            guard let record = waiting[sequence] else { continue }
            let age = Int64(truncatingIfNeeded: lm_realtime_nanoseconds() / 1000) - record.entry.receivedMicroseconds
            if age / 1_000_000 > Int64(forwarder.settings.keepSeconds) {
                statistics.expired += 1
                forget(sequence)
            } else {
                hand(record, sequence)
            }
        }
    }

    /// Goes on in the journal. A realm of which many records wait leaves its further ones there, so that it does not stop the others.
    private mutating func read() {
        let durable = forwarder.journal.durableSequence
        let share = share
        while inFlight < forwarder.settings.inFlight, reader.lastSequence < durable {
            let limit = room(64)
            guard let batch = Self.next(&reader, through: durable, limit: limit, &statistics), batch.count > 0 else { return }
            for (sequence, record) in batch.found {
                guard let realm = match(record)?.match.realm.id else { continue }
                if backlogs[realm] != nil || held[realm, default: 0] >= share {
                    let start = JournalReader(directory: forwarder.journal.directory, after: sequence - 1)
                    backlogs[realm, default: RealmBacklog(reader: start)].add(sequence)
                } else {
                    hand(record, sequence)
                }
            }
        }
    }

    /// Reads again what was left in the journal, where a realm has room.
    private mutating func catchUp() {
        let share = share
        for (realm, known) in backlogs {
            var backlog = known
            // So many readings at once: outcomes want to be looked at, too.
            for _ in 0..<64 where !backlog.isDone {
                let limit = room(min(64, share - held[realm, default: 0]))
                guard limit > 0 else { break }
                guard let batch = Self.next(&backlog.reader, through: backlog.last, limit: limit, &statistics) else { break }
                if batch.count == 0 { backlog.abandon() }
                for (sequence, record) in batch.found where match(record)?.match.realm.id == realm && waiting[sequence] == nil {
                    backlog.count -= 1
                    hand(record, sequence)
                }
            }
            if backlog.isDone { lostBefore += backlog.lost }
            backlogs[realm] = backlog.isDone ? nil : backlog
        }
    }

    /// Of `settings.waiting`, what each realm may have.
    private var share: Int { max(1, forwarder.settings.waiting / max(1, forwarder.store.snapshot.proxy?.accountingRealms ?? 1)) }

    private func room(_ wanted: Int) -> Int { min(forwarder.settings.inFlight - inFlight, wanted) }

    /// Of how many records it comes, and the Accounting-Requests among them; nil when the journal cannot be read, which is noted.
    private static func next(
        _ reader: inout JournalReader, through last: UInt64, limit: Int, _ statistics: inout AccountingForwarder.Statistics
    ) -> (count: Int, found: [(UInt64, Waiting)])? {
        var found: [(UInt64, Waiting)] = []
        do throws(JournalError) {
            let count = try reader.read(through: last, limit: limit) { record in
                guard record.entry.kind == JournalEntry.accountingRequest else { return }
                let packet = record.packet
                found.append((record.sequence, Waiting(packet: packet.indices.map { packet[$0] }, entry: record.entry)))
            }
            return (count, found)
        } catch {
            statistics.problem = error.description
            return nil
        }
    }

    /// The realm whose home servers get a record, by the same rules and names as a log-in's.
    private mutating func match(_ record: Waiting) -> (match: RealmMatch, pool: HomeServerPool, name: [UInt8])? {
        let snapshot = forwarder.store.snapshot
        guard let plan = snapshot.proxy, let name = Self.value(AttributeNumber.userName, of: record.packet), !name.isEmpty else {
            return nil
        }
        let match = name.withUnsafeBytes { octets in
            rules.realm(of: record.packet, record.entry, octets, in: snapshot).map { RealmMatch(chosen: $0, for: octets) }
                ?? plan.find(tenant: record.entry.tenant, name: octets)
        }
        guard let match, let pool = match.realm.accountingPool else { return nil }
        return (match, pool, name)
    }

    /// Gives a record to the proxy, unless it is nobody's but ours.
    private mutating func hand(_ record: Waiting, _ sequence: UInt64) {
        forget(sequence)
        guard let found = match(record) else { return }
        let (match, pool, name) = found
        guard !ProxyState.isLooping(record.packet.span, mark: forwarder.proxy.mark) else {
            statistics.looped += 1
            return
        }
        let station = Self.value(AttributeNumber.callingStationID, of: record.packet)
        let order = ProxyOrder(
            .accounting(receivedMicroseconds: record.entry.receivedMicroseconds), to: pool, received: record.packet,
            userName: match.realm.strips && !match.user.isEmpty ? Array(name[match.user]) : nil, filter: match.realm.requestFilter,
            dictionary: forwarder.store.snapshot.dictionary,
            operatorNAS: forwarder.proxy.operatorNAS(tenant: record.entry.tenant, nas: record.entry.nas),
            key: StickyServers.key(station ?? name, pool.id)
        ) { [forwarder] outcome in forwarder.conclude(sequence, .init(outcome)) }
        keep(record, sequence, of: match.realm.id)
        inFlight += 1
        statistics.forwarded += 1
        if !forwarder.proxy.submit(order) { forwarder.conclude(sequence, .failed) }
    }

    private mutating func keep(_ record: Waiting, _ sequence: UInt64, of realm: Int64) {
        var record = record
        record.realm = realm
        waiting[sequence] = record
        held[realm, default: 0] += 1
    }

    private mutating func forget(_ sequence: UInt64) {
        guard let realm = waiting.removeValue(forKey: sequence)?.realm, let count = held[realm] else { return }
        held[realm] = count > 1 ? count - 1 : nil
    }

    private static func value(_ type: UInt8, of packet: [UInt8]) -> [UInt8]? {
        var cursor = AttributeCursor(PacketHeader.count..<packet.count)
        while let attribute = cursor.next(in: packet.span) {
            if attribute.type == UInt32(type) { return Array(packet[attribute.range]) }
        }
        return nil
    }

    /// Everything up to here is done.
    private var done: UInt64 {
        let read = backlogs.values.reduce(reader.lastSequence) { min($0, $1.reader.lastSequence) }
        return waiting.keys.min().map { min($0 - 1, read) } ?? read
    }

    /// Keeps the position, once a second at most.
    private mutating func save(isLast: Bool) {
        let now = lm_monotonic_nanoseconds()
        guard isListening, isLast || now >= savedAt + 1_000_000_000 else { return }
        savedAt = now
        let done = done
        guard saved != done else { return }
        let problem = position.save(done)
        statistics.problem = problem == 0 ? nil : "the position of forwarded accounting cannot be kept (errno \(problem))"
        if problem == 0 { saved = done }
    }

    private mutating func report() {
        statistics.waiting = backlogs.values.reduce(waiting.count) { $0 + max(0, $1.count) }
        statistics.lost = backlogs.values.reduce(reader.lostRecords + lostBefore) { $0 + $1.lost }
        statistics.position = isListening ? done : reader.lastSequence
        forwarder.publish(statistics)
    }
}
