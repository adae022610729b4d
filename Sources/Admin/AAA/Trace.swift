internal import Synchronization

/// Which recorded transactions somebody wants to see.
public struct TraceWish: Equatable, Sendable {
    /// A username; nil: everybody.
    public var user: String?
    /// The id of a NAS, perhaps of one that is gone; nil: all of the tenant's.
    public var nas: Int64?
    /// Calling-Station-Id; a hardware address in any notation; nil: all.
    public var station: String?
    /// How many of the past, at most.
    public var last = 20

    public init() {}
}

/// Reads recorded transactions: the past at the first call, then what came since. One caller at a time.
public struct TraceReader: Sendable {
    /// What one call gives.
    public struct Portion: Sendable {
        /// Each the text of a JSON object.
        public var transactions: [String]
        /// Transactions of anybody that were written over before they could be looked at.
        public var missed: UInt64

        public init(transactions: [String], missed: UInt64) {
            self.transactions = transactions
            self.missed = missed
        }
    }

    /// Nil once the daemon stops.
    public let next: @Sendable () throws -> Portion?

    public init(next: @escaping @Sendable () throws -> Portion?) {
        self.next = next
    }
}

/// `POST auth-log/trace`: what was recorded of log-ins, accounting and drops, and with `follow` what comes from now on.
enum Trace {
    static let action = Action(
        "trace", on: .collection, summary: "The last transactions of a user or NAS, decoded, and with follow what comes from now on",
        isWrite: false,
        parameters: [
            ("user", "Only of this username"), ("nas", "Only of this NAS, by name or id"),
            ("station", "Only of this Calling-Station-Id; a hardware address in any notation"),
            ("last", "How many of the past: 1 to 1000, with follow also 0; without it 20"),
            ("follow", "true: lines of JSON as they come, until the caller hangs up"),
        ], permission: "trace:read"
    ) { exchange, _ in
        var wish = try wish(exchange)
        if let nas = exchange.parameter("nas") { wish.nas = try await exchange.nasID(nas) }
        guard try exchange.flag("follow") else {
            let portion = try exchange.services.openTrace(exchange.principal.tenant, wish).next()
            return .json("{\"data\":[\(portion?.transactions.joined(separator: ",") ?? "")]}")
        }
        let place = try Watchers.all.enter(exchange.principal.tenant)
        let reader = try exchange.services.openTrace(exchange.principal.tenant, wish)
        var answer = Answer(mediaType: "application/x-ndjson")
        answer.stream = { write in
            defer { place.leave() }
            try await follow(reader, write)
        }
        return answer
    }

    static func wish(_ exchange: Exchange) throws(Problem) -> TraceWish {
        var wish = TraceWish()
        wish.user = exchange.parameter("user")
        wish.station = exchange.parameter("station")
        guard let last = exchange.parameter("last") else { return wish }
        let least = try exchange.flag("follow") ? 0 : 1
        guard let count = Int(last), (least...1000).contains(count) else {
            throw .badParameters([.init(.parameter("last"), "range", "a number from \(least) to 1000 is expected")])
        }
        wish.last = count
        return wish
    }

    /// Between two looks, and between two signs of life when nothing happens.
    private static let pauseMilliseconds = 200
    private static let silentLooks = 5
    /// After this time the caller asks anew, so that a token that was taken away does not go on seeing.
    private static let timeLimit: Duration = .seconds(3600)

    /// Writes what comes, a line each. A write waits for a slow reader, who then misses what was written over, and is told.
    private static func follow(_ reader: TraceReader, _ write: (_ octets: [UInt8]) async throws -> Void) async throws {
        var silence = 0
        let deadline = ContinuousClock.now + timeLimit
        while ContinuousClock.now < deadline {
            guard let portion = try reader.next() else { return }
            var text = portion.missed > 0 ? "{\"missed\":\(portion.missed)}\n" : ""
            for transaction in portion.transactions { text += transaction + "\n" }
            silence = text.isEmpty ? silence + 1 : 0
            // An empty line finds out whether somebody still reads.
            if silence == silentLooks { (text, silence) = ("\n", 0) }
            if !text.isEmpty { try await write(Array(text.utf8)) }
            do { try await Task.sleep(for: .milliseconds(pauseMilliseconds)) } catch { return }
        }
    }
}

/// Who follows: each costs a look through the recorder five times a second, so that a tenant has a few places of all.
final class Watchers: Sendable {
    static let all = Watchers()

    static let limit = 20
    static let tenantLimit = 5
    /// By tenant; none is 0.
    private let counts = Mutex<[Int64: Int]>([:])

    /// A place, which is given back when it is left or forgotten.
    func enter(_ tenant: Int64) throws(Problem) -> Place {
        let taken: Int? = counts.withLock { counts in
            let own = counts[tenant, default: 0]
            if own >= Self.tenantLimit { return own }
            let total = counts.values.reduce(0, +)
            if total >= Self.limit { return total }
            counts[tenant] = own + 1
            return nil
        }
        if let taken { throw Problem.busy("\(taken) callers follow already; end one, or leave follow out") }
        return Place(self, tenant)
    }

    private func leave(_ tenant: Int64) {
        counts.withLock { counts in
            let left = counts[tenant, default: 0] - 1
            counts[tenant] = left > 0 ? left : nil
        }
    }

    /// A place that is given back once, also when its answer is never written.
    final class Place: Sendable {
        private let watchers: Watchers
        private let tenant: Int64
        private let isLeft = Atomic<Bool>(false)

        fileprivate init(_ watchers: Watchers, _ tenant: Int64) {
            self.watchers = watchers
            self.tenant = tenant
        }

        func leave() {
            if !isLeft.exchange(true, ordering: .relaxed) { watchers.leave(tenant) }
        }

        deinit { leave() }
    }
}
