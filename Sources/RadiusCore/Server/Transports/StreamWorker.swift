import CLinux
import Glibc

/// One thread that serves connections: its own listening sockets and port of DTLS, its own connections, the same packet path as a
/// `UDPWorker`.
///
/// No peer can hold up another: nothing waits, each connection brings a bounded number of octets a turn, handshakes get a bounded time, and
/// who does not take replies is not read any more. Replies that wait, for the journal, a slow check or the reject delay, find their
/// connection by its handle, or nobody.
struct StreamWorker: ~Copyable {
    let environment: ServerEnvironment
    let settings: StreamSettings
    let census: StreamCensus
    let certificates: RadSecCertificates?
    let counters: WorkerCounters
    let connections: StreamConnections
    /// What goes to NAS over their connections, and the number of this thread there.
    let reverse: ReverseCoA
    let number: Int
    /// Of TCP.
    let listeners: [StreamListener]
    /// Nil without DTLS.
    let datagrams: DTLSPort?
    private let wakeFD: Int32
    /// Established connections, the wake-up, the listening sockets, the port of DTLS, and `handshakeEpoll`.
    let epoll = lm_epoll()
    /// Connections in their handshake: each look serves one, in turns.
    let handshakeEpoll = lm_epoll()
    var path: PacketPath
    var authentication: ReplyPort
    var accounting: ReplyPort
    var authenticationRequests = DatagramArena()
    var accountingRequests = DatagramArena()
    /// What is read at once; a record of DTLS is never longer.
    let scratch = UnsafeMutablePointer<UInt8>.allocate(capacity: StreamSettings.turnOctets)
    private let ready = UnsafeMutablePointer<lm_ready>.allocate(capacity: StreamWorker.readyLimit)
    private static let readyLimit = 128
    /// Handshakes in the order in which they began; those that ended stay until they are first.
    var handshakes: [ConnectionHandle] = []
    var handshakeCount = 0
    /// Which listening sockets are watched.
    var isListening: [Bool]
    var isAccepting = true
    /// Where answers to requests of ours are read.
    var answerIndex = AttributeIndex()
    var nowSeconds: UInt32 = 0
    private var sweptSeconds: UInt32 = 0
    var knownGeneration: UInt64 = 0
    /// What is ready among handshakes, and among listening sockets.
    private var hasHandshakes = false
    private var hasArrivals = false

    /// Keys of what is no connection: their generation is 0.
    enum Key {
        static let wake: UInt64 = 0
        static let handshakes: UInt64 = 1
        static let datagrams: UInt64 = 2
        static let firstListener: UInt64 = 3
    }

    init(
        listeners: [StreamListener], environment: ServerEnvironment, settings: StreamSettings, census: StreamCensus,
        certificates: RadSecCertificates?, cookies: DTLSCookies, counters: WorkerCounters, events: AuthEventRing,
        completions: ParkedCompletions, reverse: ReverseCoA, number: Int
    ) {
        self.reverse = reverse
        self.number = number
        self.listeners = listeners.filter { $0.transport != .dtls }
        datagrams = listeners.first { $0.transport == .dtls }.map { DTLSPort($0, cookies: cookies, counters: counters) }
        self.environment = environment
        self.settings = settings
        self.census = census
        self.certificates = certificates
        self.counters = counters
        isListening = self.listeners.map { _ in false }
        wakeFD = completions.eventFD
        let connections = StreamConnections(census: census, dictionary: environment.store.snapshot.dictionary)
        self.connections = connections
        authentication = ReplyPort(connections: connections, counters: counters, held: environment.settings.heldReplies)
        accounting = ReplyPort(connections: connections, counters: counters, held: environment.settings.heldReplies)
        path = PacketPath(environment: environment, counters: counters, events: events, completions: completions, isStream: true)
    }

    deinit {
        scratch.deallocate()
        ready.deallocate()
        close(epoll)
        close(handshakeEpoll)
    }

