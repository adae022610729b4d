import CLinux
import Glibc
import Synchronization

/// What a load generator sends, where to, and how fast.
public struct LoadPlan: Sendable {
    public enum Mode: String, CaseIterable, Sendable {
        case pap, chap
        case msCHAPv2 = "mschapv2"
        case accounting
        /// PAP requests to a peer that sends every datagram back as it came: what the transport alone costs.
        case echo
    }

    /// Requests that one socket can have in flight: the identifier has one octet (RFC 2865 §3).
    public static let identifiers = 256
    /// Sockets of one thread, at most: as many as one wait can watch.
    public static let socketLimit = 8

    public var mode = Mode.pap
    public var target: IPAddress
    public var port: UInt16
    public var secret: SharedSecret
    public var users: LoadUsers
    /// Encoded attributes that every request carries.
    public var attributes: [UInt8] = []
    /// Requests a second over all threads; 0: as fast as answers come.
    public var rate = 0
    /// Requests in flight over all threads.
    public var outstanding = 64
    /// Requests to send, in accounting mode sessions; nil: no limit.
    public var count: Int?
    /// Seconds to send for; nil: no limit.
    public var seconds: Int?
    public var threads = 1
    /// For each thread, 1...8.
    public var sockets = 1
    /// The processor of the first thread; the others follow.
    public var processor: Int?
    /// Access-Requests that each thread makes before it begins and sends in turn, for users picked at random; 0: each is made when it is
    /// sent, for one user after the other. Not in accounting mode.
    public var prepared = 0
    /// Looks for replies without pause instead of sleeping: takes a processor, and the server wakes nobody.
    public var spins = false
    /// Hands neighbouring requests of equal length to the kernel as one (UDP_SEGMENT).
    public var segments = false
    /// Checks Response Authenticator and Message-Authenticator of every reply; always on in accounting mode.
    public var verifies = false
    public var timeoutMilliseconds = 3000
    /// Retransmissions of one request before it is given up.
    public var retries = 2
    /// Interim records of each session between Start and Stop.
    public var interims = 2
    /// Accounting sessions that are open at once and send in turn, over all threads; nil: as many as requests in flight.
    public var open: Int?
    /// Accounting sessions that are open at the end stay so, instead of sending their Stop.
    public var leavesOpen = false
    /// Begins every Acct-Session-Id, so that two runs never share one.
    public var run: String
    /// Descriptor of a file that receives a line for each acknowledged record.
    public var acknowledgedFD: Int32?

    public init(target: IPAddress, port: UInt16, secret: SharedSecret, users: LoadUsers) {
        self.target = target
        self.port = port
        self.secret = secret
        self.users = users
        run = Self.randomRun()
    }

    /// Eight hexadecimal digits.
    private static func randomRun() -> String {
        let digits = String(UInt32.random(in: 0...UInt32.max), radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// What is wrong with the numbers; nil when they can be run.
    public var fault: String? {
        if !(1...64).contains(threads) { return "threads: 1 to 64 are possible" }
        if !(1...Self.socketLimit).contains(sockets) { return "sockets: each thread can have 1 to \(Self.socketLimit)" }
        let capacity = threads * sockets * Self.identifiers
        if !(threads...capacity).contains(outstanding) {
            return "outstanding: \(threads) to \(capacity) are possible with \(threads) threads of \(sockets) sockets; "
                + "an identifier has one octet, so that each socket holds 256 requests"
        }
        if let processor, let refused = ProcessorProbe().refused(processor, threads) {
            return "pin: there is no processor \(refused) that this program may run on; \(threads) from \(processor) on are asked for"
        }
        if attributes.count > LoadLanes.packetCapacity - 700 { return "attributes: together they are longer than this generator sends" }
        if users.isEmpty { return "users: there are none" }
        if !(1...600_000).contains(timeoutMilliseconds) { return "timeout: 1 ms to 10 minutes are possible" }
        if !(0...10_000).contains(retries) { return "retries: 0 to 10000 are possible" }
        if !(0...1000).contains(interims) { return "interims: 0 to 1000 are possible" }
        if !(0...16_000_000).contains(prepared) { return "prepare: 0 to 16000000 are possible" }
        if prepared > 0, mode == .accounting { return "prepare: accounting records follow from the one before and cannot be made ahead" }
        if let open, !(outstanding...16_000_000).contains(open) {
            return "open: as many sessions as requests in flight (\(outstanding)) or more are possible, to 16000000"
        }
        if let count, count < 1 { return "count: at least 1" }
        if let seconds, seconds < 1 { return "seconds: at least 1" }
        return rate < 0 ? "rate: 0 (as fast as answers come) or more" : nil
    }
}

/// Finds out what the system lets this program run on. In a thread of its own: whoever asks stays where it is.
private final class ProcessorProbe: Sendable {
    private static let pending = -1
    /// How many threads could be pinned before one could not.
    private let pinned = Atomic(ProcessorProbe.pending)

    /// The first of `count` processors from `first` on that a thread cannot be pinned to.
    func refused(_ first: Int, _ count: Int) -> Int? {
        Thread.start(name: "load-probe") { [self] in
            let refused = (0..<count).first { lm_pin_thread(Int32(clamping: first &+ $0)) != 0 }
            pinned.store(refused ?? count, ordering: .releasing)
        }
        while true {
            let place = pinned.load(ordering: .acquiring)
            if place != Self.pending { return place < count ? first &+ place : nil }
            sched_yield()
        }
    }
}

/// Names and passwords, in two arrays however many they are.
public struct LoadUsers: Sendable {
    private var octets: [UInt8] = []
    private var ends: [Int] = []
    /// Used where a name has none of its own.
    private let password: [UInt8]

    /// - Parameter password: of all names that come without one.
    public init(password: [UInt8]) {
        self.password = password
    }

    /// Adds a name; false when it does not fit a User-Name, or its password is too long.
    public mutating func append(name: some Collection<UInt8>, password own: (some Collection<UInt8>)?) -> Bool {
        guard (1...253).contains(name.count), (own?.count ?? password.count) <= UserPassword.maximumCount else { return false }
        octets += name
        ends.append(octets.count)
        if let own { octets += own } else { octets += password }
        ends.append(octets.count)
        return true
    }

    public var count: Int { ends.count / 2 }
    public var isEmpty: Bool { ends.isEmpty }

    /// The octets of the name at `position`.
    func name(_ position: Int) -> Range<Int> { (position == 0 ? 0 : ends[2 * position - 1])..<ends[2 * position] }
    /// The octets of the password at `position`.
    func password(_ position: Int) -> Range<Int> { ends[2 * position]..<ends[2 * position + 1] }
    /// What the ranges refer to.
    var span: Span<UInt8> { @_lifetime(borrow self) get { octets.span } }
}