    /// Serves until `isStopping` says otherwise, then lets what is held go out.
    mutating func run(isStopping: () -> Bool) {
        environment.journal.addListener(eventFD: wakeFD)
        _ = lm_epoll_set(epoll, wakeFD, Key.wake, LM_READABLE)
        _ = lm_epoll_set(epoll, handshakeEpoll, Key.handshakes, LM_READABLE)
        if let datagrams { _ = lm_epoll_set(epoll, datagrams.listener.fd, Key.datagrams, LM_READABLE) }
        listen()
        while !isStopping() { _ = turn(timeoutMilliseconds: timeout) }
        drain()
        environment.journal.removeListener(eventFD: wakeFD)
    }

    /// As a UDP worker's.
    private static let drainNanoseconds: UInt64 = 8_000_000_000

    /// Takes no more connections, answers what has arrived, waits for journal and slow checks, sends delayed rejects at once, and says
    /// goodbye.
    private mutating func drain() {
        stopListening()
        let deadline = lm_monotonic_nanoseconds() + Self.drainNanoseconds
        while lm_monotonic_nanoseconds() < deadline {
            let waits = accounting.holdsReplies || path.completions.isExpecting
            guard turn(timeoutMilliseconds: waits ? 20 : 0) || waits else { break }
        }
        _ = authentication.release(through: .max, into: &path.cache)
        authentication.flush()
        writeAll()
        for connection in connections.all {
            connection.tls?.close()
            connections.mark(connection)
        }
        writeAll()
        for connection in connections.all { end(connection, .stopping) }
        reverse.stop(number)
        if let datagrams { close(datagrams.listener.fd) }
    }

    /// Receives, answers and sends once.
    ///
    /// - Returns: whether packets arrived.
    private mutating func turn(timeoutMilliseconds: Int32) -> Bool {
        let count = lm_epoll_wait(epoll, ready, UInt32(Self.readyLimit), timeoutMilliseconds)
        path.beginBatch()
        connections.dictionary = path.snapshot.dictionary
        nowSeconds = path.nowSeconds
        let before = counters[.accessRequests] &+ counters[.accountingRequests] &+ counters[.statusRequests]
        for position in 0..<Int(max(0, count)) { attend(ready[position]) }
        finishBatches()
        for request in path.completions.drain() { path.resume(request, to: &authentication) }
        answerUnserved()
        sendReverse()
        release()
        writeAll()
        if hasHandshakes {
            hasHandshakes = false
            serveHandshakes()
            finishBatches()
            writeAll()
        }
        if datagrams?.hasWaiting == true {
            serveHandshakeDatagrams()
            finishBatches()
            writeAll()
        }
        if hasArrivals {
            hasArrivals = false
            for position in listeners.indices where isListening[position] { accept(position) }
        }
        if nowSeconds != sweptSeconds {
            sweptSeconds = nowSeconds
            sweep()
            writeAll()
        }
        datagrams?.flush()
        return counters[.accessRequests] &+ counters[.accountingRequests] &+ counters[.statusRequests] != before
    }

    private mutating func attend(_ event: lm_ready) {
        switch event.key {
        case Key.wake: lm_eventfd_drain(wakeFD)
        case Key.handshakes: hasHandshakes = true
        case Key.datagrams: receiveDatagrams()
        default:
            let handle = ConnectionHandle(number: event.key)
            guard handle.generation != 0 else {
                hasArrivals = true
                return
            }
            guard let connection = connections[handle] else { return }
            if event.events & LM_WRITABLE != 0 { connections.mark(connection) }
            if event.events & LM_READABLE != 0 { receive(connection) }
        }
    }

    /// Replies whose time has come.
    private mutating func release() {
        let durable = accounting.release(through: environment.journal.durableSequence, into: &path.cache)
        if durable > 0 { counters.add(.accountingResponses, UInt64(durable)) }
        if authentication.holdsReplies { _ = authentication.release(through: lm_monotonic_nanoseconds(), into: &path.cache) }
        authentication.flush()
        accounting.flush()
    }

    /// Sleeps until the next delayed reject at the latest; half a second bounds the notice of a stop and of a deadline.
    private var timeout: Int32 {
        if datagrams?.hasWaiting == true { return 0 }
        guard let due = authentication.nextMark else { return 500 }
        let now = lm_monotonic_nanoseconds()
        return due <= now ? 0 : Int32(min(500, (due - now) / 1_000_000 + 1))
    }
}
